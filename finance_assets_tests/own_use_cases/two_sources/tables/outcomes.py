"""Outcomes: who left, delivered a week later by another system."""

from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Delivered, Entity
from finance_assets_tests.own_use_cases.two_sources.calendar import SECOND_WEEK

OUTCOMES = Entity(
    "silver.phone_outcomes",
    "What became of the customers of the week before.",
    source=Source("the retention desk", "outcomes_{partition}.csv", first=SECOND_WEEK),
    columns=(
        Delivered("customer", "bigint", "Number of the customer", is_pii=True),
        Delivered("has_left", "boolean", "Whether the contract ended", at_source="Left?"),
    ),
    key=("customer", "delivered_for"),
)
