"""The schema of a table in a folder: made from a contract, read and relaxed, with deltalake."""

from pathlib import Path
from typing import Any

from finance_assets.lakehouse.contract import Contract

# Delta's names of types where Spark has others.
SPARK_NAMES = {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint"}
DELTA_NAMES = {spark: delta for delta, spark in SPARK_NAMES.items()}

# Steps read whole partitions, so smallest and largest values spare nobody a file; and in statistics
# there are only numbers: Sail 0.7.2 and DataFusion read 1 and NaN back as 1 and 1.
WITHOUT_STATISTICS = {"delta.dataSkippingNumIndexedCols": "0"}


def create_table(path: Path, contract: Contract, properties: dict[str, str]) -> None:
    """Make the table of a contract, unless one is there; a log without a commit is none.

    Types, NOT NULL, comments, partitioning and properties are those of `ddl.create_statement`.
    Without an engine: its session would remember a table by name, and not make it again after
    somebody moved the folder away.
    """
    from deltalake import DeltaTable, Field, Schema
    from deltalake.schema import PrimitiveType

    fields = [
        Field(
            column.name,
            PrimitiveType(DELTA_NAMES.get(column.type, column.type)),
            nullable=column.is_nullable,
            metadata={"comment": column.comment},
        )
        for column in contract.columns
    ]
    path.mkdir(parents=True, exist_ok=True)
    DeltaTable.create(
        str(path),
        Schema(fields),
        mode="ignore",
        partition_by=[contract.partition_column],
        description=contract.description,
        configuration={
            **properties,
            **WITHOUT_STATISTICS,
            "delta.appendOnly": str(contract.is_append_only).lower(),
        },
    )


def columns_of(delta: Any) -> dict[str, str]:
    """The type of each column by its name, in Spark's words."""
    types = {field.name: field.type for field in delta.schema().fields}
    named = {name: getattr(kind, "type", None) or str(kind) for name, kind in types.items()}
    return {name: SPARK_NAMES.get(kind, kind) for name, kind in named.items()}


def required_of(delta: Any) -> frozenset[str]:
    """The columns that refuse nulls."""
    return frozenset(field.name for field in delta.schema().fields if not field.nullable)
