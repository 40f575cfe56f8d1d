"""Things: a small table that tests publish to, by hand and without a use case."""

import pyarrow as pa

from finance_assets.lakehouse.contract import Column, Contract, RowRule, Severity, TableRule
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.publish import Origin, publish
from finance_assets_tests.scenario import APRIL, CALENDAR, MAY

THINGS = Contract(
    table="silver.things",
    description="Things, in a test's table.",
    columns=(
        Column("id", "bigint", "Number"),
        Column("month", "string", "Month"),
        Column("value", "double", "Value", is_nullable=True, unit="m"),
        Column("seen_at", "string", "Clock", is_nullable=True, is_volatile=True),
    ),
    key=("id", "month"),
    partition_column="month",
    row_rules=(RowRule("value_positive", "value IS NULL OR value > 0", "A length is positive."),),
    table_rules=(
        TableRule("few", "count(*) <= 5", "At most five things a month."),
        TableRule("small", "max(value) <= 100", "Large values are odd.", Severity.warn),
    ),
    min_rows=1,
)
ORIGIN = Origin("run-1", "abc")
BOTH = CALENDAR.window(APRIL, MAY)
# Of both months, and those of the first.
ROWS = [(1, APRIL, 1.0), (2, APRIL, 2.0), (1, MAY, 3.0)]
GOOD = ROWS[:2]
SCHEMA = pa.schema(
    [("id", pa.int64()), ("month", pa.string()), ("value", pa.float64()), ("seen_at", pa.string())]
)


def propose(lakehouse, rows, window=None, contract=THINGS, ledgers=None):
    """Rows are (id, month, value[, seen_at])."""
    full = [(*row, *[None] * (4 - len(row))) for row in rows]
    frame = lakehouse.spark.createDataFrame(
        full, "id bigint, month string, value double, seen_at string"
    )
    window = window or CALENDAR.window(APRIL)
    counted = {p: sum(row[1] == p for row in rows) for p in window}
    balanced = ledgers or {p: Ledger(n, n) for p, n in counted.items()}
    return Proposal(contract, window, frame, balanced)


def publish_rows(lakehouse, rows, window=None):
    return publish(lakehouse, propose(lakehouse, rows, window), ORIGIN)


def stored(lakehouse):
    rows = lakehouse.read(THINGS).select("id", "month", "value").collect()
    return sorted(tuple(row) for row in rows)


def failed(result):
    return [outcome.check.name for outcome in result.outcomes if not outcome.is_passed]
