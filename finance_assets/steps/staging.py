"""Staging: rows of a step are computed once, written as Parquet, and read from there ever after.

What such files say of themselves is lakehouse/staged.py's; who publishes them is table.py.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.lakehouse.staged import files_below, has_rows, schema_of
from finance_assets.step.declaration import StepContext

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


def stage(ctx: StepContext, rows: "DataFrame", path: Path) -> "DataFrame":
    """Write the rows once, and read them from there ever after."""
    rows.write.parquet(str(path))
    return read_staged(ctx, staged_schema(rows, path), path)


def stage_any(ctx: StepContext, rows: "DataFrame", path: Path) -> "DataFrame | None":
    """The same; None if there were no rows."""
    staged = stage(ctx, rows, path)
    return staged if has_rows(files_below(path)) else None


def staged_schema(rows: "DataFrame", path: Path) -> "StructType":
    """The columns of rows that were staged below a path, from a file if there is one."""
    files = files_below(path)
    return schema_of(files[0]) if files else rows.schema


def read_staged(ctx: StepContext, schema: "StructType", path: Path) -> "DataFrame":
    """The rows staged at a path; none if nothing was written there.

    Each fate lies in a folder of its own rather than behind a filter: Sail 0.7.2 checks the
    table's constraints on the rows before the filter.
    """
    spark = ctx.lakehouse.spark
    if not path.exists():
        return spark.createDataFrame([], schema)
    return spark.read.schema(schema).parquet(str(path))
