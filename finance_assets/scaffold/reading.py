"""Reading: the rows of all files, however each of them is packed and written."""

import re
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from finance_assets.errors import FinanceAssetsError
from finance_assets.lakehouse.sources.diagnosis import head_of, kind_of
from finance_assets.lakehouse.sources.parquet import ParquetFile
from finance_assets.scaffold.encoding import encoding_of, marked_copy
from finance_assets.scaffold.given import Given, Note
from finance_assets.scaffold.leftovers import without_broken
from finance_assets.scaffold.packing import named_in, plain_copy
from finance_assets.scaffold.profile import texts_of
from finance_assets.scaffold.request import CannotScaffoldError, Request
from finance_assets.scaffold.shape import is_json_lines
from finance_assets.scaffold.textual import PLAIN, csv_rows, json_rows, require_single
from finance_assets.scaffold.together import together
from finance_assets.scaffold.typed import typed_rows

PARQUET = "Parquet"
# Above this the file is read wrongly, rather than a few of its lines being broken.
MAX_MALFORMED = 0.05
# So many rows without time and label are left out; more of them are rows that lack something.
FEW_TOTALS, FEW_TOTALS_SHARE = 3, 0.001


def read_files(request: Request) -> Given:
    """The rows of all files, in the order in which they are named.

    Raises:
        CannotScaffoldError: a file cannot be read, or has other columns than the first.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = [_read(path, request, Path(folder)) for path in request.files]
    left_out = tuple(dict.fromkeys(name for one in given for name in one.left_out))
    # What no table holds of one file is left out of all.
    given = [replace(one, rows=_without(one.rows, left_out)) for one in given]
    return replace(
        given[0],
        read_as=tuple(read for one in given for read in one.read_as),
        rows=together(request.files, given),
        malformed=sum(one.malformed for one in given),
        skipped=sum(one.skipped for one in given),
        totals=sum(one.totals for one in given),
        left_out=left_out,
        notes=tuple(note for one in given for note in one.notes),
    )


def _without(rows: pa.Table, names: Collection[str]) -> pa.Table:
    return rows.drop_columns([name for name in rows.column_names if name in names])


def _read(path: Path, request: Request, folder: Path) -> Given:
    plain = plain_copy(path, folder)
    head = head_of(plain)
    wanted = (*request.key, request.label, *([request.time] if request.time else []))
    try:
        if kind_of(head) == PARQUET:
            require_single(parquet.read_schema(plain).names, path)
            rows, left_out = typed_rows(plain)
            given = Given((ParquetFile(),), rows, left_out=left_out)
        else:
            given = _text(plain, path, wanted, folder)
    except CannotScaffoldError as error:
        where = _as_named(error.where, path, folder)
        raise CannotScaffoldError(error.what, where=where, remedy=error.remedy) from error
    except (FinanceAssetsError, pa.ArrowException, UnicodeError, OSError) as error:
        what, where = str(error), str(path)
        if isinstance(error, FinanceAssetsError):
            what, where = error.what, _as_named(error.where, path, folder)
        raise CannotScaffoldError(
            f"the file cannot be read: {what}", where=where, remedy="CSV, Parquet or JSON lines"
        ) from error
    return _without_totals(_checked(path, given, wanted), request)


def _as_named(where: str, path: Path, folder: Path) -> str:
    """A place in a copy of a file as one in the file itself."""
    copy = rf"{re.escape(str(folder))}/\w+/{re.escape(path.name)}"
    return re.sub(copy, lambda _: str(path), where.replace(PLAIN, ""))


def _text(plain: Path, path: Path, wanted: tuple[str, ...], folder: Path) -> Given:
    """The rows of a text, and what deserves a look in its letters."""
    encoding = encoding_of(plain)
    notes: list[Note] = []
    if encoding.broken:
        plain = marked_copy(plain, named_in(folder, "marked", path), encoding.name)
        choice = f"{encoding.broken} lines of {path.name} are not UTF-8, as its others are"
        notes.append(Note(choice, "left out, as lines that are no records"))
    if encoding.word:
        choice = f"{path.name} is read as {encoding.name}, which is a guess: {encoding.word!r}"
        notes.append(Note(choice, "if the word is another one, save the file as UTF-8"))
    if is_json_lines(plain, encoding.name):
        given = json_rows(plain, encoding.name, folder)
    else:
        given = csv_rows(plain, encoding.name, wanted, folder)
    if encoding.broken:
        given = without_broken(given)
    return replace(given, notes=(*notes, *given.notes))


def _checked(path: Path, given: Given, wanted: Sequence[str]) -> Given:
    """The same, if it holds rows and every wanted column."""
    if given.malformed > MAX_MALFORMED * (given.malformed + given.rows.num_rows):
        count = f"{given.malformed} of {given.malformed + given.rows.num_rows}"
        raise CannotScaffoldError(
            f"{count} lines are no records: {given.format.malformed}{_noted(given)}",
            where=str(path),
            remedy="one record a line with as many fields as the header; in JSON, no value that is "
            "an object or a list",
        )
    if not given.rows.num_rows:
        raise CannotScaffoldError("the file has no rows", where=str(path), remedy="one with rows")
    for name in wanted:
        given.place(name, str(path))
    return given


def _noted(given: Given) -> str:
    return "".join(f"; {note.choice}" for note in given.notes)


def _without_totals(given: Given, request: Request) -> Given:
    """The same without a few rows of neither time nor label, such as totals below the records."""
    if request.time is None:
        return given
    blank = [texts_of(given.column(name)).isna() for name in (request.time, request.label)]
    are_totals = (blank[0] & blank[1]).to_numpy()
    count = int(are_totals.sum())
    if not 0 < count <= max(FEW_TOTALS, FEW_TOTALS_SHARE * len(are_totals)):
        return given
    return replace(given, rows=given.rows.filter(pa.array(~are_totals)), totals=count)
