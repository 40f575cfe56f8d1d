"""Numerals: numbers as machines and as people write them, and which way a column is written in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from finance_assets.lakehouse.readable import PATTERNS
from finance_assets.scaffold.sentinels import HIGH, LOW

if TYPE_CHECKING:
    import pandas as pd

WHOLE, NUMBER = PATTERNS["int"], PATTERNS["double"]
# Numbers that are written for people, by how they are read; the house reads plain ones only.
WRITTEN = {
    "decimal_comma": r"[+-]?([1-9][0-9]{0,2}([.][0-9]{3})+|[0-9]+)(,[0-9]+)?",
    "thousands": r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+([.][0-9]+)?|" + NUMBER,
    "with_unit": r"[+-]?[€$£¥]? ?[+-]?([1-9][0-9]{0,2}(,[0-9]{3})+|[0-9]+)([.][0-9]+)? ?"
    r"(%|[€$£¥]|[A-Za-z]{1,12})?|" + NUMBER,
}
# So many words beside the numbers of a column stand for something that is not a number.
MAX_WORDS, MAX_UNREADABLE = 3, 0.01
# So many different numbers without a mark show how small ones are written.
FEW = 3


@dataclass(frozen=True)
class Reading:
    """One way to read the texts of a column as numbers.

    `fits` says of each text whether it is one. `doubt` is what a person should look at: a mark
    that may stand between thousands or before decimals. `is_open`: nothing tells which.
    """

    written: str
    fits: NDArray[np.bool_]
    doubt: str = ""
    is_open: bool = False


def reading_of(counts: "pd.Series[int]") -> Reading | None:
    """How the texts of a column, with how often each occurs, are read as numbers; None if not."""
    plain = _reading("", NUMBER, counts)
    if plain:
        dots = _Marks(counts.index[plain.fits], ".")
        # 3.380 beside 997: decimals would be 3.38, or 997.000.
        if not (dots.are_thousands and not dots.are_decimals):
            return plain
    ways = [_reading(written, pattern, counts) for written, pattern in WRITTEN.items()]
    found = [way for way in ways if way]
    if not found:
        return plain
    rows = counts.to_numpy()
    best = max(found, key=lambda way: rows[way.fits].sum())
    if plain:
        return _doubted(best, counts, ".") if best.written == "decimal_comma" else plain
    commas = _Marks(counts.index[best.fits], ",")
    other = next((way for way in found if way.written == "thousands"), None)
    if best.written == "decimal_comma":
        as_good = other and rows[other.fits].sum() == rows[best.fits].sum()
        return _doubted(other, counts, ",") if other and as_good and commas.are_thousands else best
    if best.written == "with_unit" and commas.are_grouped:
        return _doubted(best, counts, ",") if commas.are_thousands else None
    return best


def plain_number(texts: "pd.Series[str]", written: str) -> "pd.Series[str]":
    """Numbers as people write them, as the machine does."""
    if written == "decimal_comma":
        return texts.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    if written:
        return texts.str.replace(r"[^0-9.+-]", "", regex=True)
    return texts


def _reading(written: str, pattern: str, counts: "pd.Series[int]") -> Reading | None:
    """One way to read the texts; None if it leaves too many of them over."""
    fits = counts.index.str.fullmatch(pattern)
    if written == "with_unit" and not _one_unit(counts[fits]):
        return None
    odd = counts[~fits]
    is_enough = fits.any() and (
        odd.empty
        or odd.sum() <= MAX_UNREADABLE * counts.sum()
        or (len(odd) <= MAX_WORDS and fits.sum() >= 20)
    )
    return Reading(written, fits) if is_enough else None


def _one_unit(counts: "pd.Series[int]") -> bool:
    """Whether all values have the same unit, or none: `5 km` and `5 miles` are not one scale."""
    units = counts.index.str.replace(r"[0-9.,+ -]", "", regex=True)
    return len({unit for unit in units if unit}) == 1


def _doubted(reading: Reading, counts: "pd.Series[int]", mark: str) -> Reading:
    """The same, its marks taken for thousands, with what a person should look at."""
    marks = _Marks(counts.index[reading.fits], mark)
    shown = marks.marked[0]
    doubt = f"{shown} is read as {shown.replace(mark, '')}: is it not {shown.replace(mark, '.')}?"
    return Reading(reading.written, reading.fits, doubt, marks.are_decimals)


class _Marks:
    """What numbers with a mark in them say of it: before decimals, or between thousands?"""

    def __init__(self, texts: "pd.Index[str]", mark: str) -> None:
        digits = texts.str.replace(r"[^0-9.,]", "", regex=True)
        has_mark = digits.str.contains(mark, regex=False)
        self.marked: list[str] = sorted(set(digits[has_mark]), key=lambda text: (len(text), text))
        groups = digits[has_mark].str.fullmatch(rf"[1-9][0-9]{{0,2}}[{mark}][0-9]{{3}}")
        # 3.5 or 12.3456 are no thousands, and 1,234,567 are no decimals: there is nothing to ask.
        self.are_grouped = bool(len(groups) and groups.all())
        others = {float(text) for text in digits[~has_mark] if text.count(".") <= 1 and text != "."}
        # What may stand for a missing value says nothing of how numbers are written, nor does 0.
        self._others = others - HIGH - {-low for low in LOW} - {0.0}

    @property
    def are_thousands(self) -> bool:
        """Whether no other number would have had to have a mark."""
        return self.are_grouped and all(number < 1000 for number in self._others)

    @property
    def are_decimals(self) -> bool:
        """Whether decimals are written alike: 3,380 beside whole numbers would be 3,38."""
        has_zeros = any(text.endswith("0") for text in self.marked)
        return not (self.are_grouped and has_zeros and len(self._others) >= FEW)
