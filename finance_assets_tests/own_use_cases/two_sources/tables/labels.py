"""Labels: whether a customer left in the week after; partitioned by when that became known."""

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import Column
from finance_assets.steps.derived import Table
from finance_assets_tests.own_use_cases.two_sources.tables.features import FEATURES
from finance_assets_tests.own_use_cases.two_sources.tables.outcomes import OUTCOMES

LABELS = Table(
    "labels.phone_labels",
    "Whether the customer left in the week after.",
    inputs=(FEATURES.at(-1), OUTCOMES),
    columns=(
        *("customer", "delivered_for"),
        Column("known_in", "string", "Week in which the outcome became known"),
        Column("leaves", "boolean", "Left; null if nobody said", is_nullable=True),
    ),
    transform=f"""
        WITH waiting AS (
          SELECT customer, delivered_for,
            {Frequency.weekly.sql_shift("delivered_for", 1)} AS known_in
          FROM phone_features
        ),
        outcomes AS (
          SELECT customer, delivered_for AS known_in, has_left AS leaves FROM phone_outcomes
        )
        SELECT customer, delivered_for, known_in, leaves
        FROM waiting LEFT JOIN outcomes USING (customer, known_in)""",
    partition_column="known_in",
)
