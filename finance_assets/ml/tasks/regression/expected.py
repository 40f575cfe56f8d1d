"""Expectations: what forecasts say of themselves before outcomes are known, and held against them.

Interval-based: the width of an interval says how far outcomes will lie from the median, as they
would if errors were normal. Wrong intervals expect wrongly; how far, the outcomes say later.
"""

import math
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Interval
from finance_assets.ml.tasks.regression.metrics import HIGH, LOW, MIDDLE, covered

if TYPE_CHECKING:
    import numpy as np

Figures = dict[str, Interval]


def expected(forecast: "np.ndarray", coverage: float, block_rows: int) -> Figures:
    """Mean absolute error and coverage, with 95 % intervals."""
    import numpy as np

    spread, blocks = _spread(forecast, coverage), _blocks(forecast, block_rows)
    mean = math.sqrt(2 / math.pi)
    middle = float(spread.mean()) * mean
    deviation = math.sqrt(1 - mean**2) * float(np.sqrt((spread**2).mean()))
    return {
        "mae": _interval(middle, deviation / math.sqrt(blocks)),
        "coverage": _interval(coverage, math.sqrt(coverage * (1 - coverage) / blocks)),
    }


def observed(
    outcome: "np.ndarray", forecast: "np.ndarray", coverage: float, block_rows: int
) -> Figures:
    """The same figures of what came, and the level: by how many intervals forecasts are too low."""
    blocks = _blocks(forecast, block_rows)
    error = outcome - forecast[:, MIDDLE]
    width = max(float((forecast[:, HIGH] - forecast[:, LOW]).mean()), 1e-300)
    figures = {
        "mae": abs(error),
        "coverage": covered(outcome, forecast),
        "level": error / width,
    }
    return {
        name: _interval(float(values.mean()), float(values.std()) / math.sqrt(blocks))
        for name, values in figures.items()
    }


def lost(before: Figures, now: Figures) -> Interval | None:
    """The share of the error that was not to be expected."""
    wanted, came = before.get("mae"), now.get("mae")
    if wanted is None or came is None or came.value <= 0:
        return None

    def share(hoped: float, error: float) -> float:
        return 1 - hoped / error if error > 0 else -1.0

    return Interval(
        share(wanted.value, came.value),
        share(wanted.high, came.low),
        share(wanted.low, came.high),
        0.95,
    )


def _spread(forecast: "np.ndarray", coverage: float) -> "np.ndarray":
    """Standard deviations of normal errors whose intervals are these."""
    from scipy.stats import norm

    reach = 2 * float(norm.ppf((1 + coverage) / 2))
    found: np.ndarray = (forecast[:, HIGH] - forecast[:, LOW]) / reach
    return found


def _blocks(forecast: "np.ndarray", block_rows: int) -> float:
    """How many errors there are that do not hang together."""
    return max(len(forecast) / block_rows, 1.0)


def _interval(value: float, error: float) -> Interval:
    return Interval(value, value - 1.96 * error, value + 1.96 * error, 0.95)
