"""Dialect: the encoding, delimiter and header line of a text, from the text itself."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from finance_assets.lakehouse.sources.diagnosis import MARKS
from finance_assets.scaffold.request import CannotScaffoldError

DELIMITERS = (",", ";", "\t", "|", ":", "~", "^", "\x01", " ")
# Marks of several characters, which no reader of ours takes.
LONG_MARKS = ("||", "|~|", "~|~", "::", ";;", "^^", "##", "@@")
SAMPLE_LINES, PREAMBLE_LINES = 400, 20
# Letters beyond ASCII that are enough to tell encodings apart; more only costs time.
ODD_BYTES = 200_000
CHUNK = 1 << 20
# The encodings of files that people send each other; of all that there are, too many would fit.
ISOLATED = [
    *("cp1252", "latin_1", "iso8859_15", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253"),
    *("cp1254", "cp1255", "cp1256", "cp932", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
    *("mac_roman", "cp850"),
]


@dataclass(frozen=True)
class Dialect:
    """How a text is written; `skipped` lines stand above the header."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    skipped: int = 0


def encoding_of(path: Path) -> str:
    """The encoding of a file, by its mark, as UTF-8, or by the letters in it.

    Raises:
        CannotScaffoldError: it is no text, or in no encoding that can be told.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        for mark, name in MARKS.items():
            if head.startswith(mark):
                return name.lower()
        stream.seek(0)
        odd = _odd_lines(stream)
    if odd is None:
        return "utf-8"
    if b"\0" in odd:
        raise CannotScaffoldError(
            "the file is no text", where=str(path), remedy="CSV, Parquet or JSON lines"
        )
    from charset_normalizer import from_bytes

    best = from_bytes(odd, cp_isolation=ISOLATED).best()
    if best is None:
        raise CannotScaffoldError(
            "the encoding of the file cannot be told",
            where=str(path),
            remedy="save it as UTF-8",
        )
    # Where both say the same, it is what Windows writes in the west.
    is_western = str(best) == odd.decode("cp1252", errors="replace")
    return "cp1252" if is_western else str(best.encoding)


def _odd_lines(stream: Iterable[bytes]) -> bytes | None:
    """Lines with bytes beyond ASCII, if one of them is not UTF-8; None for UTF-8."""
    kept, size, is_utf8 = [], 0, True
    for line in stream:
        if line.isascii() and b"\0" not in line:
            continue
        try:
            line.decode("utf-8")
            is_utf8 = is_utf8 and b"\0" not in line
        except UnicodeDecodeError:
            is_utf8 = False
        if size < ODD_BYTES:
            kept.append(line)
            size += len(line)
    return None if is_utf8 else b"".join(kept)


def dialect_of(path: Path, wanted: tuple[str, ...]) -> Dialect:
    """How a file of records is written.

    Args:
        path: the plain file.
        wanted: names that have to be in the header, which stands among the first lines.

    Raises:
        CannotScaffoldError: no line has the wanted names, however it is cut, or only one that is
            cut at several characters.
    """
    encoding = encoding_of(path)
    lines = _first_lines(path, encoding)
    _require_short_mark(path, lines, wanted)
    found: list[tuple[float, int, Dialect]] = []
    for delimiter in DELIMITERS:
        for number, line in enumerate(lines[:PREAMBLE_LINES]):
            header = _fields([line], delimiter)[0]
            if set(wanted) <= {name.strip() for name in header}:
                shape = Counter(len(f) for f in _fields(lines[number + 1 :], delimiter) if f)
                share = shape[len(header)] / max(sum(shape.values()), 1)
                dialect = Dialect(encoding, delimiter, tuple(header), number)
                found.append((share, len(header), dialect))
                break
    if found:
        return max(found, key=lambda one: one[:2])[2]
    raise _no_column(path, lines, wanted)


def _require_short_mark(path: Path, lines: list[str], wanted: tuple[str, ...]) -> None:
    """Refuse columns that are separated by more than one character."""
    for mark in LONG_MARKS:
        names = [name.strip(' "') for name in lines[0].split(mark)] if lines else []
        # A single one among the names separates them: the column between two has no name.
        is_short = any(mark[0] in name for name in names)
        if len(names) > 1 and not is_short and set(wanted) <= set(names):
            raise CannotScaffoldError(
                f"the columns are separated by {mark!r}, which is several characters",
                where=f"{path.name}, line 1",
                remedy="write it anew with one of , ; | or a tab between the columns",
            )


def _no_column(path: Path, lines: list[str], wanted: tuple[str, ...]) -> CannotScaffoldError:
    """Which of the wanted names the likeliest header lacks."""
    cut = [_fields(lines[:1], delimiter)[0] for delimiter in DELIMITERS[:-1]]
    header = max(cut, key=len)
    missing = [name for name in wanted if name not in [h.strip() for h in header]]
    alike = [h for h in header for m in missing if h.strip().lower() == m.strip().lower()]
    hint = f"did you mean {alike[0]!r}? " if alike else ""
    return CannotScaffoldError(
        f"there is no column {', '.join(map(repr, missing))}",
        where=f"{path.name}, line 1",
        remedy=f"{hint}one of: {', '.join(header)}; a file without a header needs one in its "
        "first line",
    )


def _first_lines(path: Path, encoding: str) -> list[str]:
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        text = stream.read(CHUNK)
    return text.splitlines()[:SAMPLE_LINES]


def _fields(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter)) or [[]]
    except csv.Error:
        return [[]]
