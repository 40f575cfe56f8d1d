"""Marks: what stands between thousands and what before decimals, by all numbers of a column."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from finance_assets.scaffold.numerals import BLANKS, BOUNDS, MARKS, MINUS, NUMBER, SCALES, Numeral
from finance_assets.scaffold.sentinels import HIGH, LOW
from finance_assets.scaffold.vocabulary import words

if TYPE_CHECKING:
    import pandas as pd

# So many words beside the numbers of a column stand for something that is not a number.
MAX_WORDS, MAX_UNREADABLE = 3, 0.01
# So many different numbers without a mark show how small ones are written.
FEW = 3
# So many different ones are numbers: of fewer, words beside them or `3+` and `2-` may be classes.
MANY = 20
CURRENCIES = words("currencies")
# What stands before a number, the number, and what stands behind it.
PARTS = rf"([^0-9]*?)([0-9](?:[0-9{MARKS}]*[0-9])?)[.]?(?:[eE][+-]?[0-9]+)?([^0-9]*)"
AROUND = f"+-(){MINUS}{BOUNDS}={BLANKS}"
UNIT = r"[^\W\d_]{1,12}[.]?|[^\w\s.,^\[\]\\]{1,2}[^\W\d_]?|[^\W\d_]{1,3}[\u00b2\u00b3]"
# So many rows of digits and marks look like numbers; digits alone may be a code.
LIKE = 0.95
LOOKS = rf"[^0-9]{{0,6}}[0-9][0-9{MARKS}]*[^0-9\s]{{0,12}}"
MARKED = rf"[0-9][.,'\u2019][0-9]|[0-9][{BLANKS}][^0-9]"
SYMBOL = "[€$£¥₹₽₩₺₫₴]"
NO_CENTS = "[0-9][.,][\u2013\u2014-]"
LAKH = r"[1-9][0-9]?(,[0-9]{2})+,[0-9]{3}([.][0-9]+)?"


@dataclass(frozen=True)
class Reading:
    """One way to read the texts of a column as numbers.

    `written` is None for plain numbers. `fits` says of each text whether it is one. `doubt` is what
    a person should look at: a mark that may stand between thousands or before decimals. `is_open`:
    nothing tells which.
    """

    written: Numeral | None
    fits: NDArray[np.bool_]
    doubt: str = ""
    is_open: bool = False


def reading_of(counts: "pd.Series[int]") -> Reading | None:
    """How the texts of a column, with how often each occurs, are read as numbers; None if not."""
    texts, rows = counts.index, counts.to_numpy()
    plain = Reading(None, texts.str.fullmatch(NUMBER))
    dots = _Marks(texts[plain.fits], ".")
    if plain.fits.all() and not dots.say_thousands:
        return plain
    numeral = _numeral(counts)
    if numeral is None:
        return plain if _is_enough(plain, counts) else None
    dot, comma = (_reading(one, counts) for one in (numeral, _with_comma(numeral, texts)))
    best = _best(dot, comma, texts, rows)
    # A slip of the pen in one row makes no other way of writing.
    more = best.fits & ~plain.fits
    is_slip = rows[more].sum() <= MAX_UNREADABLE * rows.sum() and not numeral.is_bounded
    if is_slip and not best.doubt and _is_enough(plain, counts):
        return plain
    found = next((one for one in (best, plain) if _is_enough(one, counts)), None)
    return found if found is None else _told(found, texts)


def _told(reading: Reading, texts: "pd.Index[str]") -> Reading:
    """The same, with what people write in more than one way to look at, too."""
    how = reading.written
    if how is None:
        return reading
    doubts = [reading.doubt, *how.doubts(texts[reading.fits].to_series())]
    return replace(reading, doubt="; ".join(filter(None, doubts)))


def look_like_numbers(counts: "pd.Series[int]") -> bool:
    """Whether texts that were not read as numbers are mostly digits and marks all the same."""
    texts, rows = counts.index, counts.to_numpy()
    digits, marked = rows[texts.str.fullmatch(LOOKS)], rows[texts.str.contains(MARKED)]
    return bool(digits.sum() >= LIKE * rows.sum() and 2 * marked.sum() >= rows.sum())


def _best(
    dot: Reading, comma: Reading, texts: "pd.Index[str]", rows: NDArray[np.integer[Any]]
) -> Reading:
    """Whichever reads more rows; of two that read as many, what the marks say."""
    by_dot, by_comma = rows[dot.fits].sum(), rows[comma.fits].sum()
    if by_dot != by_comma:
        return dot if by_dot > by_comma else comma
    commas = _Marks(texts[dot.fits], ",")
    if commas.marked:
        if commas.are_thousands:
            return _doubted(dot, commas)
        return _doubted(comma, commas, ".") if not commas.are_decimals else comma
    dots = _Marks(texts[dot.fits], ".")
    # 3.380 beside 997: decimals would be 3.38, or 997.000.
    return _doubted(comma, dots) if dots.say_thousands else dot


def _numeral(counts: "pd.Series[int]") -> Numeral | None:
    """How the numbers are written, were there a dot before decimals; None if they are none."""
    parts = counts.index.to_series().str.extract(f"^{PARTS}$")
    has = parts[1].notna()
    # 37.- has no cents, and is no -37.
    if not has.any() or counts.index.str.contains(NO_CENTS).any():
        return None
    parts, rows = parts[has], counts[has.to_numpy()]
    before = parts[0].str.strip(AROUND).replace({".": "", ",": ""})
    after = parts[2].str.strip(AROUND)
    is_money = before.str.lower().isin(CURRENCIES) | before.str.fullmatch(SYMBOL)
    is_unit = after.str.fullmatch(UNIT) & ~after.isin(["e", "E"])
    is_number = (is_money | before.eq("")) & (is_unit | after.eq(""))
    if not is_number.any():
        return None
    kept = is_number.to_numpy()
    parts, rows, before, after = parts[kept], rows[kept], before[kept], after[kept]
    scales = _scales(after, has_money=bool(is_money.any()))
    is_scale = after.isin(scales)
    unit = before.where(before.ne("") | is_scale, after)
    often = rows.groupby(unit.to_numpy()).sum().drop("", errors="ignore").sort_values()
    units = (str(often.index[-1]),) if len(often) else ()
    bodies = parts[1]
    seen = "".join(mark for mark in MARKS[1:] if bodies.str.contains(mark, regex=False).any())
    if _are_codes(bodies, seen):
        return None
    return Numeral(
        groups=seen,
        units=units,
        scales=scales,
        is_lakh=bool(bodies.str.fullmatch(LAKH).any()),
        is_signed=_any(parts[0], f"[{MINUS}(]") or _any(parts[2], f"[{MINUS}-]"),
        is_bounded=_any(parts[0], f"[{BOUNDS}]") or _any(parts[2], "[+]"),
    )


def _any(texts: "pd.Series[str]", pattern: str) -> bool:
    return bool(texts.str.contains(pattern).any())


def _scales(after: "pd.Series[str]", *, has_money: bool) -> tuple[str, ...]:
    """The scales behind numbers: K beside M, or one beside none.

    A single m is one of metres, and the B of 12B, beside 12, one of a house: a single one is a
    scale of money, or thousands.
    """
    said = set(after)
    used = said - {""}
    is_plain = has_money or all(SCALES.get(one) == 1e3 for one in used)
    is_mixed = len(used) > 1 or (len(said) > 1 and is_plain and used != {"m"})
    return tuple(sorted(used)) if is_mixed and used <= set(SCALES) else ()


def _are_codes(bodies: "pd.Series[str]", marks: str) -> bool:
    """Whether digits in groups are numbers of something, such as of a phone: all as long."""
    return bool(set(marks) & set(BLANKS)) and len(bodies) > FEW and bodies.str.len().nunique() == 1


def _with_comma(numeral: Numeral, texts: "pd.Index[str]") -> Numeral:
    """The same with a comma before decimals; a dot can only stand between thousands then."""
    groups = "." + numeral.groups.replace(",", "")
    return replace(numeral, decimal=",", groups=groups, is_lakh=False)


def _reading(numeral: Numeral, counts: "pd.Series[int]") -> Reading:
    return Reading(numeral, counts.index.str.fullmatch(numeral.pattern))


def _is_enough(reading: Reading, counts: "pd.Series[int]") -> bool:
    """Whether a way to read the texts leaves few of them over."""
    odd, how = counts[~reading.fits], reading.written
    if reading.fits.sum() < MANY and how and (how.is_signed or how.is_bounded):
        return False
    are_few = odd.sum() <= MAX_UNREADABLE * counts.sum()
    are_words = len(odd) <= MAX_WORDS and reading.fits.sum() >= MANY
    return bool(reading.fits.any() and (are_few or are_words))


def _doubted(reading: Reading, marks: "_Marks", by: str = "") -> Reading:
    """The same, its marks taken for thousands, or by a dot for decimals: a person should look."""
    shown, other = marks.marked[0], "" if by else "."
    read, not_read = shown.replace(marks.mark, by), shown.replace(marks.mark, other)
    doubt = f"{shown} is read as {read}: is it not {not_read}?"
    return replace(reading, doubt=doubt, is_open=marks.are_decimals != bool(by))


class _Marks:
    """What numbers with a mark in them say of it: before decimals, or between thousands?"""

    def __init__(self, texts: "pd.Index[str]", mark: str) -> None:
        # 1e5 is no 15.
        texts = texts[~texts.str.contains("[0-9][.]?[eE][+-]?[0-9]")]
        digits = texts.str.replace(r"[^0-9.,]", "", regex=True)
        has_mark = digits.str.contains(mark, regex=False)
        self.mark, self._with, self._without = mark, digits[has_mark], digits[~has_mark]

    @cached_property
    def marked(self) -> list[str]:
        """The digits of those that have the mark, each once, the shortest first."""
        return sorted(set(self._with), key=lambda text: (len(text), text))

    @cached_property
    def are_grouped(self) -> bool:
        """Whether each has one mark, before three digits.

        3.5 or 12.3456 are no thousands, and 1,234,567 are no decimals: there is nothing to ask.
        """
        groups = self._with.str.fullmatch(rf"[1-9][0-9]{{0,2}}[{self.mark}][0-9]{{3}}")
        return bool(len(groups) and groups.all())

    @cached_property
    def _others(self) -> set[float]:
        """The numbers without the mark.

        What may stand for a missing value says nothing of how numbers are written, nor does 0.
        """
        plain = self._without.str.replace(",", "", regex=False)
        others = {float(text) for text in plain if text.count(".") <= 1 and text != "."}
        return others - HIGH - {-low for low in LOW} - {0.0}

    @property
    def are_thousands(self) -> bool:
        """Whether no other number would have had to have a mark."""
        return self.are_grouped and all(number < 1000 for number in self._others)

    @property
    def are_decimals(self) -> bool:
        """Whether decimals are written alike: 3,380 beside whole numbers would be 3,38."""
        has_zeros = any(text.endswith("0") for text in self.marked)
        return not (self.are_grouped and has_zeros and len(self._others) >= FEW)

    @property
    def say_thousands(self) -> bool:
        """Whether a mark that a machine would take for the one before decimals is none."""
        return self.are_thousands and not self.are_decimals
