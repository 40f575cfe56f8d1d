"""Deliveries: reading a source system's files, strictly, before any engine sees them.

A delivery is one gzip CSV per partition: UTF-8, the declared header, one physical line a row.
What makes the file as a whole untrustworthy raises `DeliveryError`; a single row with the wrong
number of fields is kept as it came, for quarantine to judge. Typing and rules do not belong
here, nor does keeping the file: archive.py makes the copy that is read.
"""

import csv
import gzip
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from finance_assets.errors import DeliveryError

ROWS_PER_CHUNK = 50_000
SOURCE_COLUMNS = ("_malformed_line", "_source_file", "_source_line", "_ingested_at")


@dataclass(frozen=True)
class DeliverySpec:
    """What a source system promises: the file's name for a partition, and its header.

    `may_repeat`: two partitions may hold the same rows, as with a list that rarely changes;
    otherwise such a delivery is refused as another partition's.
    """

    source: str
    file_pattern: str
    header: tuple[str, ...]
    may_repeat: bool = False

    def path(self, landing: Path, partition: str) -> Path:
        """Where the delivery of a partition is expected."""
        return landing / self.file_pattern.format(partition=partition)


@dataclass(frozen=True)
class DeliveredRow:
    """A physical line: its fields, or `malformed` with the line as it came."""

    line: int
    fields: tuple[str | None, ...]
    malformed: str | None


def read_delivery(spec: DeliverySpec, path: Path, copy: Path) -> Iterator[DeliveredRow]:
    """Yield the rows of a delivery in the order of the file, read from a copy of it.

    Raises:
        DeliveryError: the file is empty, cut short, not gzip, not UTF-8, without rows,
            or has another header than the one declared.
    """
    line = 0
    try:
        for line, text in _lines(path, copy):
            if line == 1:
                _require_header(spec, path, text)
            elif text:
                yield parse_line(spec, line, text)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DeliveryError(
            f"the gzip stream is damaged or cut short ({error})",
            where=f"{path}, after line {line}",
            remedy=f"ask {spec.source} to send the file again; nothing of it was taken over",
        ) from error
    if line < 2:
        raise DeliveryError(
            "the delivery is empty" if line == 0 else "the delivery has a header but no rows",
            where=f"{path}, line {max(line, 1)}",
            remedy=f"ask {spec.source} for the month's rows; an empty month is never assumed",
        )


def delivered_lines(copy: Path, wanted: set[int]) -> dict[int, str]:
    """Lines of a kept delivery by their number, as they stand in the file."""
    last = max(wanted, default=0)
    found = itertools.takewhile(lambda line: line[0] <= last, _lines(copy, copy))
    return {number: text for number, text in found if number in wanted}


def stage_delivery(spec: DeliverySpec, path: Path, partition: str, target: Path, copy: Path) -> int:
    """Write a delivery as Parquet, every field a string, with where it came from.

    It is read from its copy, and named as it was delivered. The memory used is bounded by one
    chunk of rows, whatever the size of the file.

    Returns:
        The number of rows delivered.
    """
    names = [*spec.header, "delivery_month"]
    schema = pa.schema(
        [(name, pa.string()) for name in names]
        + [
            ("_malformed_line", pa.string()),
            ("_source_file", pa.string()),
            ("_source_line", pa.int64()),
            ("_ingested_at", pa.timestamp("us", tz="UTC")),
        ]
    )
    now, rows = datetime.now(UTC), 0
    with pq.ParquetWriter(target, schema) as writer:
        for chunk in _chunks(read_delivery(spec, path, copy)):
            columns = list(zip(*(row.fields for row in chunk), strict=True))
            arrays = [pa.array(column, pa.string()) for column in columns]
            size = len(chunk)
            arrays += [
                pa.array([partition] * size, pa.string()),
                pa.array([row.malformed for row in chunk], pa.string()),
                pa.array([path.name] * size, pa.string()),
                pa.array([row.line for row in chunk], pa.int64()),
                pa.array([now] * size, pa.timestamp("us", tz="UTC")),
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            rows += size
    return rows


def _lines(path: Path, copy: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each physical line, decoded strictly."""
    with gzip.open(copy, "rb") as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                yield number, raw.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise DeliveryError(
                    f"byte 0x{raw[error.start]:02x} at position {error.start} is not UTF-8",
                    where=f"{path}, line {number}",
                    remedy="ask for the file in UTF-8, or convert it before it lands",
                ) from error


def _require_header(spec: DeliverySpec, path: Path, text: str) -> None:
    """Refuse any header but the declared one: a moved column would be read as another."""
    found = tuple(next(csv.reader([text]), []))
    if found == spec.header:
        return
    missing = [name for name in spec.header if name not in found]
    extra = [name for name in found if name not in spec.header]
    if missing or extra:
        what = f"the header lacks {missing or 'nothing'} and adds {extra or 'nothing'}"
    else:
        what = f"the header's columns are in another order: {','.join(found)}"
    raise DeliveryError(
        what,
        where=f"{path}, line 1",
        remedy=f"expected exactly {','.join(spec.header)}; change the file, or the contract",
    )


def parse_line(spec: DeliverySpec, line: int, text: str) -> DeliveredRow:
    """Split a line; a wrong number of fields keeps the text and leaves every field null."""
    if '"' not in text:
        # Without a quote there is nothing for the csv module to interpret, and this is 3x faster.
        return _row(spec, line, text, text.split(","))
    try:
        fields = next(csv.reader([text], strict=True))
    except csv.Error:
        fields = []
    return _row(spec, line, text, fields)


def _row(spec: DeliverySpec, line: int, text: str, fields: list[str]) -> DeliveredRow:
    if len(fields) == len(spec.header):
        return DeliveredRow(line, tuple(fields), None)
    return DeliveredRow(line, (None,) * len(spec.header), text)


def _chunks(rows: Iterator[DeliveredRow]) -> Iterator[list[DeliveredRow]]:
    """Rows in lists of at most `ROWS_PER_CHUNK`."""
    chunk: list[DeliveredRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == ROWS_PER_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
