"""Second look: what an audit measures by itself, and only where there is reason to.

Numbers that are none, where a sum is none; and rules over a partition, where it has no rows. All
else is measured in audit.py's one pass.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.readable import FINITE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def sums_of(contract: Contract) -> list[str]:
    """SQL for the pass that shows whether a column holds what is no number: its sum is none then.

    Of twelve columns and 840,000 rows on Sail, sums took 0.1 s, and counting such values 0.35 s.
    """
    return [f"sum(`{name}`) as sum_{name}" for name in contract.finite_columns]


def not_finite(
    rows: "DataFrame", contract: Contract, sums: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, int]]:
    """The infinite values and NaNs by partition and column, counted where a sum is no number.

    Finite values can have an infinite sum, too: then there are none.
    """
    names = [
        name
        for name in contract.finite_columns
        if any(not math.isfinite(row[f"sum_{name}"] or 0) for row in sums)
    ]
    if not names:
        return {}
    from pyspark.sql import functions as F

    counts = (
        F.expr(f"count_if(NOT (abs(`{name}`) <= {FINITE['double']}))").alias(name) for name in names
    )
    counted = rows.groupBy(F.col(contract.partition_column).alias("_of")).agg(*counts).collect()
    return {str(row["_of"]): {n: int(row[n]) for n in names if row[n]} for row in counted}


def broken_by_none(rows: "DataFrame", contract: Contract) -> dict[str, bool]:
    """Which rules over a partition no rows break; `rows` has the columns.

    A count of none is 0. A mean is null, and a share cannot be computed: nothing is wrong with what
    is not there, such as the outcomes of the first partition.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F

    none, broken = rows.where("false"), {}
    for rule in contract.table_rules:
        try:
            [[found]] = none.agg(F.expr(f"coalesce(NOT ({rule.condition}), false)")).collect()
        except PySparkException:
            found = False
        broken[rule.name] = bool(found)
    return broken
