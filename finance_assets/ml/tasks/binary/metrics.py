"""Metrics: how good scores are against outcomes. Pure functions over two arrays."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Estimate, Interval, clustered_error, freedom_of
from finance_assets.ml.tasks.binary.auc import auc
from finance_assets.ml.tasks.task import Metrics

if TYPE_CHECKING:
    import numpy as np

CALIBRATION_BINS = 10
# Newton's method needs five to ten steps; what takes more does not converge.
NEWTON_STEPS = 50
MAX_CONDITION = 1e10


@dataclass(frozen=True)
class BinaryMetrics(Metrics):
    """Measures over one set of rows.

    `calibration_error` is the row-weighted mean distance between mean score and rate of
    positives over ten equal-sized score bins; `lift_by_decile` the rate of positives in each
    tenth of the rows, best scores first, over the overall rate.
    """

    positives: int
    auc: float
    pr_auc: float
    brier: float
    calibration_error: float
    ks: float
    lift_by_decile: tuple[float, ...]

    @property
    def merit(self) -> float:
        """A search maximises the AUC."""
        return self.auc

    @property
    def lift_top_decile(self) -> float:
        """Lift of the tenth with the highest scores."""
        return self.lift_by_decile[0]

    def scalars(self) -> dict[str, float]:
        """The measures that are one number, by name."""
        return {**super().scalars(), "lift_top_decile": self.lift_top_decile}


def measure(outcome: "np.ndarray", score: "np.ndarray") -> BinaryMetrics:
    """All measures of `score` (probability) against `outcome` (0 or 1).

    Raises:
        ValueError: no rows, or only one class: then nothing can be said.
    """
    import numpy as np
    from sklearn.metrics import average_precision_score, roc_curve

    positives = int(outcome.sum())
    if len(outcome) == 0 or positives in (0, len(outcome)):
        raise ValueError(f"{len(outcome)} rows with {positives} positives cannot be measured")
    false_rate, true_rate, _ = roc_curve(outcome, score)
    return BinaryMetrics(
        rows=len(outcome),
        positives=positives,
        auc=auc(outcome, score),
        pr_auc=float(average_precision_score(outcome, score)),
        brier=float(np.mean((score - outcome) ** 2)),
        calibration_error=calibration_error(outcome, score),
        ks=float(np.max(true_rate - false_rate)),
        lift_by_decile=_lift(outcome, score),
    )


def calibration_curve(outcome: "np.ndarray", score: "np.ndarray") -> list[tuple[float, float, int]]:
    """Mean score, rate of positives and rows of each of ten equal-sized score bins."""
    import numpy as np

    order = np.argsort(score, kind="stable")
    bins = np.array_split(order, CALIBRATION_BINS)
    return [(float(score[b].mean()), float(outcome[b].mean()), len(b)) for b in bins if len(b)]


def calibration_error(outcome: "np.ndarray", score: "np.ndarray") -> float:
    """Row-weighted mean distance between mean score and rate of positives over the bins."""
    curve = calibration_curve(outcome, score)
    return sum(abs(mean - rate) * rows for mean, rate, rows in curve) / len(outcome)


def _lift(outcome: "np.ndarray", score: "np.ndarray") -> tuple[float, ...]:
    import numpy as np

    order = np.argsort(-score, kind="stable")
    tenths = np.array_split(outcome[order], 10)
    overall = float(outcome.mean())
    return tuple(float(t.mean()) / overall if len(t) else 0.0 for t in tenths)


@dataclass(frozen=True)
class Recalibration:
    """The line that would make the scores right, in log-odds, with 95 % intervals.

    `slope` of a logistic regression of the outcome on the score's log-odds: 1 is right, less
    means too extreme, more too timid; a score that says nothing has no slope that is sure of
    anything. `shift` is the intercept with the slope held at 1 (calibration in the large, Cox
    1958): how far the log-odds are too low on the whole. The intercept beside a free slope would
    speak of scores near one half, where there is hardly any row.
    """

    slope: Interval
    shift: Interval


def recalibrate(
    outcome: "np.ndarray", score: "np.ndarray", clusters: "np.ndarray | None" = None
) -> Recalibration:
    """Fit the line; figures that the rows cannot tell (a constant score) are not a number."""
    import numpy as np

    certain = 1e-12
    clipped = np.clip(score, certain, 1 - certain)
    logit = np.log(clipped / (1 - clipped))
    ones = np.ones_like(logit)
    line = _logistic(outcome, np.column_stack([ones, logit]), np.zeros_like(logit), clusters)
    shift = _logistic(outcome, ones[:, None], logit, clusters)
    return Recalibration(slope=line[1].interval(), shift=shift[0].interval())


def _logistic(
    outcome: "np.ndarray",
    inputs: "np.ndarray",
    offset: "np.ndarray",
    clusters: "np.ndarray | None",
) -> list[Estimate]:
    """Unpenalised logistic regression by Newton's method: coefficients with standard errors."""
    import numpy as np

    weights = np.zeros(inputs.shape[1])
    unknown = [Estimate(math.nan, math.nan)] * len(weights)
    for _ in range(NEWTON_STEPS):
        expected = 1 / (1 + np.exp(-np.clip(inputs @ weights + offset, -500, 500)))
        information = (inputs * (expected * (1 - expected))[:, None]).T @ inputs
        if not np.isfinite(information).all() or np.linalg.cond(information) > MAX_CONDITION:
            return unknown
        step = np.linalg.solve(information, inputs.T @ (outcome - expected))
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            inverse = np.linalg.inv(information)
            errors = np.sqrt(np.diag(inverse))
            if clusters is not None:
                moves = inputs * (outcome - expected)[:, None] @ inverse
                errors = np.array([clustered_error(column, clusters) for column in moves.T])
            freedom, found = freedom_of(clusters), zip(weights, errors, strict=True)
            return [Estimate(float(w), float(e), freedom) for w, e in found]
    return unknown
