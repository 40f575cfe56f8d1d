"""Metrics: how far forecasts are from what came. Pure functions over arrays.

Forecasts have the shape (rows, 3): lower end of the interval, median, upper end.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.tasks.task import Metrics

if TYPE_CHECKING:
    import numpy as np

LOW, MIDDLE, HIGH = 0, 1, 2


@dataclass(frozen=True)
class RegressionMetrics(Metrics):
    """Measures over one set of rows, in the target's unit where they have one.

    `bias` is the mean of forecast less outcome. `smape` is symmetric, from 0 to 2: the mean of
    |error| / mean of |forecast| and |outcome|; a row on which both are 0 counts 0. `coverage` is
    the share of outcomes in the interval, ends included, `width` the interval's mean width.
    `pinball` is the mean pinball loss of the interval's ends.
    """

    mae: float
    rmse: float
    smape: float
    bias: float
    coverage: float
    width: float
    pinball: float

    @property
    def merit(self) -> float:
        """The mean absolute error, the smaller the better."""
        return -self.mae


def measure(
    outcome: "np.ndarray", forecast: "np.ndarray", quantiles: tuple[float, ...]
) -> RegressionMetrics:
    """All measures of forecasts against outcomes.

    Raises:
        ValueError: there are no rows.
    """
    import numpy as np

    if len(outcome) == 0:
        raise ValueError("no rows cannot be measured")
    low, middle, high = forecast.T
    error = middle - outcome
    size = (np.abs(middle) + np.abs(outcome)) / 2
    relative = np.divide(np.abs(error), size, out=np.zeros_like(size), where=size > 0)
    return RegressionMetrics(
        rows=len(outcome),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        smape=float(relative.mean()),
        bias=float(error.mean()),
        coverage=float(covered(outcome, forecast).mean()),
        width=float((high - low).mean()),
        pinball=float(
            np.mean([_pinball(outcome, forecast[:, i], quantiles[i]) for i in (LOW, HIGH)])
        ),
    )


def covered(outcome: "np.ndarray", forecast: "np.ndarray") -> "np.ndarray":
    """Which outcomes lie in their interval, ends included: 0.0 or 1.0."""
    inside = (forecast[:, LOW] <= outcome) & (outcome <= forecast[:, HIGH])
    found: np.ndarray = inside.astype("float64")
    return found


def _pinball(outcome: "np.ndarray", quantile: "np.ndarray", level: float) -> float:
    import numpy as np

    gap = outcome - quantile
    return float(np.maximum(level * gap, (level - 1) * gap).mean())
