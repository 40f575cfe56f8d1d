"""Types of Parquet: which of them a declared column takes, without losing anything."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.readable import WIDER

if TYPE_CHECKING:
    from finance_assets.lakehouse.sources.source import Source

DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


def fits(found: str, declared: str) -> bool:
    """Whether every value of one type is a value of the other."""
    if found == declared or declared in WIDER.get(found, ()):
        return True
    mine, its = DECIMAL.fullmatch(found), DECIMAL.fullmatch(declared)
    if not mine or not its:
        return False
    whole, scale = (int(its[1]) - int(its[2])) - (int(mine[1]) - int(mine[2])), int(its[2])
    return whole >= 0 and scale >= int(mine[2])


def spark_type(kind: pa.DataType) -> str:
    """Spark SQL's name of an Arrow type; Arrow's own where we read none of it."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_dictionary(kind):
        return spark_type(kind.value_type)
    if pa.types.is_timestamp(kind):
        # Nanoseconds are more than the engines keep. Without a zone, an instant is UTC's.
        return "timestamp" if kind.unit in ("ms", "us") else str(kind)
    names = {
        pa.int8(): "tinyint",
        pa.int16(): "smallint",
        pa.int32(): "int",
        pa.int64(): "bigint",
        pa.float32(): "float",
        pa.float64(): "double",
        pa.date32(): "date",
        pa.bool_(): "boolean",
        pa.string(): "string",
        pa.large_string(): "string",
    }
    return names.get(kind, str(kind))


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
