"""Textual: the rows of CSV and JSON lines, by the readers that will read the deliveries."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from finance_assets.codec import Json
from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.json_lines import JsonLines
from finance_assets.lakehouse.sources.source import Source, SourceColumn
from finance_assets.lakehouse.sources.text import TextFile
from finance_assets.scaffold.dialect import Dialect, dialect_of, first_lines
from finance_assets.scaffold.given import Given
from finance_assets.scaffold.leftovers import with_names, without_headers, without_unnamed
from finance_assets.scaffold.misfits import require_width
from finance_assets.scaffold.packing import named_in
from finance_assets.scaffold.request import CannotScaffoldError

# Behind the name of an unpacked file, which may still end as the packed one did.
PLAIN = ".plain"


def csv_rows(plain: Path, encoding: str, wanted: tuple[str, ...], folder: Path) -> Given:
    """The rows of a file of CSV, in whichever dialect leaves the fewest lines over.

    Raises:
        CannotScaffoldError: no line has the wanted names.
        DeliveryError: the file cannot be read.
    """
    dialect = dialect_of(plain, encoding, wanted)
    header, body = with_names(dialect.header), plain
    if dialect.skipped or header != dialect.header:
        body = named_in(folder, "records", plain)
        _copy_from(plain, body, encoding, dialect, header)
    declared = Csv(dialect.delimiter, dialect.quote, encoding=encoding)
    given = _text(declared, header, body)
    if given.malformed:
        # Quotes behind a backslash, values with line ends in them, or quotes that are no quotes.
        escaped = replace(declared, escape="\\")
        several = (replace(one, is_multiline=True) for one in (declared, escaped))
        others = (escaped, *several, replace(declared, quote=None))
        for other in others:
            found = _tried(other, header, body) if given.malformed else None
            # One at a time: a large file is not held as often as there are dialects.
            if found is not None and found.malformed < given.malformed:
                given = found
    if given.malformed > given.rows.num_rows:
        require_width(
            plain, first_lines(body, encoding)[1:], header, dialect.delimiter, dialect.skipped + 1
        )
    given = without_headers(without_unnamed(given, dialect.header, plain))
    return replace(given, skipped=dialect.skipped)


def _tried(declared: Csv, header: tuple[str, ...], plain: Path) -> Given | None:
    """The rows of a file as another reader gives them; None if it cannot read it at all."""
    try:
        return _text(declared, header, plain)
    except DeliveryError:
        return None


def _copy_from(
    plain: Path, copy: Path, encoding: str, dialect: Dialect, header: Sequence[str]
) -> None:
    """Copy the lines of a file from its header on, in which every column has a name."""
    with (
        plain.open(encoding=encoding, newline="\n") as source,
        copy.open("w", encoding=encoding, newline="") as target,
    ):
        lines = islice(source, dialect.skipped, None)
        if header != dialect.header:
            next(lines)
            named = csv.writer(target, delimiter=dialect.delimiter, quotechar=dialect.quote)
            named.writerow(header)
        target.writelines(lines)


def json_rows(plain: Path, encoding: str, folder: Path) -> Given:
    """The rows of a file of JSON lines, without columns whose values are objects or lists.

    Raises:
        DeliveryError: the file cannot be read.
    """
    declared = JsonLines(encoding)
    known, nested = Counter[str](), Counter[str]()
    with plain.open(encoding=declared.encoding, newline="\n") as stream:
        for found in map(_object, stream):
            known.update(dict.fromkeys(found, 0))
            known.update(name for name, value in found.items() if value is not None)
            nested.update(name for name, value in found.items() if isinstance(value, dict | list))
    # A few nested values beside plain ones are lines that are broken.
    left_out = tuple(name for name in known if nested[name] * 2 > known[name])
    header = tuple(name for name in known if name not in left_out)
    if left_out and not header:
        raise CannotScaffoldError(
            "each value is an object or a list: it is JSON by columns, and not by records",
            where=str(plain),
            remedy="one object a line, as of pandas' to_json(orient='records', lines=True)",
        )
    if left_out:
        plain = _without(left_out, plain, folder, declared.encoding)
    return replace(_text(declared, header, plain), left_out=left_out)


def _without(left_out: tuple[str, ...], plain: Path, folder: Path, encoding: str) -> Path:
    """A copy of JSON lines without some of the names."""
    copy = named_in(folder, "records", plain)
    with (
        plain.open(encoding=encoding, newline="\n") as source,
        copy.open("w", encoding=encoding, newline="") as target,
    ):
        for line in source:
            found = _object(line)
            kept = {name: value for name, value in found.items() if name not in left_out}
            is_whole = len(kept) == len(found)
            target.write(line if is_whole else f"{json.dumps(kept, ensure_ascii=False)}\n")
    return copy


def _object(line: str) -> dict[str, Json]:
    """The object of a line, its numbers as the text that they are; empty if it is none."""
    try:
        found = json.loads(line, parse_int=str, parse_float=str)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(declared: Csv | JsonLines, header: tuple[str, ...], plain: Path) -> Given:
    """The rows of a file of text, as the declared reader gives them."""
    columns = tuple(SourceColumn(f"c{i}", at_source=name) for i, name in enumerate(header))
    require_single(header, plain)
    source = Source("whoever sent it", "{partition}", columns, declared)
    named = plain.with_name(f"{plain.name}{PLAIN}")
    file = TextFile(plain, named, declared.encoding, source.system)
    parts, malformed = [], 0
    for rows in declared.rows(source, file):
        table = pa.table(rows.columns, names=list(header))
        is_good = pc.is_null(rows.malformed)
        malformed += len(rows) - (good := table.filter(is_good)).num_rows
        parts.append(good)
    empty = pa.table([pa.array([], pa.string()) for _ in header], names=list(header))
    return Given((declared,), pa.concat_tables(parts) if parts else empty, malformed)


def require_single(header: Sequence[str], path: Path) -> None:
    """Refuse two columns of one name: nobody could say which is meant."""
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise CannotScaffoldError(
            f"two columns are called {repeated[0]!r}", where=str(path), remedy="rename one"
        )
