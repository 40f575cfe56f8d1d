"""Lines of CSV, told apart by vectorised work on their bytes: which are records as they stand.

A line is clean if every quote in it opens a whole field or closes one, and nothing else in it is
special. Of clean lines only the fields are counted here; pyarrow splits them. All other lines are
left to the dialect's grammar (csv_dialect.py).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finance_assets.lakehouse.sources.csv_dialect import Dialect

NEWLINE, RETURN = 10, 13
_LINE_END = np.array([NEWLINE], dtype=np.uint8)
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Lines:
    """Lines of a block: where each begins, where its content ends and the next one begins.

    Each is one of four: `is_blank`, `is_good` (clean, with the right number of fields),
    `is_malformed` (clean, with another number), or none of these: unclear.
    """

    starts: Positions
    ends: Positions
    nexts: Positions
    is_blank: Flags
    is_good: Flags
    is_malformed: Flags

    @property
    def is_unclear(self) -> Flags:
        """The lines that the dialect's grammar has to decide about."""
        return ~(self.is_blank | self.is_good | self.is_malformed)


def classify(data: bytes, dialect: Dialect, width: int) -> Lines:
    """Tell the lines of some whole lines apart; `width` is the right number of fields."""
    array: Bytes = np.frombuffer(data, dtype=np.uint8)
    stops = np.flatnonzero(array == NEWLINE)
    if data and not data.endswith(b"\n"):
        stops = np.append(stops, len(data))
    starts = np.append(0, stops + 1)[: len(stops)]
    nexts = np.minimum(stops + 1, len(data))
    ends, is_clean = _without_returns(array, stops)
    separators = np.flatnonzero(array == ord(dialect.delimiter))
    if dialect.escape is not None:
        escapes = np.flatnonzero(array == ord(dialect.escape))
        is_clean[np.searchsorted(stops, escapes)] = False
    if dialect.quote is not None:
        separators = _outside_quotes(array, dialect, stops, separators, is_clean)
    counts = np.diff(np.searchsorted(separators, np.append(starts, len(data)))) + 1
    is_blank = is_clean & (starts == ends)
    is_right = counts == width
    return Lines(
        starts,
        ends,
        nexts,
        is_blank,
        is_clean & ~is_blank & is_right,
        is_clean & ~is_blank & ~is_right,
    )


def _without_returns(array: Bytes, stops: Positions) -> tuple[Positions, Flags]:
    """Where the content of each line ends, and whether it has no carriage return within."""
    is_clean = np.ones(len(stops), dtype=np.bool_)
    returns = np.flatnonzero(array == RETURN)
    if not len(returns):
        return stops, is_clean
    line = np.searchsorted(stops, returns)
    is_last = returns + 1 == stops[line]
    is_clean[line[~is_last]] = False
    ends = stops.copy()
    ends[line[is_last]] -= 1
    return ends, is_clean


def _outside_quotes(
    array: Bytes, dialect: Dialect, stops: Positions, separators: Positions, is_clean: Flags
) -> Positions:
    """The separators outside of quoted fields; marks the lines whose quotes are not in order."""
    is_quote = array == ord(dialect.quote or "")
    if not is_quote.any():
        return separators
    inside = np.bitwise_xor.accumulate(is_quote.view(np.uint8))
    is_odd = np.diff(inside[np.minimum(stops, len(array) - 1)], prepend=0) != 0
    if is_odd.any():
        # A line with an odd number of them would turn the lines after it inside out.
        is_clean[is_odd] = False
        quotes = np.flatnonzero(is_quote)
        is_quote[quotes[is_odd[np.searchsorted(stops, quotes)]]] = False
        inside = np.bitwise_xor.accumulate(is_quote.view(np.uint8))
    quotes = np.flatnonzero(is_quote)
    padded = np.concatenate((_LINE_END, array, _LINE_END))
    before, after = padded[quotes], padded[quotes + 2]
    delimiter, quote = ord(dialect.delimiter), ord(dialect.quote or "")
    # Two quotes in a row within a field are one that belongs to the value.
    opens = (before == delimiter) | (before == NEWLINE) | (before == quote)
    closes = (after == delimiter) | (after == NEWLINE) | (after == RETURN) | (after == quote)
    is_fine = np.where(inside[quotes] == 1, opens, closes)
    is_clean[np.searchsorted(stops, quotes[~is_fine])] = False
    outside: Positions = separators[inside[separators] == 0]
    return outside
