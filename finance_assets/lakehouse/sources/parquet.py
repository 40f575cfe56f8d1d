"""Parquet: read by the engine, distributed, with the number of each row in its file.

Columns are found by their names, whatever their order, and keep their types. Sail 0.7.2 cannot
say which row of a file it reads; there the rows are numbered while they are copied, in batches.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.sources.bronze import INGESTED_AT, LINE, MALFORMED, SOURCE_FILE
from finance_assets.lakehouse.sources.diagnosis import head_of, kind_of
from finance_assets.lakehouse.sources.parquet_types import arrow_type, require_columns
from finance_assets.lakehouse.sources.reader import Arrival, Staged
from finance_assets.lakehouse.sources.staging import ROWS_PER_GROUP
from finance_assets.lakehouse.stored import Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from finance_assets.lakehouse.sources.source import Source, SourceColumn

ROW_INDEX = "_metadata.row_index"


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file for each partition; it has no lines, so rows are counted from 1."""

    kind = "parquet"
    is_typed = True
    reads_copies = True
    malformed = "the row cannot be read"

    def stage(
        self,
        spark: "SparkSession",
        source: "Source",
        contract: Contract,
        arrivals: list[Arrival],
        folder: Path,
    ) -> Staged:
        """The rows of deliveries with their types; see the protocol."""
        counts = {arrival.partition: _checked(source, arrival) for arrival in arrivals}
        if _numbers_rows(spark, arrivals[0].copy):
            return Staged(_read(spark, source, contract, arrivals), counts)
        return Staged(_copied(spark, source, contract, arrivals, folder), counts)

    def texts(self, source: "Source", copy: Path, wanted: set[int]) -> dict[int, str]:
        """Rows of a kept file by their number, as JSON; see the protocol."""
        found, first = {}, 1
        for batch in _batches(copy):
            inside = [n for n in wanted if first <= n < first + batch.num_rows]
            for number in inside:
                [row] = batch.slice(number - first, 1).to_pylist()
                found[number] = _as_text({c: row[c] for c in source.header})
            first += batch.num_rows
            if len(found) == len(wanted):
                break
        return found

    def shows(self, source: "Source", text: str, row: Row) -> bool:
        """Whether a row of the file says what the stored row says."""
        stored = {column.delivered_name: row[column.name] for column in source.columns}
        return bool(json.loads(text) == json.loads(_as_text(stored)))


def _checked(source: "Source", arrival: Arrival) -> int:
    """The number of rows that a file says it has, once its columns are the declared ones."""
    try:
        file = pq.ParquetFile(arrival.copy)
    except (pa.ArrowInvalid, OSError) as error:
        head = head_of(arrival.copy)
        kind = kind_of(head)
        what = f"the file is {kind}, not Parquet" if kind and kind != "Parquet" else ""
        if not head:
            what = "the delivery is empty"
        raise DeliveryError(
            what or f"the Parquet file is damaged or cut short ({error})",
            where=str(arrival.delivered),
            remedy=f"ask {source.system} to send the file again; nothing of it was taken over",
        ) from error
    with file:
        require_columns(source, file.schema_arrow, arrival.delivered)
        count = int(file.metadata.num_rows)
    if count == 0 and source.is_expected(arrival.partition):
        raise DeliveryError(
            "the delivery has no rows",
            where=str(arrival.delivered),
            remedy=f"ask {source.system} for the partition's rows; that there are none is never "
            "assumed",
        )
    return count


def _numbers_rows(spark: "SparkSession", path: Path) -> bool:
    """Whether the engine can say which row of a file it reads."""
    from pyspark.errors import PySparkException

    try:
        # Only planned, nothing is read.
        spark.read.parquet(str(path)).selectExpr(ROW_INDEX).schema  # noqa: B018
    except PySparkException:
        return False
    return True


def _read(
    spark: "SparkSession", source: "Source", contract: Contract, arrivals: list[Arrival]
) -> "DataFrame":
    """The files as the engine reads them, those of the same types in one scan."""
    alike: dict[tuple[pa.DataType, ...], list[Arrival]] = {}
    for arrival in arrivals:
        schema = pq.read_schema(arrival.copy)
        types = tuple(schema.field(name).type for name in source.header)
        alike.setdefault(types, []).append(arrival)
    scans = (_scan(spark, source, contract, types, some) for types, some in alike.items())
    return reduce(lambda rows, more: rows.unionByName(more), scans)


def _scan(
    spark: "SparkSession",
    source: "Source",
    contract: Contract,
    types: tuple[pa.DataType, ...],
    arrivals: list[Arrival],
) -> "DataFrame":
    """Files whose columns have these types, in one scan."""
    from pyspark.sql import functions as F

    facts = [
        item
        for arrival in arrivals
        for item in (
            F.lit(arrival.copy.name),
            F.array(F.lit(arrival.partition), F.lit(arrival.delivered.name)),
        )
    ]
    known = F.create_map(*facts)[F.col("_metadata.file_name")]
    rows = spark.read.parquet(*(str(arrival.copy) for arrival in arrivals))
    return rows.select(
        *[F.expr(_typed(*pair)) for pair in zip(source.columns, types, strict=True)],
        known[0].alias(contract.partition_column),
        F.expr(f"cast(null as string) as {MALFORMED}"),
        known[1].alias(SOURCE_FILE),
        F.expr(f"{ROW_INDEX} + 1 as {LINE}"),
        F.lit(datetime.now(UTC)).alias(INGESTED_AT),
    ).select(*contract.column_names)


def _typed(column: "SourceColumn", kind: pa.DataType) -> str:
    """SQL for a column of a file under our name, with the declared type."""
    escaped = column.delivered_name.replace("`", "``")
    found = f"`{escaped}`"
    if pa.types.is_timestamp(kind) and kind.tz is None:
        # Without a zone it is UTC's, whatever the session's is.
        found = f"concat(cast({found} as string), 'Z')"
    return f"cast({found} as {column.type}) as `{column.name}`"


def _copied(
    spark: "SparkSession",
    source: "Source",
    contract: Contract,
    arrivals: list[Arrival],
    folder: Path,
) -> "DataFrame":
    """The files copied in batches, with the declared types and the number of each row."""
    paths = [folder / f"{arrival.partition}.parquet" for arrival in arrivals]
    schema = pa.schema(
        [
            *((column.name, arrow_type(column.type)) for column in source.columns),
            (contract.partition_column, pa.string()),
            (MALFORMED, pa.string()),
            (SOURCE_FILE, pa.string()),
            (LINE, pa.int64()),
            (INGESTED_AT, pa.timestamp("us", tz="UTC")),
        ]
    )
    now = pa.scalar(datetime.now(UTC), pa.timestamp("us", tz="UTC"))
    for arrival, path in zip(arrivals, paths, strict=True):
        first = 1
        with pq.ParquetWriter(path, schema) as writer:
            for batch in _batches(arrival.copy):
                size = batch.num_rows
                values = [
                    batch.column(column.delivered_name).cast(arrow_type(column.type))
                    for column in source.columns
                ]
                facts = [
                    pa.repeat(pa.scalar(arrival.partition), size),
                    pa.nulls(size, pa.string()),
                    pa.repeat(pa.scalar(arrival.delivered.name), size),
                    pa.array(np.arange(first, first + size)),
                    pa.repeat(now, size),
                ]
                writer.write_table(pa.Table.from_arrays([*values, *facts], schema=schema))
                first += size
    rows = spark.read.parquet(*(str(path) for path in paths))
    return rows.select(*contract.column_names)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=ROWS_PER_GROUP)


def _as_text(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, default=_as_word)


def _as_word(value: Any) -> str:
    """A value that JSON has no form for. An instant is the same in every zone."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()
    return str(value)
