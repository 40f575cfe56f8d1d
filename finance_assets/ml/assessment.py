"""Assessment: how a candidate compares, costs, holds and treats groups on one holdout.

Pure functions over arrays. Nothing is judged here (criteria.py) and nothing read.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from finance_assets.monitoring.drift import build_reference, population_stability_index

if TYPE_CHECKING:
    import numpy as np

DRAWS = 300
GROUP_DRAWS = 2000
SEED = 20050401


@dataclass(frozen=True)
class CostMatrix:
    """What a decision costs per row, in units of the use case; a gain is negative.

    A row is flagged when its score reaches the threshold. `flagged_good`: flagged, but the
    outcome did not come. `missed_bad`: not flagged, and it came.
    """

    flagged_good: float
    missed_bad: float
    flagged_bad: float = 0.0
    passed_good: float = 0.0
    unit: str = "cost of one needless intervention"

    @property
    def threshold(self) -> float:
        """The probability from which flagging is cheaper than passing."""
        needless = self.flagged_good - self.passed_good
        missed = self.missed_bad - self.flagged_bad
        return needless / (needless + missed)

    @property
    def threshold_reason(self) -> str:
        """Why the threshold is what it is."""
        return (
            f"flagging a good row costs {self.flagged_good - self.passed_good:g}, missing a bad "
            f"one {self.missed_bad - self.flagged_bad:g}: from a probability of "
            f"{self.threshold:.4f} on, flagging is cheaper"
        )

    def per_row(self, outcome: "np.ndarray", is_flagged: "np.ndarray") -> float:
        """Mean cost of these decisions."""
        import numpy as np

        bad = outcome > 0
        cost = np.where(
            is_flagged,
            np.where(bad, self.flagged_bad, self.flagged_good),
            np.where(bad, self.missed_bad, self.passed_good),
        )
        return float(cost.mean())


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
class GroupGap:
    """How a group fares against the largest group of its attribute.

    `rate` is the share with the favourable decision (not flagged), `deserving_rate` the same
    among rows whose outcome did not come. `ratio` is rate over the largest group's,
    `opportunity_gap` the difference of the deserving rates.
    """

    attribute: str
    group: str
    reference: str
    rows: int
    rate: float
    deserving_rate: float
    ratio: Interval
    opportunity_gap: Interval


@dataclass(frozen=True)
class Assessment:
    """Everything beyond the plain metrics that the gate and the model card need.

    `costs` are per row by role, with `flag_nobody` and `flag_everybody`; `stability` is the PSI
    of the score in each holdout month against the month before; `gaps` by protected attribute,
    `unjudged` those attributes with fewer than two groups of enough rows, and why.
    """

    threshold: float
    threshold_reason: str
    cost_unit: str
    costs: dict[str, float]
    auc_gain: Interval | None
    stability: dict[str, float]
    gaps: tuple[GroupGap, ...]
    small_groups: dict[str, int]
    unjudged: dict[str, str]
    gain_shares: dict[str, float]
    repeated_rows: int

    def to_json(self) -> str:
        """The assessment as the evaluation table stores it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Assessment":
        """Read a stored assessment back."""
        record = json.loads(text)
        gain = record["auc_gain"]
        record["auc_gain"] = Interval(**gain) if gain else None
        record["gaps"] = tuple(
            GroupGap(
                **{
                    **gap,
                    "ratio": Interval(**gap["ratio"]),
                    "opportunity_gap": Interval(**gap["opportunity_gap"]),
                }
            )
            for gap in record["gaps"]
        )
        return cls(**record)


def paired_auc_gain(
    outcome: "np.ndarray",
    candidate: "np.ndarray",
    champion: "np.ndarray",
    confidence: float = 0.95,
    draws: int = DRAWS,
) -> Interval:
    """AUC of the candidate less that of the champion, with a paired bootstrap interval.

    Each draw takes the same rows for both models, so that what is hard about the rows cancels.
    """
    import numpy as np

    random = np.random.default_rng(SEED)
    ours, theirs = _ranked(outcome, candidate), _ranked(outcome, champion)
    n = len(outcome)
    gains = []
    for _ in range(draws):
        weights = np.bincount(random.integers(0, n, n), minlength=n).astype("float64")
        gains.append(_weighted_auc(*ours, weights) - _weighted_auc(*theirs, weights))
    even = np.ones(n)
    value = _weighted_auc(*ours, even) - _weighted_auc(*theirs, even)
    return _interval(value, np.asarray(gains), confidence)


def score_stability(scores_by_month: dict[str, Sequence[float]]) -> dict[str, float]:
    """PSI of each month's scores against the month before; the first has none."""
    months = sorted(scores_by_month)
    found = {}
    for before, month in zip(months, months[1:], strict=False):
        reference = build_reference("score", scores_by_month[before])
        now = build_reference("score", scores_by_month[month], reference.edges)
        found[month] = population_stability_index(reference.counts, now.counts)
    return found


def group_gaps(
    attribute: str,
    groups: "np.ndarray",
    outcome: "np.ndarray",
    is_flagged: "np.ndarray",
    min_rows: int,
    confidence: float = 0.95,
) -> tuple[tuple[GroupGap, ...], dict[str, int]]:
    """Each group against the largest one; groups below `min_rows` are returned apart.

    Intervals come from a bootstrap of the counts: resampling rows with a yes/no outcome is
    drawing from the binomial distribution.
    """
    import numpy as np

    random = np.random.default_rng(SEED)
    sizes = {str(g): int((groups == g).sum()) for g in sorted(set(groups))}
    large = [g for g, rows in sizes.items() if rows >= min_rows]
    small = {f"{attribute}={g}": rows for g, rows in sizes.items() if rows < min_rows}
    facts = {}
    for group in large:
        favoured = ~is_flagged[groups == group]
        deserving = favoured[outcome[groups == group] == 0]
        facts[group] = tuple(_rate(part, random) for part in (favoured, deserving))
    gaps = []
    reference = max(large, key=lambda g: sizes[g], default="")
    for group in (g for g in large if g != reference):
        (rate, rates), (right, rights) = facts[group]
        (base, bases), (base_right, base_rights) = facts[reference]
        gaps.append(
            GroupGap(
                attribute,
                group,
                reference,
                sizes[group],
                rate,
                right,
                _interval(*_ratio(rate, base, rates, bases), confidence),
                _interval(right - base_right, rights - base_rights, confidence),
            )
        )
    return tuple(gaps), small


def _rate(part: "np.ndarray", random: "np.random.Generator") -> "tuple[float, np.ndarray]":
    """Share of true values and its bootstrap draws; not a number without rows."""
    import numpy as np

    if len(part) == 0:
        return math.nan, np.full(GROUP_DRAWS, math.nan)
    return float(part.mean()), random.binomial(len(part), part.mean(), GROUP_DRAWS) / len(part)


def _ratio(
    rate: float, base: float, rates: "np.ndarray", bases: "np.ndarray"
) -> "tuple[float, np.ndarray]":
    """Rate over base; not a number where nobody of the base is favoured."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(rate) / base), np.asarray(rates / bases)


def _interval(value: float, draws: "np.ndarray", confidence: float) -> Interval:
    import numpy as np

    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(float(value), float(low), float(high), confidence)


def _ranked(
    outcome: "np.ndarray", score: "np.ndarray"
) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    """Rows in the order of the score, where each run of equal scores starts, and outcomes."""
    import numpy as np

    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return order, starts, outcome[order]


def _weighted_auc(
    order: "np.ndarray", starts: "np.ndarray", outcome: "np.ndarray", weights: "np.ndarray"
) -> float:
    """Area under the ROC curve with row weights; ties count half."""
    import numpy as np

    weight = weights[order]
    bad = np.add.reduceat(weight * outcome, starts)
    good = np.add.reduceat(weight * (1 - outcome), starts)
    below = np.cumsum(good) - good
    return float((bad * (below + good / 2)).sum() / (bad.sum() * good.sum()))
