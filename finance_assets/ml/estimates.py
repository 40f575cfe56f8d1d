"""Estimates: differences of two models on the same rows, with what chance can do to them.

Pure functions over arrays. Nothing is judged here; a criterion asks for an interval of the
confidence that it needs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# The chance, over any number of looks at one holdout, that luck alone promotes.
TOTAL_ALPHA = 0.05
# Fewer retrainings say too little of how far a retraining moves the AUC.
MIN_RESEEDED = 3


@dataclass(frozen=True)
class Interval:
    """An estimate with the bounds of its confidence interval."""

    value: float
    low: float
    high: float
    confidence: float

    def __str__(self) -> str:
        """`0.0123 [0.0101, 0.0144]`."""
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class Estimate:
    """A value and its standard error, over the holdout's rows."""

    value: float
    error: float

    def interval(self, confidence: float = 0.95) -> Interval:
        """The two-sided normal interval."""
        from scipy.stats import norm

        reach = float(norm.isf((1 - confidence) / 2)) * self.error
        return Interval(self.value, self.value - reach, self.value + reach, confidence)


def alpha_at(look: int) -> float:
    """The error allowed to the k-th look at a holdout: 0.05 · 6 / (π² k²).

    The series sums to 0.05, so by the union bound luck promotes anything in at most 5 % of all
    holdouts, however often one is looked at (alpha spending: Foster and Stine, "α-investing",
    JRSS B 70, 2008).

    Raises:
        ValueError: looks are counted from 1.
    """
    if look < 1:
        raise ValueError(f"the looks at this holdout were not counted: {look}")
    return TOTAL_ALPHA * 6 / (math.pi**2 * look**2)


@dataclass(frozen=True)
class Gain:
    """AUC of the candidate less that of another model on the same rows.

    `error` is DeLong's standard error: what other rows would have changed, the two models being
    fixed. `reseeded` are the AUCs, on the same rows, of the candidate's recipe trained again
    with other seeds: what another training would have changed. Empty where nobody asked.
    """

    value: float
    error: float
    reseeded: tuple[float, ...] = ()

    @property
    def over_rows(self) -> Estimate:
        """The gain with the error over rows alone: between two models as they are."""
        return Estimate(self.value, self.error)

    def may_exceed(self, bound: float, look: int = 1) -> bool:
        """Whether the gain surely exceeds a bound if retraining brings no noise at all.

        If not, `at_look` cannot exceed it either, and no retraining need be measured.
        """
        return not self.over_rows.interval(1 - alpha_at(look)).low <= bound

    def at_look(self, look: int) -> Interval:
        """The interval of the gain of one training over another, for the k-th look.

        A paired test takes both models as given, so a lucky seed looks like a gain. Here the
        variance that retraining brings is added twice, once for each model, as measured on the
        retrainings: a small sample, whose models differ more from seed to seed, gets a wider
        interval by itself. The quantile is Student's with Welch and Satterthwaite's degrees of
        freedom, as a variance from a few retrainings is itself uncertain.

        Raises:
            ValueError: the looks were not counted, or the retrainings not measured.
        """
        from scipy.stats import t

        alpha, count = alpha_at(look), len(self.reseeded)
        if count < MIN_RESEEDED:
            raise ValueError(f"{count} retrainings with other seeds, {MIN_RESEEDED} are needed")
        middle = sum(self.reseeded) / count
        seeds = 2 * sum((auc - middle) ** 2 for auc in self.reseeded) / (count - 1)
        total = self.error**2 + seeds
        freedom = total**2 / (seeds**2 / (count - 1)) if seeds > 0 else math.inf
        reach = float(t.isf(alpha / 2, freedom)) * math.sqrt(total)
        return Interval(self.value, self.value - reach, self.value + reach, 1 - alpha)


def auc_gain(
    outcome: "np.ndarray",
    candidate: "np.ndarray",
    other: "np.ndarray",
    reseeded: Sequence["np.ndarray"] = (),
) -> Gain:
    """The gain in AUC with DeLong's paired standard error.

    DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988), by midranks as Sun and Xu (IEEE
    Signal Processing Letters 21, 2014) compute it. `reseeded` are scores of retrainings.
    """
    import numpy as np

    (bad, good), (bad_other, good_other) = (
        _placements(outcome, candidate),
        _placements(outcome, other),
    )
    moves = bad - bad_other, good - good_other
    variance = sum(float(np.var(part, ddof=1)) / len(part) for part in moves)
    return Gain(
        value=float(moves[0].mean()),
        error=math.sqrt(variance),
        reseeded=tuple(auc(outcome, score) for score in reseeded),
    )


def auc(outcome: "np.ndarray", score: "np.ndarray") -> float:
    """Area under the ROC curve; ties count half."""
    return float(_placements(outcome, score)[0].mean())


def mean_difference(ours: "np.ndarray", theirs: "np.ndarray") -> Estimate:
    """Mean of the paired differences of two figures per row, with its standard error."""
    import numpy as np

    difference = ours - theirs
    return Estimate(
        float(difference.mean()), float(np.std(difference, ddof=1) / math.sqrt(len(difference)))
    )


def _placements(outcome: "np.ndarray", score: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
    """Of each positive the share of negatives below it, of each negative that of those above."""
    import numpy as np
    from scipy.stats import rankdata

    is_bad = outcome > 0
    bad, good = score[is_bad], score[~is_bad]
    ranks = rankdata(np.concatenate([bad, good]))
    of_bad = (ranks[: len(bad)] - rankdata(bad)) / len(good)
    of_good = 1 - (ranks[len(bad) :] - rankdata(good)) / len(bad)
    return of_bad, of_good
