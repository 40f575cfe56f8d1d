"""Estimates: differences of two models on the same rows, with what chance can do to them.

Pure functions over arrays. Nothing is judged here; a criterion asks for an interval of the
confidence that it needs.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# The chance, over any number of looks at one holdout, that luck alone promotes.
TOTAL_ALPHA = 0.05
# What is called sure of a comparison at the first look at a holdout.
SURE = 0.95
# Fewer retrainings say too little of how far a retraining moves a figure.
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
    """A value and its standard error, over the holdout's rows.

    `freedom` are the degrees of freedom of the error, where it is known from a few parts of the
    rows; 0: from so many that it counts as known.
    """

    value: float
    error: float
    freedom: int = 0

    def interval(self, confidence: float = 0.95) -> Interval:
        """The two-sided interval: normal, or Student's for an error that is itself uncertain."""
        from scipy.stats import norm, t

        tail = (1 - confidence) / 2
        quantile = t.isf(tail, self.freedom) if self.freedom else norm.isf(tail)
        reach = float(quantile) * self.error
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


def sure_at(look: int) -> float:
    """The confidence of what is called sure at the k-th look at a holdout: 95 %, then more.

    One end of the interval decides, so luck passes the k-th look with 0.025 / k², and any number of
    looks in at most 4.1 % of all holdouts (the union bound, as in `alpha_at`).

    Raises:
        ValueError: looks are counted from 1.
    """
    return 1 - (1 - SURE) * alpha_at(look) / alpha_at(1)


@dataclass(frozen=True)
class Gain:
    """A figure of the candidate (more is better) less that of another model on the same rows.

    `error` is its standard error: what other rows would have changed, the two models being
    fixed. `reseeded` are the figures, on the same rows, of the candidate's recipe trained again
    with other seeds: what another training would have changed. Empty where nobody asked.
    `freedom` is the error's, as an estimate has it.
    """

    value: float
    error: float
    reseeded: tuple[float, ...] = ()
    freedom: int = 0

    @property
    def over_rows(self) -> Estimate:
        """The gain with the error over rows alone: between two models as they are."""
        return Estimate(self.value, self.error, self.freedom)

    def may_exceed(self, bound: float, look: int = 1) -> bool:
        """Whether the gain surely exceeds a bound if retraining brings no noise at all.

        If not, `at_look` cannot exceed it either, and no retraining need be measured.
        """
        return not self.over_rows.interval(1 - alpha_at(look)).low <= bound

    def interval_against(self, bound: float, look: int) -> Interval:
        """The interval to hold against a bound at the k-th look.

        A gain that the rows alone do not bear out needs no retrainings to fail.

        Raises:
            ValueError: the looks were not counted, or the retrainings not measured.
        """
        if self.may_exceed(bound, look):
            return self.at_look(look)
        return self.over_rows.interval(1 - alpha_at(look))

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
        seeds = 2 * sum((figure - middle) ** 2 for figure in self.reseeded) / (count - 1)
        total = self.error**2 + seeds
        unsure = seeds**2 / (count - 1)
        unsure += self.error**4 / self.freedom if self.freedom else 0.0
        freedom = total**2 / unsure if unsure > 0 else math.inf
        reach = float(t.isf(alpha / 2, freedom)) * math.sqrt(total)
        return Interval(self.value, self.value - reach, self.value + reach, 1 - alpha)


def clustered_error(moves: "np.ndarray", clusters: "np.ndarray") -> float:
    """The standard error of a figure that each row moves by so much, where rows of a cluster hang
    together.

    A customer who comes back in each month is one customer: what its rows do is added up before
    it counts as chance (Liang and Zeger, Biometrika 73, 1986). Never less than the error of rows
    that are independent: of few clusters the sums say little.

    Args:
        moves: by how much each row moves the figure; they sum to 0.
        clusters: the number of the cluster of each row.
    """
    import numpy as np

    sums, count, rows = np.bincount(clusters, weights=moves), len(np.unique(clusters)), len(moves)
    together = float((sums**2).sum()) * count / max(count - 1, 1)
    apart = float((moves**2).sum()) * rows / max(rows - 1, 1)
    return math.sqrt(max(together, apart))


def freedom_of(clusters: "np.ndarray | None") -> int:
    """The degrees of freedom of an error over clusters; 0, many, where rows are independent."""
    import numpy as np

    return 0 if clusters is None else max(len(np.unique(clusters)) - 1, 1)


def mean_difference(
    ours: "np.ndarray", theirs: "np.ndarray", clusters: "np.ndarray | None" = None
) -> Estimate:
    """Mean of the paired differences of two figures per row, with its standard error."""
    import numpy as np

    difference = ours - theirs
    mean, rows = float(difference.mean()), len(difference)
    if clusters is not None:
        error = clustered_error((difference - mean) / rows, clusters)
        return Estimate(mean, error, freedom_of(clusters))
    return Estimate(mean, float(np.std(difference, ddof=1) / math.sqrt(rows)))
