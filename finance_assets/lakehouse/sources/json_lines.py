"""JSON lines: an object a line, whose values become the text that stands in the file.

Numbers keep their digits, `true` and `false` their word; null and a name that is left out are a
missing value. A line is kept as it came if it is no object, has a name that is not declared or
has one twice, or a value that is an object or a list.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from finance_assets.codec import Json
from finance_assets.declarations import refuse
from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.sources.reader import Arrival, Staged
from finance_assets.lakehouse.sources.staging import (
    TextRows,
    require_rows,
    same_text,
    stage_texts,
)
from finance_assets.lakehouse.sources.text import Block, TextFile, blocks, unknown_encoding
from finance_assets.lakehouse.stored import Row

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from finance_assets.lakehouse.sources.source import Source

Fields = list[str | None]


@dataclass(frozen=True)
class JsonLines:
    """A JSON object a line, also called NDJSON; `encoding` is a name that Python knows."""

    encoding: str = "utf-8"

    kind = "json"
    is_typed = False
    reads_copies = False
    malformed = "it is no JSON object of single values under the declared names"

    def __post_init__(self) -> None:
        """Refuse what cannot be read.

        Raises:
            DeclarationError: an unknown encoding.
        """
        refuse("JsonLines", unknown_encoding(self.encoding))

    def stage(
        self,
        spark: "SparkSession",
        source: "Source",
        contract: Contract,
        arrivals: list[Arrival],
        folder: Path,
    ) -> Staged:
        """The rows of deliveries as text; see the protocol."""
        return stage_texts(self, spark, source, contract, arrivals, folder)

    def texts(self, source: "Source", copy: Path, wanted: set[int]) -> dict[int, str]:
        """Lines of a kept file by their number; see the protocol."""
        found: dict[int, str] = {}
        last = max(wanted, default=0)
        file = TextFile(copy, Path(source.file_pattern), self.encoding, source.system)
        for block in blocks(file):
            if block.line > last:
                break
            found |= {n: text for n, text in _lines(block) if n in wanted}
        return found

    def shows(self, source: "Source", text: str, row: Row) -> bool:
        """Whether a line of the file says what the stored row says."""
        rows = _parsed(source.header, [(1, text)])
        return same_text(rows, source, row)

    def rows(self, source: "Source", file: TextFile) -> Iterator[TextRows]:
        """The rows of one file, in its order."""
        count, last = 0, 0
        for block in blocks(file):
            lines = [(number, text) for number, text in _lines(block) if text.strip()]
            if count == 0 and lines:
                _require_names(source, file, *lines[0])
            rows = _parsed(source.header, lines)
            count += len(rows)
            last = block.line
            yield rows
        require_rows(file, count, last)


def _lines(block: Block) -> Iterator[tuple[int, str]]:
    """Number and text of each line. Other line ends than \\n may stand within a value."""
    for number, line in enumerate(block.data.split(b"\n"), start=block.line):
        yield number, line.decode("utf-8").rstrip("\r")


def _parsed(header: tuple[str, ...], lines: list[tuple[int, str]]) -> TextRows:
    parsed = [_fields(header, text) for _, text in lines]
    empty: Fields = [None] * len(header)
    columns = list(zip(*(row or empty for row in parsed), strict=True)) or [()] * len(header)
    kept = [text if row is None else None for (_, text), row in zip(lines, parsed, strict=True)]
    return TextRows(
        np.array([number for number, _ in lines], dtype=np.int64),
        [pa.array(column, pa.string()) for column in columns],
        pa.array(kept, pa.string()),
    )


class _NotSingleError(ValueError):
    """The line is no object of single values."""


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """An object, each name of which stands once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotSingleError("a name stands twice")
    return found


def _constant(name: str) -> str:
    raise _NotSingleError(f"{name} is no JSON")


# Numbers stay the text that they are: a float would lose digits.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_constant
)


# What needs no word of its own.
_PLAIN = {str, type(None)}


def _fields(header: tuple[str, ...], text: str) -> Fields | None:
    """The values in the declared order; None where the line has to be kept as it came."""
    try:
        found = _DECODER.decode(text)
        if not isinstance(found, dict) or not found.keys() <= set(header):
            return None
        fields = [found.get(name) for name in header]
        if not set(map(type, fields)) <= _PLAIN:
            fields = [_single(value) for value in fields]
        # Half of a surrogate pair can be escaped, but it is no text.
        return None if "\\u" in text and not _is_text(fields) else fields
    except (ValueError, RecursionError):
        return None


def _single(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _NotSingleError("a value is an object or a list")


def _is_text(fields: Fields) -> bool:
    try:
        "".join(field or "" for field in fields).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _require_names(source: "Source", file: TextFile, line: int, text: str) -> None:
    """Refuse a file whose first object has names that are not declared, or is none."""
    try:
        first = _DECODER.decode(text)
    except (ValueError, RecursionError):
        first = None
    if isinstance(first, dict):
        extra = [name for name in first if name not in source.header]
        what = f"the object adds {extra}" if extra else ""
    elif text.lstrip().startswith("["):
        what = "the file is a JSON list, not an object a line"
    else:
        what = "the line is no JSON object"
    if what:
        raise DeliveryError(
            what,
            where=f"{file.delivered}, line {line}",
            remedy=f"expected an object a line, with names out of {', '.join(source.header)}",
        )
