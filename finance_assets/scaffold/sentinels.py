"""Sentinels: numbers that stand for a missing value, such as -99, 96, 98 or 999."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NINES = (9, 99, 999, 9999, 99999, 999999, 9999999, 99999999)
HIGH = frozenset((*range(95, 100), *range(994, 1000), *range(9994, 10000), *NINES[4:]))
LOW = frozenset((-1, -7, -8, -88, -888, *(-n for n in NINES), *(-n - 1 for n in NINES[3:])))
# Machines fill with the largest number that they have, or with nines and decimals.
FILLED = frozenset({32767.0, 65535.0, 2147483647.0, -999.25, 9.9e37})
NINES_WITH_DECIMALS = re.compile("-99+[.]9+|9999+[.]9+")
# A price ends in .99 as others do.
LIKE_PRICES = 0.2
# A sentinel lies this share of the range of the honest values away from them, and occurs again.
APART, MIN_TIMES = 0.5, 2
# A small negative number beside few steps (-1, 0, 1, 2) is a step of these.
FEW_STEPS = 12


def sentinels(numbers: "pd.Series[float]", counts: "pd.Series[int]") -> tuple[str, ...]:
    """The texts of a column that are sentinels, from its distinct values and how often each occurs.

    Only the outermost values are suspects: a number that others surround is one of them.
    """
    known = numbers.dropna().sort_values()
    ends = known.map(lambda value: re.search("[.]9+$", repr(value)) is not None)
    are_prices = bool(ends.mean() > LIKE_PRICES)
    found: list[str] = []
    for values, suspects in ((known[::-1], HIGH), (known, LOW)):
        run: list[str] = []
        for text, value in values.items():
            is_side = (value > 0) == (suspects is HIGH)
            if not (value in suspects or (is_side and not are_prices and _is_filled(value))):
                break
            run.append(str(text))
        # The longest run that leaves a gap to the honest values; fewer, if it does not.
        while run:
            rest = known.drop([*run, *found])
            if len(rest) > 1 and _is_apart(known[run], rest) and counts[run].min() >= MIN_TIMES:
                found += run
                break
            run.pop()
    return tuple(found)


def _is_filled(value: float) -> bool:
    return value in FILLED or NINES_WITH_DECIMALS.fullmatch(repr(value)) is not None


def _is_apart(suspects: "pd.Series[float]", rest: "pd.Series[float]") -> bool:
    low, high = float(rest.min()), float(rest.max())
    span = high - low
    if suspects.min() > high:
        return bool(suspects.min() - high > max(APART * span, 1))
    if low >= 0 and len(rest) > FEW_STEPS:
        # Nothing else is negative: so this is no amount.
        return True
    return bool(low - suspects.max() > max(APART * span, 1))
