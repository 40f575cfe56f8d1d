"""Labels: whether a flight arrived more than 15 minutes late.

A flight that was cancelled, or landed somewhere else, is not "on time", and has no delay either:
it has no label. To count it as late would teach the model from rows of which the outcome decided
what is known: a third of the cancelled flights have no plane.
"""

from finance_assets.lakehouse.contract import Column, TableRule
from finance_assets.steps.derived import Table
from finance_assets.use_cases.late_delivery.tables.flights import FLIGHTS, LATE_AFTER_MINUTES

LABELS = Table(
    "labels.late_delivery_labels",
    "Outcome of each flight, known when its month is over.",
    inputs=(FLIGHTS,),
    columns=(
        *("flight_month", "day", "carrier", "flight_number", "origin"),
        Column(
            "is_late",
            "boolean",
            f"Arrived more than {LATE_AFTER_MINUTES} minutes late; null if it did not arrive there",
            is_nullable=True,
        ),
    ),
    transform=f"""
        SELECT flight_month, day, carrier, flight_number, origin,
          arrival_delay_minutes > {LATE_AFTER_MINUTES} AS is_late
        FROM flights""",
    rules=(
        # At least 94.5 % in every month of 2013.
        TableRule(
            "most_arrive",
            "avg(CASE WHEN is_late IS NULL THEN 0.0D ELSE 1.0D END) >= 0.8",
            "A month of whose flights a fifth never arrived is no month to learn from.",
        ),
    ),
    min_rows=1,
)
