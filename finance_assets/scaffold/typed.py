"""Typed rows: a Parquet file's columns as types that every engine reads and writes alike."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from finance_assets.lakehouse.sources.parquet_types import spark_type
from finance_assets.lakehouse.types import is_type
from finance_assets.scaffold.request import CannotScaffoldError

# Types of Arrow that a contract has no name for, and what holds all of their values.
WIDER = {
    pa.int8(): pa.int32(),
    pa.int16(): pa.int32(),
    pa.uint8(): pa.int32(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.float16(): pa.float64(),
    pa.float32(): pa.float64(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.date64(): pa.date32(),
}


def typed_rows(path: Path) -> tuple[pa.Table, tuple[str, ...]]:
    """The rows of a file, and the columns that no table can hold.

    These are lists, structs, bytes, and numbers of more digits than every engine keeps. An empty
    column may have a type in another file, and keeps none.

    Raises:
        CannotScaffoldError: a column's time zone is none that can be looked up.
    """
    table = pq.read_table(path)
    columns, left_out = {}, []
    for name in table.column_names:
        column = _plain(table.column(name))
        _require_zone(column, path, name)
        if pa.types.is_null(column.type) or is_type(spark_type(column.type)):
            columns[name] = column
        else:
            left_out.append(name)
    return pa.table(columns), tuple(left_out)


def _require_zone(column: pa.ChunkedArray, path: Path, name: str) -> None:
    if not pa.types.is_timestamp(column.type):
        return
    try:
        pc.local_timestamp(column.slice(0, 1))
    except pa.ArrowInvalid as error:
        raise CannotScaffoldError(
            f"{name} has the time zone {column.type.tz!r}, which nothing here knows",
            where=str(path),
            remedy="a name of the IANA database, such as America/New_York, or UTC",
        ) from error


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        # Nanoseconds are more than the engines keep; without a zone, an instant is UTC's.
        return column.cast(pa.timestamp("us", tz=column.type.tz or "UTC"), safe=False)
    if pa.types.is_uint64(column.type):
        return column.cast(pa.decimal128(20, 0))
    return column.cast(WIDER.get(column.type, column.type))
