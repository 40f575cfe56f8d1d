"""Given: the rows of the files, read by the readers that will read the deliveries."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from finance_assets.errors import DeliveryError, FinanceAssetsError
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.json_lines import JsonLines
from finance_assets.lakehouse.sources.parquet import ParquetFile
from finance_assets.lakehouse.sources.source import Source, SourceColumn
from finance_assets.lakehouse.sources.text import TextFile
from finance_assets.scaffold.dialect import dialect_of, encoding_of
from finance_assets.scaffold.formats import Format, written_as
from finance_assets.scaffold.packing import plain_copy
from finance_assets.scaffold.request import CannotScaffoldError, Request
from finance_assets.scaffold.typed import typed_rows

PARQUET = b"PAR1"
# Behind the name of an unpacked file, which may still end as the packed one did.
PLAIN = ".plain"
# Above this the file is read wrongly, rather than a few of its lines being broken.
MAX_MALFORMED = 0.05


@dataclass(frozen=True)
class Given:
    """What the files hold.

    `rows` have the names of the file; text unless the format is typed. `format` is that of the
    deliveries, `read_as` that of each file. `malformed` lines are no records, `skipped` ones stand
    above a header.
    """

    read_as: tuple[Format, ...]
    rows: pa.Table
    malformed: int = 0
    skipped: int = 0
    left_out: tuple[str, ...] = ()

    @cached_property
    def format(self) -> Format:
        """How the rows are written into deliveries: all in one way."""
        return written_as(self.read_as)

    @property
    def header(self) -> tuple[str, ...]:
        """The names in the file."""
        return tuple(self.rows.column_names)

    def column(self, name: str) -> pa.ChunkedArray:
        """A column by its name, blanks around which do not count.

        Raises:
            CannotScaffoldError: there is none.
        """
        return self.rows.column(self.place(name))

    def place(self, name: str) -> int:
        """The position of a column in the files."""
        stripped = [known.strip() for known in self.header]
        if name not in stripped:
            raise CannotScaffoldError(
                f"there is no column {name!r}",
                where="the file",
                remedy=f"one of: {', '.join(self.header)}",
            )
        return stripped.index(name)


def read_files(request: Request) -> Given:
    """The rows of all files, in the order in which they are named.

    Raises:
        CannotScaffoldError: a file cannot be read, or has other columns than the first.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = [_read(path, request, Path(folder)) for path in request.files]
    first = given[0]
    for path, other in zip(request.files[1:], given[1:], strict=True):
        if type(other.format) is not type(first.format) or set(other.header) != set(first.header):
            differing = set(other.header) ^ set(first.header)
            raise CannotScaffoldError(
                f"its columns are others than those of {request.files[0].name}: "
                f"{', '.join(sorted(differing)) or 'another format'}",
                where=str(path),
                remedy="name only files with the same columns; others are sources of their own",
            )
    try:
        rows = pa.concat_tables([one.rows.select(first.header) for one in given])
    except pa.ArrowInvalid as error:
        raise CannotScaffoldError(
            f"the files have columns of different types ({error})",
            where=", ".join(path.name for path in request.files),
            remedy="files with the same types",
        ) from error
    return Given(
        tuple(read for one in given for read in one.read_as),
        rows,
        malformed=sum(one.malformed for one in given),
        skipped=sum(one.skipped for one in given),
        left_out=tuple(dict.fromkeys(name for one in given for name in one.left_out)),
    )


def _read(path: Path, request: Request, folder: Path) -> Given:
    plain = plain_copy(path, folder)
    with plain.open("rb") as stream:
        head = stream.read(1 << 16)
    wanted = (*request.key, request.label, *([request.time] if request.time else []))
    try:
        if head.startswith(PARQUET):
            _require_single(parquet.read_schema(plain).names, path)
            rows, left_out = typed_rows(plain)
            given = Given((ParquetFile(),), rows, left_out=left_out)
        elif head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
            given = _json(plain)
        else:
            given = _csv(plain, wanted, folder)
    except CannotScaffoldError:
        raise
    except (FinanceAssetsError, pa.ArrowException, UnicodeError, OSError) as error:
        what, where = str(error), str(path)
        if isinstance(error, FinanceAssetsError):
            what, where = error.what, error.where.replace(PLAIN, "")
        raise CannotScaffoldError(
            f"the file cannot be read: {what}", where=where, remedy="CSV, Parquet or JSON lines"
        ) from error
    return _checked(path, given, wanted)


def _require_single(header: Sequence[str], path: Path) -> None:
    """Refuse two columns of one name: nobody could say which is meant."""
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise CannotScaffoldError(
            f"two columns are called {repeated[0]!r}", where=str(path), remedy="rename one"
        )


def _checked(path: Path, given: Given, wanted: Sequence[str]) -> Given:
    """The same, if it holds rows and every wanted column."""
    if given.malformed > MAX_MALFORMED * (given.malformed + given.rows.num_rows):
        raise CannotScaffoldError(
            f"{given.malformed} of {given.malformed + given.rows.num_rows} lines are no records: "
            f"{given.format.malformed}",
            where=str(path),
            remedy="one record a line with as many fields as the header; in JSON, no value that is "
            "an object or a list",
        )
    if not given.rows.num_rows:
        raise CannotScaffoldError("the file has no rows", where=str(path), remedy="one with rows")
    for name in wanted:
        given.place(name)
    return given


def _csv(plain: Path, wanted: tuple[str, ...], folder: Path) -> Given:
    dialect = dialect_of(plain, wanted)
    body = plain
    if dialect.skipped:
        body = folder / f"{plain.name}.records"
        _copy_from(plain, body, dialect.encoding, dialect.skipped)
    declared = Csv(dialect.delimiter, encoding=dialect.encoding)
    given = _text(declared, dialect.header, body)
    if given.malformed:
        # Values with line ends in them, or quotes that are no quotes.
        others = (replace(declared, is_multiline=True), replace(declared, quote=None))
        found = [one for other in others if (one := _tried(other, dialect.header, body))]
        given = min((given, *found), key=lambda one: one.malformed)
    return replace(given, skipped=dialect.skipped)


def _tried(declared: Csv, header: tuple[str, ...], plain: Path) -> Given | None:
    """The rows of a file as another reader gives them; None if it cannot read it at all."""
    try:
        return _text(declared, header, plain)
    except DeliveryError:
        return None


def _copy_from(plain: Path, copy: Path, encoding: str, first: int) -> None:
    """Copy the lines of a file from one on, which is the header."""
    with (
        plain.open(encoding=encoding, newline="") as source,
        copy.open("w", encoding=encoding, newline="") as target,
    ):
        target.writelines(line for number, line in enumerate(source) if number >= first)


def _json(plain: Path) -> Given:
    declared = JsonLines(encoding_of(plain))
    names: dict[str, None] = {}
    with plain.open(encoding=declared.encoding, newline="\n") as stream:
        for line in stream:
            names |= dict.fromkeys(_names(line))
    return _text(declared, tuple(names), plain)


def _names(line: str) -> list[str]:
    try:
        found: Any = json.loads(line)
    except ValueError:
        return []
    return list(found) if isinstance(found, dict) else []


def _text(declared: Csv | JsonLines, header: tuple[str, ...], plain: Path) -> Given:
    """The rows of a file of text, as the declared reader gives them."""
    columns = tuple(SourceColumn(f"c{i}", at_source=name) for i, name in enumerate(header))
    _require_single(header, plain)
    source = Source("whoever sent it", "{partition}", columns, declared)
    named = plain.with_name(f"{plain.name}{PLAIN}")
    file = TextFile(plain, named, declared.encoding, source.system)
    parts, malformed = [], 0
    for rows in declared.rows(source, file):
        is_good = pc.is_null(rows.malformed)
        table = pa.table(rows.columns, names=list(header))
        malformed += len(rows) - (good := table.filter(is_good)).num_rows
        parts.append(good)
    empty = pa.table([pa.array([], pa.string()) for _ in header], names=list(header))
    return Given((declared,), pa.concat_tables(parts) if parts else empty, malformed)
