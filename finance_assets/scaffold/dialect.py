"""Dialect: the delimiter and header line of a text, from the text itself."""

from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from finance_assets.scaffold.misfits import (
    fields,
    no_column,
    require_plain_header,
    require_short_mark,
)

DELIMITERS = (",", ";", "\t", "|", ":", "~", "^", "\x01", " ")
QUOTES = ('"', "'")
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
    found: list[tuple[float, int, Dialect]] = []
    for delimiter, quote in product(DELIMITERS, QUOTES):
        for number, line in enumerate(lines[:PREAMBLE_LINES]):
            if quote != QUOTES[0] and quote not in line:
                continue
            header = fields(lines[number:], delimiter, quote, most=1)[0]
            if set(wanted) <= {name.strip() for name in header}:
                shape = Counter(
                    map(len, filter(None, fields(lines[number + 1 :], delimiter, quote)))
                )
                share = shape[len(header)] / max(sum(shape.values()), 1)
                found.append((share, len(header), Dialect(delimiter, quote, tuple(header), number)))
                break
    if not found:
        raise no_column(path, lines, wanted, DELIMITERS)
    best = max(found, key=lambda one: one[:2])[2]
    require_plain_header(path, best.header, best.delimiter)
    return best


def first_lines(path: Path, encoding: str) -> list[str]:
    """The first lines of a text, with their ends."""
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        text = stream.read(CHUNK)
    return [f"{line}\n" for line in text.replace("\r\n", "\n").split("\n")][:SAMPLE_LINES]
