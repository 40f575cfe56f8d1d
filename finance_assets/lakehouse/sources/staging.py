"""Staging text: rows of any text format, written as Parquet with where they came from.

Every value stays the text that it was. The memory used is bounded by a few blocks of a file,
whatever its size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.sources.bronze import INGESTED_AT, LINE, MALFORMED, SOURCE_FILE
from finance_assets.lakehouse.sources.diagnosis import explain_packing
from finance_assets.lakehouse.sources.reader import Arrival, Staged
from finance_assets.lakehouse.sources.text import TextFile
from finance_assets.lakehouse.stored import Row

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from finance_assets.lakehouse.sources.source import Source

# Staged rows are read by several workers at once, a row group each.
ROWS_PER_GROUP = 100_000


@dataclass(frozen=True)
class TextRows:
    """Some rows of a file: line numbers, a column of text each, and the malformed lines.

    `open_quotes`: how many of these open a quoted value and do not close it.
    """

    lines: NDArray[np.int64]
    columns: list[pa.Array]
    malformed: pa.Array
    open_quotes: int = 0

    def __len__(self) -> int:
        return len(self.lines)


class TextFormat(Protocol):
    """What a format of text brings: its encoding, and how it parses a file."""

    @property
    def encoding(self) -> str:
        """A name that Python knows."""

    def rows(self, source: "Source", file: TextFile) -> Iterator[TextRows]:
        """The rows of a file, in its order.

        Raises:
            DeliveryError: the file cannot be trusted as a whole.
        """


def require_rows(file: TextFile, rows: int, lines: int, header_lines: int = 0) -> None:
    """Refuse a file without rows where some had to come; elsewhere it says that there are none.

    Raises:
        DeliveryError: the file has no rows, or not even its header.
    """
    if rows == 0 and not (file.may_be_empty and lines >= header_lines):
        raise DeliveryError(
            "the delivery is empty" if lines == 0 else "the delivery has no rows",
            where=f"{file.delivered}, line {max(lines, 1)}",
            remedy=f"ask {file.system} for the partition's rows; that there are none is never "
            "assumed",
        )


def same_text(rows: TextRows, source: "Source", row: Row) -> bool:
    """Whether the only row of a text is the stored one."""
    if len(rows) != 1:
        return False
    found = [column[0].as_py() for column in (*rows.columns, rows.malformed)]
    return found == [row[name] for name in (*source.column_names, MALFORMED)]


def stage_texts(
    text: TextFormat,
    spark: "SparkSession",
    source: "Source",
    contract: Contract,
    arrivals: list[Arrival],
    folder: Path,
) -> Staged:
    """Write files of text as Parquet, one for each, and read them with the engine."""
    counts: dict[str, int] = {}
    files: dict[str, list[Path]] = {}
    notes = []
    for arrival in arrivals:
        path = folder / f"{arrival.partition}.parquet"
        written = _write(text, source, contract, arrival, path)
        counts[arrival.partition], open_quotes = written
        files[arrival.partition] = [path]
        if open_quotes:
            notes.append(
                f"{arrival.delivered.name}: {open_quotes} malformed line(s) open a quoted value "
                "and do not close it; if values hold line ends, declare Csv(is_multiline=True)"
            )
    paths = [str(path) for [path] in files.values()]
    rows = spark.read.parquet(*paths).select(*contract.column_names)
    return Staged(rows, counts, tuple(notes), files)


def _write(
    text: TextFormat, source: "Source", contract: Contract, arrival: Arrival, path: Path
) -> tuple[int, int]:
    """Write one file; the number of its rows, and of lines with a quote that stays open."""
    may_be_empty = not source.is_expected(arrival.partition)
    file = TextFile(arrival.copy, arrival.delivered, text.encoding, source.system, may_be_empty)
    explain_packing(arrival.copy, arrival.delivered)
    names = (*source.column_names, contract.partition_column, MALFORMED, SOURCE_FILE)
    schema = pa.schema(
        [
            *((name, pa.string()) for name in names),
            (LINE, pa.int64()),
            (INGESTED_AT, pa.timestamp("us", tz="UTC")),
        ]
    )
    now, count, open_quotes = datetime.now(UTC), 0, 0
    # Always read as a whole, also as the table that it becomes: statistics would not pay.
    facts = [contract.partition_column, SOURCE_FILE]
    with pq.ParquetWriter(path, schema, use_dictionary=facts, write_statistics=False) as writer:
        for rows in text.rows(source, file):
            size = len(rows)
            arrays = [
                *rows.columns,
                pa.repeat(pa.scalar(arrival.partition), size),
                rows.malformed,
                pa.repeat(pa.scalar(arrival.delivered.name), size),
                pa.array(rows.lines, pa.int64()),
                pa.repeat(pa.scalar(now, pa.timestamp("us", tz="UTC")), size),
            ]
            table = pa.Table.from_arrays(arrays, schema=schema)
            writer.write_table(table, row_group_size=ROWS_PER_GROUP)
            count += size
            open_quotes += rows.open_quotes
    return count, open_quotes
