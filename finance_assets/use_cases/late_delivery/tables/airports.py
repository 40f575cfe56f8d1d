"""The airports with their clocks: a register, delivered when it changes."""

from finance_assets.lakehouse.contract import RowRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import DELIVERED_FOR, Bronze, Delivered, Entity
from finance_assets.use_cases.late_delivery.tables.registers import LIST

AIRPORTS = Entity(
    "silver.airports",
    "One row per airport and list of airports that it stands in.",
    source=Source(
        "the register of airports",
        "airports_{partition}.csv.gz",
        may_repeat=True,
        is_optional=True,
    ),
    columns=(
        Delivered("destination", "string", "Three letters of the airport", at_source="faa"),
        Delivered("utc_offset_hours", "int", "Hours before UTC in winter", at_source="tz"),
        Delivered("daylight_rule", "string", "A: that of the US, N: none, U: unknown", "dst"),
    ),
    key=("destination", DELIVERED_FOR),
    rules=(
        RowRule("utc_offset_range", "abs(utc_offset_hours) <= 14", "Zones lie within 14 hours."),
        RowRule("daylight_rule_known", "daylight_rule IN ('A', 'N', 'U')", "There are three."),
    ),
    max_quarantine_share=0.02,
    bronze=Bronze("bronze.airport_deliveries", partition_description=LIST),
)
