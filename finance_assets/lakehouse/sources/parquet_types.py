"""Types of Parquet: which of them a declared column takes, without losing anything."""

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.readable import WIDER
from finance_assets.lakehouse.types import decimal_of

if TYPE_CHECKING:
    from finance_assets.lakehouse.sources.source import Source

ARROW = {
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}


def fits(found: str, declared: str) -> bool:
    """Whether every value of one type is a value of the other."""
    if found == declared or declared in WIDER.get(found, ()):
        return True
    mine, its = decimal_of(found), decimal_of(declared)
    return bool(mine and its and mine.whole <= its.whole and mine.scale <= its.scale)


def spark_type(kind: pa.DataType) -> str:
    """Spark SQL's name of an Arrow type; Arrow's own where we read none of it."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_dictionary(kind):
        return spark_type(kind.value_type)
    if pa.types.is_timestamp(kind):
        # Nanoseconds are more than the engines keep. Without a zone, an instant is UTC's.
        return "timestamp" if kind.unit in ("ms", "us") else str(kind)
    if kind == pa.large_string():
        return "string"
    return {known: name for name, known in ARROW.items()}.get(kind, str(kind))


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type that a declared type is written as."""
    decimal = decimal_of(kind)
    if decimal:
        return pa.decimal128(decimal.precision, decimal.scale)
    return pa.timestamp("us", tz="UTC") if kind == "timestamp" else ARROW[kind]


def require_columns(source: "Source", schema: pa.Schema, delivered: Path) -> None:
    """Refuse a file with other columns or types than the declared ones.

    Raises:
        DeliveryError: the message names them.
    """
    missing = [name for name in source.header if name not in schema.names]
    extra = [name for name in schema.names if name not in source.header]
    if missing or extra:
        what = f"the columns lack {missing or 'nothing'} and add {extra or 'nothing'}"
    elif len(set(schema.names)) != len(schema.names):
        what = "a column is there twice"
    else:
        found = {name: spark_type(schema.field(name).type) for name in schema.names}
        other = [
            f"{column.delivered_name} is {found[column.delivered_name]}, declared {column.type}"
            for column in source.columns
            if not fits(found[column.delivered_name], column.type)
        ]
        what = "; ".join(other)
    if what:
        raise DeliveryError(
            what,
            where=str(delivered),
            remedy="change the file, or the names (`at_source`) and types of the Source's columns",
        )
