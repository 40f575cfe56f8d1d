"""Misfits: texts of records that no reader of ours takes, each refused with its cause and remedy.

What a source cannot declare is not read here either: its deliveries would be refused one by one.
"""

import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from finance_assets.scaffold.request import CannotScaffoldError, listed

# Marks of several characters, which no reader of ours takes.
LONG_MARKS = ("||", "|~|", "~|~", "::", ";;", "^^", "##", "@@")
# So many of the lines show what is wrong with all of them.
MOST = 0.9


def fields(
    lines: Sequence[str], delimiter: str, quote: str = '"', most: int | None = None
) -> list[list[str]]:
    """The fields of the records that some lines hold, or of the first of these."""
    try:
        return list(islice(csv.reader(lines, delimiter=delimiter, quotechar=quote), most)) or [[]]
    except csv.Error:
        return [[]]


def require_short_mark(path: Path, lines: list[str], wanted: tuple[str, ...]) -> None:
    """Refuse columns that are separated by more than one character."""
    for mark in LONG_MARKS:
        names = [name.strip(' "\r\n') for name in lines[0].split(mark)] if lines else []
        # A single one among the names separates them: the column between two has no name.
        is_short = any(mark[0] in name for name in names)
        if len(names) > 1 and not is_short and set(wanted) <= set(names):
            raise CannotScaffoldError(
                f"the columns are separated by {mark!r}, which is several characters",
                where=f"{path}, line 1",
                remedy="write it anew with one of , ; | or a tab between the columns",
            )


def require_plain_header(path: Path, header: tuple[str, ...], delimiter: str) -> None:
    """Refuse a header of several lines, and one whose columns are aligned by blanks."""
    several = [name for name in header if "\n" in name]
    if several:
        raise CannotScaffoldError(
            f"the header takes several lines: the name {several[0]!r} has a line end in it",
            where=f"{path}, line 1",
            remedy="take line ends out of the names: a header is one line",
        )
    # The first may have none, as row names do, and the last one if lines end in a blank.
    if delimiter == " " and "" in header[1:-1]:
        raise CannotScaffoldError(
            "the columns are aligned by several blanks, and separated by no single character",
            where=f"{path}, line 1",
            remedy=f"where no value has a blank in it: sed -E 's/^ +| +$//g; s/ +/,/g' {path.name} "
            "> separated.csv",
        )


def no_column(
    path: Path, lines: list[str], wanted: tuple[str, ...], delimiters: Sequence[str]
) -> CannotScaffoldError:
    """Which of the wanted names the likeliest header lacks."""
    cut = [fields(lines[:1], delimiter)[0] for delimiter in delimiters if delimiter != " "]
    header = max(cut, key=len)
    known = [name.strip() for name in header]
    missing = [name for name in wanted if name not in known]
    if set(missing) <= {name.strip("\"'") for name in known}:
        return CannotScaffoldError(
            "blanks stand between the delimiter and the quotes, which makes both part of a value",
            where=f"{path}, line 1",
            remedy=f"""sed -E "s/([,;|]) +([\"'])/\\1\\2/g" {path.name} > without_blanks.csv""",
        )
    alike = [name for name in known for m in missing if name.lower() == m.strip().lower()]
    hint = f"did you mean {alike[0]!r}? " if alike else ""
    return CannotScaffoldError(
        f"there is no column {', '.join(map(repr, missing))}",
        where=f"{path}, line 1",
        remedy=f"{hint}one of: {listed(header)}; a file without a header needs one in its "
        "first line",
    )


def require_width(
    path: Path, lines: Sequence[str], header: Sequence[str], delimiter: str, line: int
) -> None:
    """Refuse records that have one field more than the header, which stands in a line."""
    records = [record for record in fields(lines, delimiter) if record]
    wide = [record for record in records if len(record) == len(header) + 1]
    if len(wide) < MOST * len(records) or not wide:
        return
    mark = "\\t" if delimiter == "\t" else delimiter
    if not any(record[-1].strip() for record in wide):
        why, edit = f"they end in {delimiter!r}, and the header does not", f"{line}s/$/{mark}/"
    else:
        why = "the first one has no name, as row names of R, or values hold the delimiter"
        edit = f"{line}s/^/row{mark}/"
    raise CannotScaffoldError(
        f"its lines have {len(header) + 1} fields, and its header {len(header)}: {why}",
        where=str(path),
        remedy=f"if so: sed '{edit}' {path.name} > with_header.csv; else quote the values",
    )
