"""Leftovers: what a table of text has beside its records, taken out and told."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finance_assets.scaffold.encoding import BROKEN
from finance_assets.scaffold.given import Given, Note
from finance_assets.scaffold.request import CannotScaffoldError

# What may stand around a name where a file was put behind another one: its mark among it.
AROUND = " \t\"'\ufeff"


def with_names(header: Sequence[str]) -> tuple[str, ...]:
    """A header in which no two columns lack a name; a single one may, as an index does."""
    blank = [name for name in header if not name.strip()]
    if len(blank) < 2:
        return tuple(header)
    return tuple(name if name.strip() else _placeholder(i) for i, name in enumerate(header, 1))


def _placeholder(position: int) -> str:
    return f"column {position} without a name"


def without_unnamed(given: Given, header: Sequence[str], path: Path) -> Given:
    """The same without empty columns that have no name, as spreadsheets leave them at the right.

    Args:
        given: rows under the names of `with_names`.
        header: that of the file.
        path: the file, for the refusal.

    Raises:
        CannotScaffoldError: several columns without a name have values.
    """
    renamed = sorted(set(given.header) - set(header), key=given.header.index)
    if not renamed:
        return given
    empty = [name for name in renamed if not pc.any(_has_value(given.rows.column(name))).as_py()]
    full = [name for name in renamed if name not in empty]
    if len(full) > 1:
        raise CannotScaffoldError(
            f"{len(full)} columns have values and no name: {full[0]}, {full[1]}",
            where=f"{path}, line 1",
            remedy="name them in the header, or take them out",
        )
    rows = given.rows.drop_columns(empty)
    rows = rows.rename_columns(["" if name in full else name for name in rows.column_names])
    note = Note(
        f"{len(empty)} empty columns without a name",
        "left out; what comes next has to come without them",
    )
    return replace(given, rows=rows, notes=(*given.notes, note))


def _has_value(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.not_equal(pc.utf8_trim_whitespace(pc.fill_null(column, "")), "")


def without_broken(given: Given) -> Given:
    """The same without rows that have bytes in them that are not in the file's encoding."""
    is_whole: pa.ChunkedArray = pa.chunked_array([np.ones(given.rows.num_rows, dtype=np.bool_)])
    for column in given.rows.columns:
        is_broken = pc.fill_null(pc.match_substring(column, BROKEN), False)
        is_whole = pc.and_(is_whole, pc.invert(is_broken))
    rows = given.rows.filter(is_whole)
    malformed = given.malformed + given.rows.num_rows - rows.num_rows
    return replace(given, rows=rows, malformed=malformed)


def without_headers(given: Given) -> Given:
    """The same without lines that repeat the header, as files have that were put together."""
    is_header = pa.chunked_array([np.ones(given.rows.num_rows, dtype=np.bool_)])
    for name, column in zip(given.header, given.rows.columns, strict=True):
        found = pc.utf8_trim(pc.fill_null(column, ""), characters=AROUND)
        is_header = pc.and_(is_header, pc.equal(found, name.strip(AROUND)))
        if not pc.any(is_header).as_py():
            return given
    count = pc.sum(is_header).as_py() or 0
    if not count:
        return given
    note = Note(f"{count} lines repeat the header", "left out; what comes next has to come without")
    rows = given.rows.filter(pc.invert(is_header))
    return replace(given, rows=rows, notes=(*given.notes, note))
