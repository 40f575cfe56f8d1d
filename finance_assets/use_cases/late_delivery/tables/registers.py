"""Registers of planes and airports: reference data that no month belongs to.

Such a list is delivered when it changes, and holds until the next one comes: here once, with the
first month. So no month has to bring it, two months may bring the same, and who reads it takes
all that came up to the own month.
"""

from finance_assets.lakehouse.contract import RowRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.step.declaration import Input
from finance_assets.steps.entity import DELIVERED_FOR, Bronze, Delivered, Entity

LIST = "Month with which the list came (YYYY-MM)"


def newest(entity: str, key: str, names: tuple[str, ...], months: str) -> str:
    """SQL: the rows of a register as they hold in each of the months that a relation has.

    A run over many months sees later lists too; they do not hold before they came.
    """
    columns = ", ".join(f"max_by({name}, {DELIVERED_FOR}) AS {name}" for name in names)
    return (
        f"SELECT flight_month, {key}, {columns} FROM {months}"
        f" JOIN {entity} ON {entity}.{DELIVERED_FOR} <= {months}.flight_month"
        f" GROUP BY flight_month, {key}"
    )


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


def until_now(register: Entity) -> Input:
    """A register as an input: every list that came up to the reader's month."""
    return Input(register.contract, first_offset=None)
