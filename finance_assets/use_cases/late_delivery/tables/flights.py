"""Flights: what the carriers report after a month, as it came and typed.

Schedule and outcome come in one row. What of it was known before departure is decided in the
features: the delays of a flight are its outcome, and its past only from the next day on.
"""

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import RowRule, Severity, TableRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Bronze, Delivered, Entity

ORIGINS = ("EWR", "JFK", "LGA")
LATE_AFTER_MINUTES = 15

# SQL: the day of a flight as a number without gaps; 0 is a Monday.
_FIRST_OF_MONTH = "concat(flight_month, '-01')"
DAY_NUMBER = f"cast({Frequency.daily.sql_number(_FIRST_OF_MONTH)} + day - 1 AS int)"
DAY_EXISTS = (
    "day >= 1 AND day <= 31 AND (day <= 30 OR month NOT IN ('4', '6', '9', '11'))"
    " AND (day <= 29 OR month <> '2')"
)


def in_month(partition: str) -> str:
    """SQL: whether year and month are those of the partition.

    Without a cast: Delta stores the rule as a constraint, in which Sail 0.7.2 reads none.
    """
    return f"{partition} = concat(year, '-', lpad(month, 2, '0'))"


def minutes_of(clock: str) -> str:
    """SQL: the minutes since midnight of a column that reads 1305 at five past one."""
    return f"(cast(floor({clock} / 100) as int) * 60 + {clock} % 100)"


def _is_clock(name: str) -> RowRule:
    return RowRule(
        f"{name}_clock",
        f"{name} >= 0 AND {name} <= 2400 AND {name} % 100 < 60",
        "Times are written as 1305 for five past one.",
    )


def _plausible(name: str) -> RowRule:
    return RowRule(
        f"{name}_plausible",
        f"coalesce({name}, 0) >= -180 AND coalesce({name}, 0) <= 2880",
        "No flight is three hours early or more than two days late.",
    )


FLIGHTS = Entity(
    "silver.flights",
    "One row per scheduled flight out of New York that keeps every rule, cancelled ones included.",
    source=Source("the reporting carriers", "flights_{partition}.csv.zst", null_tokens=("NA",)),
    columns=(
        Delivered("year", "string", "Year of the scheduled departure"),
        Delivered("month", "string", "Month of the scheduled departure, 1 to 12"),
        Delivered("day", "int", "Day of the month of the scheduled departure"),
        Delivered(
            "scheduled_departure",
            "int",
            "Local time, written as 1305 for five past one",
            at_source="sched_dep_time",
        ),
        Delivered(
            "departure_delay_minutes",
            "int",
            "Departure less schedule; negative is early; null: cancelled",
            at_source="dep_delay",
            is_nullable=True,
            unit="minutes",
        ),
        Delivered(
            "scheduled_arrival",
            "int",
            "Local time at the destination, written as 1305",
            at_source="sched_arr_time",
        ),
        Delivered(
            "arrival_delay_minutes",
            "int",
            "Arrival less schedule; null: cancelled, or landed somewhere else",
            at_source="arr_delay",
            is_nullable=True,
            unit="minutes",
        ),
        Delivered("carrier", "string", "Two characters of the carrier, such as UA"),
        Delivered("flight_number", "int", "Number of the flight", at_source="flight"),
        Delivered(
            "tail_number",
            "string",
            "Registration of the plane; null on some cancelled flights",
            at_source="tailnum",
            is_nullable=True,
        ),
        Delivered("origin", "string", "EWR, JFK, LGA"),
        Delivered("destination", "string", "Three letters of the airport", at_source="dest"),
        Delivered("distance_miles", "int", "Distance", at_source="distance", unit="miles"),
    ),
    key=("flight_month", "day", "carrier", "flight_number", "origin"),
    partition_column="flight_month",
    rules=(
        RowRule(
            "in_its_month",
            in_month("flight_month"),
            "A delivery holds the flights of its month.",
        ),
        RowRule("day_exists", DAY_EXISTS, "The month has such a day."),
        _is_clock("scheduled_departure"),
        _is_clock("scheduled_arrival"),
        _plausible("departure_delay_minutes"),
        _plausible("arrival_delay_minutes"),
        RowRule(
            "arrives_after_departing",
            "arrival_delay_minutes IS NULL OR departure_delay_minutes IS NOT NULL",
            "What never left cannot arrive.",
        ),
        RowRule(
            "origin_known",
            f"origin IN ({', '.join(repr(name) for name in ORIGINS)})",
            "The carriers report the three airports of New York.",
        ),
        RowRule("distance_positive", "distance_miles > 0", "A flight goes somewhere."),
        # 1 to 5 % in 2013, most in February.
        TableRule(
            "cancelled_rare",
            "avg(CASE WHEN departure_delay_minutes IS NULL THEN 1.0D ELSE 0.0D END) <= 0.15",
            "More than 15 % cancelled is a disaster, or a delivery without its outcomes.",
            Severity.warn,
        ),
    ),
    max_quarantine_share=0.02,
    bronze=Bronze(
        "bronze.flight_deliveries",
        "Every delivered flight as it came, as text, with where it came from.",
        "flight_month",
        "Month that the delivery is for (YYYY-MM)",
    ),
)
