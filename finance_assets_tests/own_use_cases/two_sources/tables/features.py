"""Features: what the model may see, as doubles, with the change of calls."""

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import Column
from finance_assets.steps.derived import Table, passed
from finance_assets_tests.own_use_cases.two_sources.tables.customer_weeks import CUSTOMER_WEEKS

FEATURE_NAMES = ("dropped", "net_fee", "calls", "calls_change")

FEATURES = Table(
    "features.phone_features",
    "What a model may see of a customer at the end of a week.",
    inputs=(CUSTOMER_WEEKS.at(-1, 0),),
    columns=(
        *("customer", "delivered_for"),
        *passed(("dropped", "net_fee", "calls"), "double"),
        Column("calls_change", "double", "Calls less those of the week before", is_nullable=True),
    ),
    transform=f"""
        WITH before AS (
          SELECT customer, calls AS calls_before,
            {Frequency.weekly.sql_shift("delivered_for", 1)} AS delivered_for
          FROM phone_customer_weeks
        )
        SELECT customer, delivered_for, dropped, net_fee, cast(calls AS double) AS calls,
          cast(calls - calls_before AS double) AS calls_change
        FROM phone_customer_weeks LEFT JOIN before USING (customer, delivered_for)""",
    min_rows=1,
)
