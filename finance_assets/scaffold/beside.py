"""Beside: what texts say that stand among the numbers of a column and are none."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from finance_assets.scaffold.marks import MAX_UNREADABLE
from finance_assets.scaffold.numerals import BOUNDS, Numeral
from finance_assets.scaffold.vocabulary import words

if TYPE_CHECKING:
    import pandas as pd

# Texts that say that nothing is known, in lower case. A dash or a word may mean it; a blank does.
NOTHING = words("nothing")
# Of words that may be a value of its own kind, only these are missing values in a column of words.
NOTHING_IN_WORDS = NOTHING - {"none", ".", "*", "---", ".."}


def say_nothing(counts: "pd.Series[int]", meant: frozenset[str]) -> NDArray[np.bool_]:
    """Which texts stand for a missing value: a word that does, or white space that is no blank."""
    return counts.index.str.strip().str.lower().isin([*meant, ""])


def say_nothing_among_numbers(counts: "pd.Series[int]") -> NDArray[np.bool_]:
    """Which texts beside numbers stand for a missing value.

    Where no zero is written, `none` may be it; `None` is how Python writes a missing value.
    """
    has_zero = counts.index.str.fullmatch("[+-]?0+([.,]0+)?").any()
    meant = NOTHING if has_zero else NOTHING - {"none"}
    return say_nothing(counts, meant) | np.asarray(counts.index == "None")


def beside(odd: "pd.Series[int]", rows: int) -> "tuple[pd.Series[int], pd.Series[int]]":
    """Of texts beside numbers the frequent words, which say something, and the others."""
    is_word = odd > MAX_UNREADABLE * rows
    return odd[is_word], odd[~is_word]


def doubts_of(
    bounds: tuple[str, ...], shares: "pd.Series[float]", tokens: Iterable[str]
) -> Iterator[str]:
    """What a person should look at beside the numbers of a column."""
    if bounds:
        yield f"{', '.join(bounds[:3])} is read as the bound that it names: so it is not told apart"
    for word, share in shares.items():
        yield f"{share:.0%} of rows say {word!r} beside numbers: a feature of its own tells them"
    for token in tokens:
        yield f"{token!r} beside numbers is taken for a missing value: is that what it means?"


def bounds_of(numbers: "pd.Series[int]", written: Numeral | None) -> tuple[str, ...]:
    """Texts that name a bound of a number and not the number."""
    if written is None or not written.is_bounded:
        return ()
    return tuple(numbers.index[numbers.index.str.contains(f"[{BOUNDS}]|[+]$")])
