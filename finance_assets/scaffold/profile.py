"""Profiles: what a column of texts holds, seen from its distinct values and how often each occurs.

Facts only. What is made of a column is decided in columns.py.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from finance_assets.lakehouse.sources.parquet_types import spark_type
from finance_assets.scaffold.sentinels import sentinels
from finance_assets.scaffold.vocabulary import words

if TYPE_CHECKING:
    import pandas as pd

# Texts that say that nothing is known, in lower case. A dash or a word may mean it; a blank does.
NOTHING = words("nothing")
# Of words that may be a value of its own kind, only these are missing values in a column of words.
NOTHING_IN_WORDS = NOTHING - {"none", ".", "*", "---", ".."}
TRUE, FALSE = frozenset({"true", "t", "yes", "y"}), frozenset({"false", "f", "no", "n"})
WHOLE = r"[+-]?[0-9]+"
NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?"
# Numbers that are written for people, by how they are read; the house reads plain ones only.
WRITTEN = {
    "decimal_comma": r"[+-]?([0-9]{1,3}([.][0-9]{3})+|[0-9]+)(,[0-9]+)?",
    "thousands": r"[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?|" + NUMBER,
    "with_unit": r"[+-]?[€$£¥]? ?[+-]?[0-9]{1,3}(,[0-9]{3})*([.][0-9]+)? ?"
    r"(%|[€$£¥]|[A-Za-z]{1,12})?|" + NUMBER,
}
# So many words beside the numbers of a column stand for something that is not a number.
MAX_WORDS, MAX_UNREADABLE = 3, 0.01
MAX_CATEGORIES = 20
INT = 2**31 - 1
BIGINT = 2**63 - 1


@dataclass(frozen=True)
class Profile:
    """What a column holds.

    `type` is the narrowest of a contract that reads its values, `written` how numbers are written
    where they are no plain ones (the type is then string). `tokens` are texts that stand for a
    missing value, `sentinels` those of them that are numbers. `missing` counts these and blanks,
    `unreadable` what is no value of the type. `low` and `high` are bounds of its numbers. `counts`
    are its values, stripped, without the missing ones.
    """

    name: str
    rows: int
    type: str
    counts: "pd.Series[int]" = field(repr=False)
    written: str = ""
    tokens: tuple[str, ...] = ()
    sentinels: tuple[str, ...] = ()
    missing: int = 0
    unreadable: int = 0
    low: float | None = None
    high: float | None = None
    is_typed: bool = False

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
    def values(self) -> tuple[str, ...]:
        """Its values, the most frequent first."""
        return tuple(self.counts.index)

    @property
    def is_category(self) -> bool:
        """Whether its values are words that occur again and again."""
        few = self.distinct <= MAX_CATEGORIES and self.distinct * 10 <= max(self.present, 1)
        return self.type in ("string", "boolean") and not self.written and few

    def numbers(self, texts: "pd.Series[str]") -> "pd.Series[float]":
        """Texts of the column as numbers; missing and unreadable ones as NaN."""
        import pandas as pd

        plain = texts.str.strip()
        plain = plain.mask(plain.isin([*self.tokens, *self.sentinels]))
        return pd.to_numeric(plain_number(plain, self.written), errors="coerce").astype("float64")


def texts_of(column: pa.ChunkedArray) -> "pd.Series[str]":
    """The values of a column as text; None where there is none."""
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "true", "false")
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"))
    texts: pd.Series[str] = column.cast(pa.string()).to_pandas().astype("object")
    return texts


def plain_number(texts: "pd.Series[str]", written: str) -> "pd.Series[str]":
    """Numbers as people write them, as the machine does."""
    if written == "decimal_comma":
        return texts.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    if written:
        return texts.str.replace(r"[^0-9.+-]", "", regex=True)
    return texts


def profile(name: str, column: pa.ChunkedArray) -> Profile:
    """What a column holds."""
    counts = texts_of(column).str.strip().value_counts()
    counts = counts[counts.index != ""].astype("int64")
    rows = len(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return _typed(name, rows, spark_type(column.type), counts)
    lowered = counts.index.str.lower()
    numeric = _as_numbers(name, rows, counts, lowered)
    if numeric is not None:
        return numeric
    is_nothing = lowered.isin(list(NOTHING_IN_WORDS))
    tokens, kept = tuple(sorted(counts.index[is_nothing])), counts[~is_nothing]
    said = set(kept.index.str.lower())
    type_ = "boolean" if said <= TRUE | FALSE and len(said) > 1 else _day_type(kept)
    return Profile(name, rows, type_, kept, tokens=tokens, missing=rows - int(kept.sum()))


def _typed(name: str, rows: int, kind: str, counts: "pd.Series[int]") -> Profile:
    found = Profile(name, rows, kind, counts, missing=rows - int(counts.sum()), is_typed=True)
    if not found.is_number or counts.empty:
        return found
    return _bounded(found)


def _as_numbers(
    name: str, rows: int, counts: "pd.Series[int]", lowered: "pd.Index[str]"
) -> Profile | None:
    """The column as one of numbers; None if it is none."""
    is_nothing = lowered.isin(list(NOTHING))
    rest = counts[~is_nothing]
    if rest.empty:
        return None
    for written, pattern in (("", NUMBER), *WRITTEN.items()):
        fits = rest.index.str.fullmatch(pattern)
        if written == "with_unit" and not _one_unit(rest[fits]):
            continue
        odd = rest[~fits]
        if not fits.any() or not (
            odd.empty
            or odd.sum() <= MAX_UNREADABLE * rest.sum()
            or (len(odd) <= MAX_WORDS and fits.sum() >= 20)
        ):
            continue
        are_tokens = len(odd) <= MAX_WORDS and not odd.empty and odd.min() > 1
        tokens = [*counts.index[is_nothing], *(odd.index if are_tokens else ())]
        numbers = rest[fits]
        kind = "string" if written else _number_type(numbers)
        if kind == "code":
            return None
        unreadable = 0 if are_tokens else int(odd.sum())
        missing = rows - int(numbers.sum()) - unreadable
        found = Profile(name, rows, kind, numbers, written, tuple(sorted(tokens)), (), missing)
        return _bounded(Profile(**{**vars(found), "unreadable": unreadable}))
    return None


def _one_unit(counts: "pd.Series[int]") -> bool:
    """Whether all values have the same unit, or none: `5 km` and `5 miles` are not one scale."""
    units = counts.index.str.replace(r"[0-9.,+ -]", "", regex=True)
    return len({unit for unit in units if unit}) == 1


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
    """The same with its sentinels taken out, and its bounds."""
    import pandas as pd

    numbers = pd.Series(
        found.numbers(pd.Series(found.counts.index, dtype="object")).to_numpy(),
        index=found.counts.index,
    )
    odd = sentinels(numbers, found.counts) if not found.written else ()
    counts = found.counts.drop(list(odd))
    missing = found.missing + int(found.counts[list(odd)].sum())
    rest = numbers.drop(list(odd)).dropna()
    facts = {
        **vars(found),
        "counts": counts,
        "sentinels": tuple(odd),
        "missing": missing,
        "low": float(rest.min()) if len(rest) else None,
        "high": float(rest.max()) if len(rest) else None,
    }
    return Profile(**facts)


_DAY = re.compile(r"\d\d\d\d-\d\d-\d\d")
_MOMENT = re.compile(
    r"\d\d\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.]\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII
)


def _day_type(counts: "pd.Series[int]") -> str:
    """Whether texts are days or moments as the house reads them; else they are words."""
    for kind, pattern in (("date", _DAY), ("timestamp", _MOMENT)):
        if len(counts) and all(pattern.fullmatch(text) for text in counts.index):
            return kind
    return "string"
