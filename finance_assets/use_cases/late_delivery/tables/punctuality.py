"""Punctuality by day: how many flights left late, of each carrier, airport, route and plane.

For dashboards, and as the past that features look back to. Made of departures only: whether a
plane left late is known on the day, and arrivals are what the model is to foresee.
"""

from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.steps.derived import Table
from finance_assets.use_cases.late_delivery.tables.flights import (
    DAY_NUMBER,
    FLIGHTS,
    LATE_AFTER_MINUTES,
)

# Kinds of subjects, and the SQL of their names. A route ends at its origin's own airport.
SUBJECTS = {
    "carrier": "carrier",
    "origin": "origin",
    "route": "concat(origin, '-', destination)",
    "plane": "tail_number",
}


def _of_kind(kind: str, name: str) -> str:
    return f"SELECT flight_month, day_number, '{kind}' AS kind, {name} AS name, is_late FROM flown"


_SELECT = f"""
WITH flown AS (
  SELECT *, {DAY_NUMBER} AS day_number,
    CASE WHEN departure_delay_minutes <= {LATE_AFTER_MINUTES} THEN 0 ELSE 1 END AS is_late
  FROM flights
),
subjects AS ({" UNION ALL ".join(_of_kind(*subject) for subject in SUBJECTS.items())})
SELECT flight_month, kind, name, day_number,
  count(*) AS flights, cast(sum(is_late) AS bigint) AS late_departures
FROM subjects
WHERE name IS NOT NULL
GROUP BY flight_month, kind, name, day_number
"""

PUNCTUALITY = Table(
    "gold.punctuality_days",
    "Departures by day, of each carrier, origin, route and plane that had some.",
    inputs=(FLIGHTS,),
    columns=(
        Column("flight_month", "string", "Month of the scheduled departures (YYYY-MM)"),
        Column("kind", "string", f"What is counted: {', '.join(SUBJECTS)}"),
        Column("name", "string", "Which one: UA, JFK, JFK-MIA, N619AA"),
        Column("day_number", "int", "Day of the scheduled departures; 0 is a Monday"),
        Column("flights", "bigint", "Scheduled departures"),
        Column(
            "late_departures",
            "bigint",
            f"Those that left more than {LATE_AFTER_MINUTES} minutes late, or not at all",
        ),
    ),
    transform=_SELECT,
    key=("flight_month", "kind", "name", "day_number"),
    rules=(
        RowRule(
            "late_among_flights",
            "late_departures >= 0 AND late_departures <= flights AND flights > 0",
            "Late departures are some of the flights.",
        ),
    ),
    min_rows=1,
    # Every flight has one carrier.
    counted_by="sum(CASE WHEN kind = 'carrier' THEN flights ELSE 0 END)",
)
