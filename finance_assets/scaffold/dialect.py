"""Dialect: the delimiter and header line of a text, from the text itself."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from finance_assets.scaffold.misfits import (
    fields,
    no_column,
    require_plain_header,
    require_short_mark,
)

DELIMITERS = (",", ";", "\t", "|", ":", "~", "^", "\x01", " ")
SAMPLE_LINES, PREAMBLE_LINES = 400, 20
CHUNK = 1 << 20


@dataclass(frozen=True)
class Dialect:
    """How a text is written; `skipped` lines stand above the header."""

    delimiter: str
    quote: str
    header: tuple[str, ...]
    skipped: int = 0


def dialect_of(path: Path, encoding: str, wanted: tuple[str, ...]) -> Dialect:
    """How a file of records is written.

    Args:
        path: the plain file.
        encoding: the one that it is in.
        wanted: names that have to be in the header, which stands among the first lines.

    Raises:
        CannotScaffoldError: no line has the wanted names, however it is cut, or only one that no
            reader of ours takes.
    """
    lines = first_lines(path, encoding)
    require_short_mark(path, lines, wanted)
    # An apostrophe in a header is no quote, unless the names are not found otherwise.
    found = _with_quote(lines, wanted, '"') or _with_quote(lines, wanted, "'")
    if not found:
        raise no_column(path, lines, wanted, DELIMITERS)
    best = max(found, key=lambda one: one[:2])[2]
    require_plain_header(path, best.header, best.delimiter)
    return best


def _with_quote(
    lines: list[str], wanted: tuple[str, ...], quote: str
) -> list[tuple[float, int, Dialect]]:
    """The dialects whose header has the wanted names, with the share of lines that are as wide and
    the number of columns.
    """
    found = []
    for delimiter in DELIMITERS:
        for number in range(min(PREAMBLE_LINES, len(lines))):
            header = fields(lines[number:], delimiter, quote, most=1)[0]
            if set(wanted) <= {name.strip() for name in header}:
                shape = Counter(
                    map(len, filter(None, fields(lines[number + 1 :], delimiter, quote)))
                )
                share = shape[len(header)] / max(sum(shape.values()), 1)
                found.append((share, len(header), Dialect(delimiter, quote, tuple(header), number)))
                break
    return found


def first_lines(path: Path, encoding: str) -> list[str]:
    """The first lines of a text, with their ends."""
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        text = stream.read(CHUNK)
    return [f"{line}\n" for line in text.replace("\r\n", "\n").split("\n")][:SAMPLE_LINES]
