"""Staged files: Parquet files that hold rows to publish, and what these say of themselves.

Asked of the files and not of the engine, which would plan anew what it wrote a moment ago.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.stored import Row

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import StructType


def has_rows(files: Iterable[Path]) -> bool:
    """Whether any of some files holds a row: Sail writes no file for none, Spark an empty one."""
    from pyarrow.parquet import read_metadata

    return any(read_metadata(file).num_rows for file in files)


def files_below(folder: Path) -> list[Path]:
    """The Parquet files that the engine staged below a folder."""
    return sorted(folder.glob("**/*.parquet"))


def write_records(folder: Path, contract: Contract, records: Sequence[Row]) -> Path:
    """Write records as one file.

    Raises:
        KeyError: a record lacks a column.
        ArrowInvalid, ArrowTypeError, OverflowError: a value is none of its column's type, or not
            without loss.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types, file = arrow_schema(contract), folder / "records.parquet"
    columns = {c.name: _column([row[c.name] for row in records], c.type) for c in types}
    pq.write_table(pa.table(columns, schema=types), file)
    return file


def _column(values: list[Any], kind: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    if pa.types.is_integer(kind):
        # A fraction that is given to a column of integers would be cut off without a word.
        pa.array(values).cast(kind)
    return pa.array(values, kind)


def arrow_schema(contract: Contract) -> "pa.Schema":
    """The columns of a contract for Arrow."""
    import pyarrow as pa

    from finance_assets.lakehouse.sources.parquet_types import arrow_type

    return pa.schema([(column.name, arrow_type(column.type)) for column in contract.columns])


def schema_of(file: Path) -> "StructType":
    """The columns of a file with the engine's types."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile
    from pyspark.sql.pandas.types import from_arrow_schema

    with ParquetFile(file) as opened:
        columns = [opened.schema.column(number) for number in range(len(opened.schema))]
        # Spark's old form of a time, which it writes unless told otherwise: it does not say that it
        # is UTC's.
        old = {column.path for column in columns if column.physical_type == "INT96"}
        utc = pa.timestamp("us", tz="UTC")
        # Sail's form of a part of a text, which PySpark does not know.
        known = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
        fields = [
            f.with_type(utc if f.name in old else known.get(f.type, f.type))
            for f in opened.schema_arrow
        ]
    return from_arrow_schema(pa.schema(fields))


def first_rows(files: Iterable[Path], limit: int) -> list[Row]:
    """The first rows of some files. Times are in UTC and do not say so, as the engine's."""
    from pyarrow.parquet import ParquetFile

    rows: list[Row] = []
    for path in files:
        if len(rows) == limit:
            break
        with ParquetFile(path, coerce_int96_timestamp_unit="us") as file:
            batch = next(file.iter_batches(limit - len(rows)), None)
            rows += [] if batch is None else batch.to_pylist(maps_as_pydicts="strict")
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: object) -> object:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
