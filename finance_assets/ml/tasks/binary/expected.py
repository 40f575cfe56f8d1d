"""Expectations: what scores say of themselves before outcomes are known, and held against them.

Confidence-based: if a score is a probability, outcomes drawn from the scores have the figures that
are to be expected, and spread as chance spreads them. Wrong scores expect wrongly; how far, the
outcomes say later.
"""

import math
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Interval
from finance_assets.ml.tasks.binary.auc import auc
from finance_assets.ml.tasks.binary.costs import CostMatrix
from finance_assets.ml.tasks.binary.metrics import recalibrate

if TYPE_CHECKING:
    import numpy as np

DRAWS, SEED, DIGITS = 200, 20, 3
Figures = dict[str, Interval]


def expected(score: "np.ndarray", costs: CostMatrix, flagged_from: float) -> Figures:
    """AUC, Brier score, rate of positives and cost a row, with the interval of 95 % of draws.

    Outcomes are drawn for scores that agree in three digits together, which changes the figures by
    less than their last digit and costs the same for any number of rows.
    """
    import numpy as np

    flagged = score >= flagged_from
    alike = np.round(score, DIGITS) + 2.0 * flagged
    _, group, rows = np.unique(alike, return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=score) / rows
    drawn = np.random.default_rng(SEED).binomial(rows, np.clip(means, 0, 1), (DRAWS, len(rows)))
    positives, n, flags = drawn.sum(axis=1), len(score), int(flagged.sum())
    missed = drawn[:, means < flagged_from].sum(axis=1)
    caught = positives - missed
    cost = costs.flagged_good * (flags - caught) + costs.missed_bad * missed
    cost = cost + costs.flagged_bad * caught + costs.passed_good * (n - flags - missed)
    squares = float((score**2).sum())
    found = {
        "brier": (squares + drawn @ (1 - 2 * means)) / n,
        "outcome_rate": positives / n,
        "cost_per_row": cost / n,
    }
    both = (positives > 0) & (positives < n)
    if both.any():
        # The mean rank of a group's rows, counted from 1.
        ranks = np.cumsum(rows) - (rows - 1) / 2
        above = drawn[both] @ ranks - positives[both] * (positives[both] + 1) / 2
        found["auc"] = above / positives[both] / (n - positives[both])
    return {name: _spread(values) for name, values in found.items()}


def _spread(values: "np.ndarray") -> Interval:
    """The mean of draws, and where 95 % of them lie."""
    import numpy as np

    low, high = np.quantile(values, (0.025, 0.975))
    return Interval(float(np.mean(values)), float(low), float(high), 0.95)


def observed(
    outcome: "np.ndarray", score: "np.ndarray", costs: CostMatrix, flagged_from: float
) -> Figures:
    """The same figures of what came, and the level: the log-odds that scores are too low by."""
    import numpy as np

    found = {
        "brier": _mean((score - outcome) ** 2),
        "outcome_rate": _mean(outcome),
        "cost_per_row": _mean(costs.each_row(outcome, score >= flagged_from)),
    }
    positives = int(outcome.sum())
    if 0 < positives < len(outcome):
        found["auc"] = _auc(auc(outcome, score), positives, len(outcome) - positives)
        line = recalibrate(outcome, score)
        for name, interval in {"level": line.shift, "calibration_slope": line.slope}.items():
            if np.isfinite([interval.value, interval.low, interval.high]).all():
                found[name] = interval
    return found


def lost(before: Figures, now: Figures) -> Interval | None:
    """The share of its expected power to rank that the model does not have."""
    if not {"auc"} <= set(before) & set(now) or before["auc"].value <= 0.5:
        return None
    power = before["auc"].value - 0.5
    return Interval(
        (before["auc"].value - now["auc"].value) / power,
        (before["auc"].low - now["auc"].high) / power,
        (before["auc"].high - now["auc"].low) / power,
        0.95,
    )


def _mean(values: "np.ndarray") -> Interval:
    reach = 1.96 * float(values.std()) / math.sqrt(len(values))
    middle = float(values.mean())
    return Interval(middle, middle - reach, middle + reach, 0.95)


def _auc(value: float, positives: int, negatives: int) -> Interval:
    """Hanley and McNeil's interval (Radiology 143, 1982)."""
    one, two = value / (2 - value), 2 * value**2 / (1 + value)
    variance = (
        value * (1 - value)
        + (positives - 1) * (one - value**2)
        + (negatives - 1) * (two - value**2)
    ) / (positives * negatives)
    reach = 1.96 * math.sqrt(max(variance, 0.0))
    return Interval(value, value - reach, value + reach, 0.95)
