"""Ranges: whether a run over several partitions makes of each what a run of its own would.

A transform sees every partition that a range reads at once. One that forgets to group by the
partition column lets the first see the future; one whose frame has no end lets the last see more of
the past than it declares. Both are made once more, by themselves, and compared: of those that have
rows, the first has the most future in a range, and the last the most past.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from finance_assets.lakehouse.audit import CheckOutcome, fingerprints, outcome
from finance_assets.lakehouse.columns import schema_problems
from finance_assets.lakehouse.contract import Check, Column, Contract
from finance_assets.lakehouse.readable import FINITE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RANGE = Check(
    "range_is_its_partitions",
    "A run over a range makes of its first and last partition what a run of each alone makes.",
)
# Sums in another order differ in their last digits: relative to the value; and, where a difference
# of large values is next to nothing, to the largest of the column.
OF_VALUE, OF_COLUMN = "1e-9", 1e-13
# No column is called so.
ROWS = "rows of only one of them"


def range_outcome(contract: Contract, found: dict[str, dict[str, int]]) -> CheckOutcome:
    """The outcome of the check, with what `differing` found of each partition."""
    figures = {
        place: f"{contract.table} has other rows by itself: "
        + ", ".join(f"{name} ({rows})" for name, rows in columns.items())
        for place, columns in found.items()
        if columns
    }
    remedy = f"group and partition by `{contract.partition_column}`: it must see no other partition"
    return outcome(RANGE, figures, f"Found {{}}. {remedy}")


def differing(alone: "DataFrame", ranged: "DataFrame", contract: Contract) -> dict[str, int]:
    """The columns whose values differ between two makings of a partition, with the number of rows;
    by themselves those that only one of them has. Empty if they are alike.
    """
    if schema_problems(ranged.schema, contract):
        # They are refused for that.
        return {}
    if fingerprints(alone, contract) == fingerprints(ranged, contract):
        return {}
    from pyspark.sql import functions as F

    key = list(dict.fromkeys((contract.partition_column, *contract.key)))
    values = [c for c in contract.columns if c.name not in key and not c.is_volatile]
    names = [column.name for column in values]
    one, other = (
        rows.selectExpr(*key, *(f"`{n}` as {side}_{n}" for n in names), f"true as {side}")
        for side, rows in (("_alone", alone), ("_ranged", ranged))
    )
    differs = _conditions(alone, values)
    counts = [F.expr(f"count_if({t})").alias(f"n_{n}") for n, t in enumerate(differs.values())]
    counted = one.join(other, key, "full").agg(*counts).collect()[0]
    return {name: int(counted[f"n_{n}"]) for n, name in enumerate(differs) if counted[f"n_{n}"]}


def _conditions(rows: "DataFrame", columns: list[Column]) -> dict[str, str]:
    """SQL, by column, that holds for a pair of rows that differ in it."""
    scales = _scales(rows, columns)
    found = {ROWS: "_alone IS NULL OR _ranged IS NULL"}
    for column in columns:
        one, other = f"_alone_{column.name}", f"_ranged_{column.name}"
        alike = f"{one} <=> {other}"
        if column.type == "double":
            gap, size = f"abs({one} - {other})", f"greatest(abs({one}), abs({other}))"
            least = OF_COLUMN * scales[column.name]
            is_small = (
                f"{gap} <= cast('{OF_VALUE}' as double) * {size}"
                f" OR {gap} <= cast('{least!r}' as double)"
            )
            # Of what is infinite or no number, the gap is that, too.
            alike += f" OR ({gap} <= {FINITE['double']} AND ({is_small}))"
        found[column.name] = f"_alone AND _ranged AND NOT coalesce({alike}, false)"
    return found


def _scales(rows: "DataFrame", columns: Iterable[Column]) -> dict[str, float]:
    """The largest size of each column of fractions; 0 where there is none."""
    names = [column.name for column in columns if column.type == "double"]
    if not names:
        return {}
    from pyspark.sql import functions as F

    largest = rows.agg(*(F.expr(f"max(abs(`{name}`))").alias(name) for name in names)).collect()[0]
    sizes = {name: float(largest[name] or 0) for name in names}
    return {name: size if math.isfinite(size) else 0.0 for name, size in sizes.items()}
