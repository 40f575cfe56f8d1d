"""Criteria about how well a candidate forecasts on the holdout."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from finance_assets.ml.criteria.numbers import finite, within
from finance_assets.ml.criterion import Finding
from finance_assets.ml.estimates import SURE, Interval, sure_at
from finance_assets.ml.tasks.regression.criteria.base import (
    RegressionCriterion,
    RegressionEvidence,
)


def _sure(interval: Interval, what: str) -> Interval:
    """The interval, if it is one of numbers."""
    for value in (interval.low, interval.value, interval.high):
        finite(value, what)
    return interval


@dataclass(frozen=True)
class Accuracy(RegressionCriterion):
    """The error is surely below `max_relative_error` of that of a forecast that knows nothing.

    Such a forecast always says the median of the training. Each further look at a holdout has to
    be surer (see `sure_at`).
    """

    name: ClassVar[str] = "accuracy"
    sentence: ClassVar[str] = "Its forecasts are close enough to what comes."
    max_relative_error: float

    def __post_init__(self) -> None:
        """Refuse a bound that a forecast which knows nothing would pass."""
        within(self, max_relative_error=(0.001, 0.99))

    def judge(self, evidence: RegressionEvidence) -> Finding:
        """Compare the upper end of the relative error with the bound."""
        confidence = sure_at(evidence.looks)
        found = _sure(evidence.assessed.relative_error.interval(confidence), "relative error")
        metrics = evidence.metrics("candidate")
        return Finding(
            found.high <= self.max_relative_error,
            f"error surely <= {self.max_relative_error} of the training median's",
            f"{found}; MAE {finite(metrics.mae, 'MAE'):.6g}, "
            f"RMSE {finite(metrics.rmse, 'RMSE'):.6g}, "
            f"sMAPE {finite(metrics.smape, 'sMAPE'):.4f}",
            asdict(found),
        )


@dataclass(frozen=True)
class BeatsBaseline(RegressionCriterion):
    """The skill against the rule of thumb is surely above `min_skill`.

    Skill: the share of the rule of thumb's absolute error that the candidate saves. Each further
    look at a holdout has to be surer (see `sure_at`).
    """

    name: ClassVar[str] = "beats_baseline"
    sentence: ClassVar[str] = "It is worth its complexity: the rule of thumb is not as good."
    min_skill: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a margin that a worse model would pass."""
        within(self, min_skill=(0.0, 0.9))

    def judge(self, evidence: RegressionEvidence) -> Finding:
        """Compare the lower end of the skill with its least value."""
        finite(evidence.metrics("naive").mae, "MAE of the rule of thumb")
        confidence = sure_at(evidence.looks)
        found = _sure(evidence.assessed.skill.over_rows.interval(confidence), "skill")
        return Finding(
            found.low > self.min_skill,
            f"skill over the rule of thumb surely > {self.min_skill}",
            f"skill {found}",
            asdict(found),
        )


@dataclass(frozen=True)
class BeatsChampion(RegressionCriterion):
    """What is saved over the champion surely lies above `min_gain`, a share of the rule of
    thumb's error.

    The interval holds for the k-th look at this holdout and for a retraining with another seed:
    see `Gain.at_look`.
    """

    name: ClassVar[str] = "beats_champion"
    sentence: ClassVar[str] = "It is better than today's champion, and not by chance."
    min_gain: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a margin that lets a much worse model pass, or no better one."""
        within(self, min_gain=(-0.05, 0.2))

    def judge(self, evidence: RegressionEvidence) -> Finding:
        """Compare the lower end of the gain with the least gain."""
        mae = finite(evidence.metrics("candidate").mae, "MAE")
        if not evidence.has_champion:
            why = evidence.champion_gone or "no champion yet"
            return Finding(True, "no champion to beat", f"MAE {mae:.6g}, {why}")
        finite(evidence.metrics("champion").mae, "the champion's MAE")
        gain = evidence.assessed.gains.get("champion")
        if gain is None:
            raise ValueError("the gain over the champion was not measured")
        interval = gain.interval_against(self.min_gain, evidence.looks)
        return Finding(
            _sure(interval, "the gain").low > self.min_gain,
            f"error saved over v{evidence.champion_version}, lower end of its "
            f"{interval.confidence:.4%} interval > {self.min_gain} (look {evidence.looks} at this "
            "holdout)",
            f"MAE {mae:.6g}, gain {interval}",
            {**asdict(gain), "interval": asdict(interval), "looks": evidence.looks},
        )


@dataclass(frozen=True)
class Bias(RegressionCriterion):
    """Forecasts are surely right on the whole: within `max_share` of the rule of thumb's error."""

    name: ClassVar[str] = "bias"
    sentence: ClassVar[str] = "Its forecasts are neither too high nor too low on the whole."
    max_share: float = 0.25

    def __post_init__(self) -> None:
        """Refuse a bound that any bias would pass."""
        within(self, max_share=(0.001, 1.0))

    def judge(self, evidence: RegressionEvidence) -> Finding:
        """Compare both ends of the bias with the bound."""
        found = _sure(evidence.assessed.bias.interval(SURE), "bias")
        bias = finite(evidence.metrics("candidate").bias, "bias")
        return Finding(
            -self.max_share <= found.low and found.high <= self.max_share,
            f"bias surely within {self.max_share} of the rule of thumb's error",
            f"{found} of it; {bias:+.6g} {evidence.assessed.unit}",
            asdict(found),
        )


@dataclass(frozen=True)
class IntervalCoverage(RegressionCriterion):
    """The interval holds the declared share of the outcomes, surely within `max_gap` of it."""

    name: ClassVar[str] = "interval_coverage"
    sentence: ClassVar[str] = "Its intervals hold as many outcomes as they say."
    coverage: float
    max_gap: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a bound that any interval would pass."""
        within(self, coverage=(0.5, 0.99), max_gap=(0.005, 0.2))

    def judge(self, evidence: RegressionEvidence) -> Finding:
        """Compare both ends of the observed coverage with the declared one."""
        found = _sure(evidence.assessed.coverage.interval(SURE), "coverage")
        width = finite(evidence.metrics("candidate").width, "width")
        low, high = self.coverage - self.max_gap, self.coverage + self.max_gap
        return Finding(
            width > 0 and low <= found.low and found.high <= high,
            f"coverage surely from {low:.3f} to {high:.3f}",
            f"{found}, mean width {width:.6g} {evidence.assessed.unit}",
            asdict(found),
        )


@dataclass(frozen=True)
class EnoughRows(RegressionCriterion):
    """Enough holdout rows to say anything, and none of them twice."""

    name: ClassVar[str] = "enough_rows"
    sentence: ClassVar[str] = "The holdout is large enough, and each of its rows counts once."
    min_rows: int = 200

    def __post_init__(self) -> None:
        """Refuse so few rows that nothing can be said."""
        within(self, min_rows=(30, 1e9))

    def judge(self, evidence: RegressionEvidence) -> Finding:
        """Compare the count with its bound."""
        rows, repeated = evidence.metrics("candidate").rows, evidence.assessed.repeated_rows
        return Finding(
            rows >= self.min_rows and repeated == 0,
            f">= {self.min_rows} rows, none repeated",
            f"{rows} rows, {repeated} repeated",
        )
