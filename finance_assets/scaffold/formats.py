"""Formats: how the files were read, and the one way in which all deliveries are written."""

import csv
import io
import json
from collections.abc import Sequence

import pyarrow as pa

from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.json_lines import JsonLines
from finance_assets.lakehouse.sources.parquet import ParquetFile

Format = Csv | JsonLines | ParquetFile
# The encodings whose text is UTF-8 without a word.
PLAIN = ("utf-8", "ascii")


def written_as(read: Sequence[Format]) -> Format:
    """The format of deliveries, for rows of files that may each be written in their own way.

    Text is UTF-8, with the first file's delimiter, and any value can be quoted.
    """
    first = read[0]
    if isinstance(first, Csv):
        is_multiline = any(isinstance(one, Csv) and one.is_multiline for one in read)
        return Csv(first.delimiter, is_multiline=is_multiline)
    return JsonLines() if isinstance(first, JsonLines) else first


def code_of(format_: Format) -> str:
    """A format as a source declares it; empty for what it is without a word."""
    if isinstance(format_, Csv):
        parts = [repr(format_.delimiter)] if format_.delimiter != "," else []
        parts += [] if format_.quote == '"' else [f"quote={format_.quote!r}"]
        parts += [f"escape={format_.escape!r}"] if format_.escape else []
        parts += [] if format_.encoding in PLAIN else [f"encoding={format_.encoding!r}"]
        parts += ["is_multiline=True"] if format_.is_multiline else []
        return f"Csv({', '.join(parts)})" if parts else ""
    if isinstance(format_, JsonLines):
        is_plain = format_.encoding in PLAIN
        return "JsonLines()" if is_plain else f"JsonLines({format_.encoding!r})"
    return "ParquetFile()"


def spoken_of(format_: Format) -> str:
    """A format as a person reads it."""
    return code_of(format_) or "CSV in UTF-8"


def ending_of(format_: Format) -> str:
    """How the files of deliveries end."""
    if isinstance(format_, Csv):
        return "csv.gz"
    return "jsonl.gz" if isinstance(format_, JsonLines) else "parquet"


def text_of(rows: pa.Table, format_: Csv | JsonLines) -> str:
    """Rows of text as they stand in a delivery."""
    if isinstance(format_, JsonLines):
        # Values were read as the text that stands in the file, and are text in deliveries too.
        lines = (json.dumps(row, ensure_ascii=False) for row in rows.to_pylist())
        return "\n".join(lines) + "\n"
    out = io.StringIO()
    # Lines end with \r\n, so that the writer quotes a value with either character in it.
    writer = csv.writer(out, delimiter=format_.delimiter)
    writer.writerow(rows.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    return out.getvalue()
