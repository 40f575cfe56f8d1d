"""The planes: a register, delivered when it changes."""

from finance_assets.lakehouse.contract import RowRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import DELIVERED_FOR, Bronze, Delivered, Entity
from finance_assets.use_cases.late_delivery.tables.registers import LIST

PLANES = Entity(
    "silver.planes",
    "One row per plane and list of planes that it stands in.",
    source=Source(
        "the register of planes",
        "planes_{partition}.csv.gz",
        null_tokens=("NA",),
        may_repeat=True,
        is_optional=True,
    ),
    columns=(
        Delivered("tail_number", "string", "Registration of the plane", at_source="tailnum"),
        Delivered("built_year", "int", "Year of manufacture", at_source="year", is_nullable=True),
        Delivered("seats", "int", "Seats"),
    ),
    key=("tail_number", DELIVERED_FOR),
    rules=(
        RowRule(
            "built_year_plausible",
            "coalesce(built_year, 2000) >= 1930 AND coalesce(built_year, 2000) <= 2100",
            "Planes in service were built in this century or the last.",
        ),
        RowRule("seats_plausible", "seats >= 1 AND seats <= 900", "Planes have 1 to 900 seats."),
    ),
    max_quarantine_share=0.02,
    bronze=Bronze("bronze.plane_deliveries", partition_description=LIST),
)
