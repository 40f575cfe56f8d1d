"""Profiles: what a column of texts holds, seen from its distinct values and how often each occurs.

Facts only. What is made of a column is decided in columns.py.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finance_assets.calendar.written import are_times
from finance_assets.lakehouse.readable import BLANK, is_token
from finance_assets.lakehouse.sources.parquet_types import spark_type
from finance_assets.scaffold.beside import (
    NOTHING_IN_WORDS,
    beside,
    bounds_of,
    doubts_of,
    say_nothing,
    say_nothing_among_numbers,
)
from finance_assets.scaffold.called import LONG, called_time
from finance_assets.scaffold.marks import MAX_WORDS, look_like_numbers, reading_of
from finance_assets.scaffold.numerals import WHOLE, Numeral
from finance_assets.scaffold.sentinels import sentinels

if TYPE_CHECKING:
    import pandas as pd

TRUE, FALSE = frozenset({"true", "t", "yes", "y"}), frozenset({"false", "f", "no", "n"})
# Letters that mean the same, and beside each other are words like any other.
SAME = ({"f", "n"}, {"t", "y"})
MAX_CATEGORIES = 20
# So many of its values, evenly of all, show whether a column has times.
SAMPLE = 500
INT = 2**31 - 1
BIGINT = 2**63 - 1


@dataclass(frozen=True)
class Profile:
    """What a column holds.

    Its texts are those of `texts_of`. `type` is the narrowest of a contract that reads its values,
    `written` how numbers are written where they are no plain ones (the type is then string), and
    `doubt` what a person should look at in that; `is_open` if nothing tells whether it is right.
    `tokens` are texts that stand for a missing value, `sentinels` those of them that are numbers.
    `odd` are texts beside its numbers that are none and say nothing of a missing value: they are
    frequent `words`, tokens, or unreadable. `missing` counts tokens, sentinels and blanks,
    `unreadable` what is no value of the type. `low` and `high` are bounds of its numbers. `counts`
    are its values without missing ones and words beside numbers.
    """

    name: str
    rows: int
    type: str
    counts: "pd.Series[int]" = field(repr=False)
    written: Numeral | None = None
    tokens: tuple[str, ...] = ()
    sentinels: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    missing: int = 0
    unreadable: int = 0
    low: float | None = None
    high: float | None = None
    is_typed: bool = False
    doubt: str = ""
    is_open: bool = False

    @property
    def distinct(self) -> int:
        """How many values there are."""
        return len(self.counts)

    @property
    def present(self) -> int:
        """How many rows have a value."""
        return int(self.counts.sum())

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, however they are written."""
        return bool(self.written) or self.type in ("int", "bigint", "double") or "dec" in self.type

    @property
    def is_unread(self) -> bool:
        """Whether its texts look like numbers that nothing here reads."""
        return bool(self.doubt) and not self.is_number

    @property
    def values(self) -> tuple[str, ...]:
        """Its values, the most frequent first."""
        return tuple(self.counts.index)

    @property
    def is_category(self) -> bool:
        """Whether its values are words that occur again and again."""
        few = self.distinct <= MAX_CATEGORIES and self.distinct * 10 <= max(self.present, 1)
        return self.type in ("string", "boolean") and not self.written and few

    @property
    def is_time(self) -> bool:
        """Whether its values are times, however they are written: 20240131 is no amount."""
        if self.type in ("date", "timestamp"):
            return True
        return are_times(self._some, called_time(self.name) or LONG)

    @property
    def is_guessed_time(self) -> bool:
        """Whether nothing but the size of its numbers makes them times: an amount may have it."""
        is_named = called_time(self.name) is not None
        return not is_named and self.is_number and self.is_time and not are_times(self._some)

    @property
    def _some(self) -> dict[str, int]:
        """Values and their rows, evenly of all."""
        some = self.counts[:: max(len(self.counts) // SAMPLE, 1)]
        return {str(text): int(count) for text, count in some.items()}

    def numbers(self, texts: "pd.Series[str]") -> "pd.Series[float]":
        """Texts of the column as numbers; missing, infinite and unreadable ones as NaN."""
        import pandas as pd

        plain = texts.mask(texts.isin([*self.tokens, *self.sentinels]))
        if self.written:
            return self.written.numbers(plain).replace([np.inf, -np.inf], np.nan)
        numbers = pd.to_numeric(plain, errors="coerce")
        return numbers.astype("float64").replace([np.inf, -np.inf], np.nan)


def texts_of(column: pa.ChunkedArray) -> "pd.Series[str]":
    """The values of a column as the house reads them, as text; None where there is none."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "true", "false")
    if pa.types.is_timestamp(column.type):
        # What the clock of the column's zone shows, as a file of text would have it.
        column = (pc.local_timestamp(column) if column.type.tz else column).cast(pa.timestamp("us"))
    texts: pd.Series[str] = column.cast(pa.string()).to_pandas().astype("object").str.strip(BLANK)
    return texts.mask(texts == "", None)


def profile(name: str, column: pa.ChunkedArray) -> Profile:
    """What a column holds."""
    counts = texts_of(column).value_counts().astype("int64")
    rows = len(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return _typed(name, rows, spark_type(column.type), counts)
    numeric = _as_numbers(name, rows, counts)
    if numeric is not None:
        return numeric
    is_nothing = say_nothing(counts, NOTHING_IN_WORDS)
    tokens, kept = tuple(sorted(counts.index[is_nothing])), counts[~is_nothing]
    said = set(kept.index.str.lower())
    are_both = said <= TRUE | FALSE and bool(said & TRUE and said & FALSE)
    is_either = are_both and not any(letters <= said for letters in SAME)
    type_ = "boolean" if is_either else _day_type(kept)
    found = Profile(name, rows, type_, kept, tokens=tokens, missing=rows - int(kept.sum()))
    if type_ == "string" and len(kept) * 10 > found.present and look_like_numbers(kept):
        doubt = f"was not read as numbers, though it looks like them: {', '.join(kept.index[:3])}"
        return found if found.is_time else replace(found, doubt=doubt)
    return found


def _typed(name: str, rows: int, kind: str, counts: "pd.Series[int]") -> Profile:
    found = Profile(name, rows, kind, counts, missing=rows - int(counts.sum()), is_typed=True)
    if not found.is_number or counts.empty:
        return found
    return _bounded(found)


def _as_numbers(name: str, rows: int, counts: "pd.Series[int]") -> Profile | None:
    """The column as one of numbers; None if it is none."""
    is_nothing = say_nothing_among_numbers(counts)
    rest = counts[~is_nothing]
    reading = None if rest.empty else reading_of(rest)
    if reading is None:
        return None
    numbers, odd = rest[reading.fits], rest[~reading.fits]
    words, slips = beside(odd, rows)
    are_tokens = len(odd) <= MAX_WORDS and not slips.empty and slips.min() > 1
    written = reading.written or (Numeral() if len(words) else None)
    kind = "string" if written else _number_type(numbers)
    if kind == "code":
        return None
    unreadable = 0 if are_tokens else int(slips.sum())
    bounds = bounds_of(numbers, written)
    doubts = doubts_of(bounds, words / rows, slips.index if are_tokens else ())
    found = Profile(
        name,
        rows,
        kind,
        numbers,
        written,
        tokens=tuple(sorted([*counts.index[is_nothing], *(slips.index if are_tokens else ())])),
        odd=tuple(sorted([*odd.index, *bounds])),
        words=tuple(words.index),
        missing=rows - int(numbers.sum()) - int(words.sum()) - unreadable,
        unreadable=unreadable,
        doubt="; ".join(filter(None, (reading.doubt, *doubts))),
        is_open=reading.is_open,
    )
    return _bounded(found)


def _number_type(counts: "pd.Series[int]") -> str:
    """The type of plain numbers; `code` for digits that are no number."""
    texts = counts.index
    if not texts.str.fullmatch(WHOLE).all():
        return "double"
    digits = texts.str.replace(r"[+-]", "", regex=True)
    if (digits.str.startswith("0") & (digits.str.len() > 1)).any() or digits.str.len().max() > 18:
        return "code"
    return "int" if max(map(abs, map(int, texts))) < INT // 100 else "bigint"


def _bounded(found: Profile) -> Profile:
    """The same with its bounds; sentinels, and what is too large to be a number, taken out."""
    import pandas as pd

    numbers = pd.Series(
        found.numbers(pd.Series(found.counts.index, dtype="object")).to_numpy(),
        index=found.counts.index,
    )
    is_readable = numbers.notna()
    readable, rest = found.counts[is_readable], numbers[is_readable]
    is_plain = found.written in (None, Numeral())
    odd = sentinels(rest, readable) if is_plain else ()
    rest = rest.drop(list(odd))
    return replace(
        found,
        counts=readable.drop(list(odd)),
        sentinels=tuple(odd),
        missing=found.missing + int(readable[list(odd)].sum()),
        unreadable=found.unreadable + int(found.counts[~is_readable].sum()),
        low=float(rest.min()) if len(rest) else None,
        high=float(rest.max()) if len(rest) else None,
    )


def _day_type(counts: "pd.Series[int]") -> str:
    """Whether texts are days or moments as the house reads them; else they are words."""
    for kind in ("date", "timestamp"):
        if len(counts) and all(is_token(text, kind) for text in counts.index):
            return kind
    return "string"
