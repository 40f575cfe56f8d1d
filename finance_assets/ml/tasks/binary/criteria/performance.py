"""Criteria about how well a candidate does on the holdout."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from finance_assets.ml.criteria.numbers import finite, within
from finance_assets.ml.criterion import Finding
from finance_assets.ml.estimates import SURE, sure_at
from finance_assets.ml.tasks.binary.criteria.base import BinaryCriterion, BinaryEvidence


@dataclass(frozen=True)
class Discrimination(BinaryCriterion):
    """AUC of at least `min_auc`."""

    name: ClassVar[str] = "discrimination"
    sentence: ClassVar[str] = "The candidate tells good from bad well enough."
    min_auc: float

    def __post_init__(self) -> None:
        """Refuse a floor that every model, or none, can pass."""
        within(self, min_auc=(0.55, 0.99))

    def judge(self, evidence: BinaryEvidence) -> Finding:
        """Compare the candidate's AUC with the floor."""
        auc = finite(evidence.metrics("candidate").auc, "AUC")
        return Finding(auc >= self.min_auc, f"AUC >= {self.min_auc}", f"AUC {auc:.4f}")


@dataclass(frozen=True)
class BeatsChampion(BinaryCriterion):
    """The whole confidence interval of the AUC gain lies above `min_gain`.

    The interval holds for the k-th look at this holdout and for a retraining with another seed:
    see `Gain.at_look`. `min_gain` is the smallest gain that is worth a change of champion; 0
    demands one that is not luck, and a negative value accepts a candidate that is not worse by
    more than this margin.
    """

    name: ClassVar[str] = "beats_champion"
    sentence: ClassVar[str] = "It is better than today's champion, and not by chance."
    min_gain: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a margin that lets a worse model pass, or no better one."""
        within(self, min_gain=(-0.05, 0.05))

    def judge(self, evidence: BinaryEvidence) -> Finding:
        """Compare the lower bound of the gain with the least gain."""
        candidate = finite(evidence.metrics("candidate").auc, "AUC")
        if not evidence.has_champion:
            why = evidence.champion_gone or "no champion yet"
            return Finding(True, "no champion to beat", f"AUC {candidate:.4f}, {why}")
        champion = finite(evidence.metrics("champion").auc, "the champion's AUC")
        gain = evidence.assessed.gains.get("champion")
        if gain is None:
            raise ValueError("the gain over the champion was not measured")
        interval = gain.interval_against(self.min_gain, evidence.looks)
        return Finding(
            finite(interval.low, "lower bound of the gain") > self.min_gain,
            f"gain in AUC over v{evidence.champion_version} ({champion:.4f}), lower bound of its "
            f"{interval.confidence:.4%} interval > {self.min_gain} (look {evidence.looks} at this "
            "holdout)",
            f"AUC {candidate:.4f}, gain {interval}",
            {**asdict(gain), "interval": asdict(interval), "looks": evidence.looks},
        )


@dataclass(frozen=True)
class Calibration(BinaryCriterion):
    """Scores that are right on the whole (`max_error`, `max_shift`) and told apart (slope).

    `max_error` bounds the mean distance of score and rate over ten bins. The recalibration's 95 %
    intervals must lie within: the slope's between `min_slope` and `max_slope`, the shift's
    within `max_shift` of 0, in log-odds. The whole interval, as a score that knows nothing (the
    base rate for everybody) has a slope of anything.
    """

    name: ClassVar[str] = "calibration"
    sentence: ClassVar[str] = "Its probabilities mean what they say."
    max_error: float
    min_slope: float = 0.8
    max_slope: float = 1.25
    max_shift: float = 0.3

    def __post_init__(self) -> None:
        """Refuse bounds that probabilities which say nothing would pass."""
        within(
            self,
            max_error=(0.001, 0.1),
            min_slope=(0.5, 1.0),
            max_slope=(1.0, 2.0),
            max_shift=(0.01, 1.0),
        )

    def judge(self, evidence: BinaryEvidence) -> Finding:
        """Compare error, slope and shift with their bounds."""
        error = finite(evidence.metrics("candidate").calibration_error, "calibration error")
        slope, shift = evidence.assessed.recalibration.slope, evidence.assessed.recalibration.shift
        for what, interval in (("slope", slope), ("shift", shift)):
            for value in (interval.low, interval.value, interval.high):
                finite(value, f"{what} of the recalibration")
        return Finding(
            error <= self.max_error
            and self.min_slope <= slope.low
            and slope.high <= self.max_slope
            and -self.max_shift <= shift.low
            and shift.high <= self.max_shift,
            f"calibration error <= {self.max_error}; slope surely between {self.min_slope} and "
            f"{self.max_slope}, shift surely within {self.max_shift}",
            f"{error:.4f}; slope {slope}, shift {shift}",
            {"slope": asdict(slope), "shift": asdict(shift)},
        )


@dataclass(frozen=True)
class BusinessCost(BinaryCriterion):
    """Cost per row where rows are acted on: surely below doing nothing and doing everything, and
    not above the champion's by more than `tolerance` (a share of it).

    Surely, as a model that never acts costs what doing nothing costs. Each further look at a
    holdout has to be surer (see `sure_at`).
    """

    name: ClassVar[str] = "business_cost"
    sentence: ClassVar[str] = "Deciding by it costs less than not having it."
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a tolerance that makes the champion's cost no bound."""
        within(self, tolerance=(0.0, 0.1))

    def judge(self, evidence: BinaryEvidence) -> Finding:
        """Compare the candidate's cost with those of acting without it, and with the champion's."""
        assessed, confidence = evidence.assessed, sure_at(evidence.looks)
        cost = finite(assessed.costs["candidate"], "the candidate's cost")
        without = {
            name: assessed.cost_gaps[name].interval(confidence)
            for name in ("flag_nobody", "flag_everybody")
        }
        is_worth_it = all(
            finite(gap.high, f"upper bound of the difference to {name}") < 0
            for name, gap in without.items()
        )
        required = "surely below flagging nobody and flagging everybody"
        if evidence.has_champion:
            champion = finite(assessed.costs["champion"], "the champion's cost")
            most = champion + self.tolerance * abs(champion)
            is_worth_it = is_worth_it and cost <= most
            required += f", <= {most:.4f} per row (champion)"
        return Finding(
            is_worth_it,
            required,
            f"{cost:.4f} per row at threshold {assessed.threshold:.4f}; "
            + ", ".join(f"{gap} to {name.replace('_', ' ')}" for name, gap in without.items()),
            {"costs": assessed.costs, "threshold_reason": assessed.threshold_reason},
        )


@dataclass(frozen=True)
class BeatsBaselines(BinaryCriterion):
    """Better than the rule of thumb, and than the scorecard in ranking or cost.

    The AUC must be surely more than `min_gain` above the rule of thumb's, which only ranks.
    Against the scorecard it must surely win in one of the two, AUC by more than `min_gain` or
    cost per row, and not surely lose in the other; up to `cost_margin`, a share of the
    scorecard's cost, costs count as equal. Surely: by the 95 % interval of the paired difference
    over the holdout's rows; to win takes more at each further look (see `sure_at`), not to lose
    does not.
    """

    name: ClassVar[str] = "beats_baselines"
    sentence: ClassVar[str] = "It is worth its complexity: simpler models are not as good."
    min_gain: float = 0.0
    cost_margin: float = 0.0

    def __post_init__(self) -> None:
        """Refuse margins that a much worse model would pass."""
        within(self, min_gain=(-0.05, 0.05), cost_margin=(0.0, 0.1))

    def judge(self, evidence: BinaryEvidence) -> Finding:
        """Compare ranking with both baselines, and cost with the scorecard."""
        auc = finite(evidence.metrics("candidate").auc, "AUC")
        for role in ("naive", "scorecard"):
            finite(evidence.metrics(role).auc, f"AUC of the {role}")
        sure, gain = sure_at(evidence.looks), evidence.assessed.gains["scorecard"].over_rows
        cost = evidence.assessed.cost_gaps["scorecard"]
        gains = {
            "naive": evidence.assessed.gains["naive"].over_rows.interval(sure),
            "scorecard": gain.interval(sure),
        }
        dearer = cost.interval(sure)
        for what in (*gains.values(), dearer):
            finite(what.low, "lower bound of a difference")
            finite(what.high, "upper bound of a difference")
        margin = self.cost_margin * abs(finite(evidence.assessed.costs["scorecard"], "its cost"))
        ranks = gains["scorecard"].low > self.min_gain and cost.interval(SURE).low <= margin
        saves = dearer.high < 0 and gain.interval(SURE).high >= self.min_gain
        return Finding(
            gains["naive"].low > self.min_gain and (ranks or saves),
            f"AUC surely over {self.min_gain} above the naive rule's; against the scorecard surely "
            "better in AUC or cost, and not surely worse in the other (costs equal up to "
            f"{self.cost_margin:.0%})",
            f"AUC {auc:.4f}; gain over naive {gains['naive']}, over scorecard "
            f"{gains['scorecard']}; costs {dearer} more per row than the scorecard",
            {"gains": {k: asdict(v) for k, v in gains.items()}, "cost_gap": asdict(dearer)},
        )


@dataclass(frozen=True)
class EnoughRows(BinaryCriterion):
    """Enough holdout rows to say anything, and none of them twice.

    `min_positives` holds for the rarer of positives and others: what tells them apart is known no
    better than the fewer of them are.
    """

    name: ClassVar[str] = "enough_rows"
    sentence: ClassVar[str] = "The holdout is large enough, and each of its rows counts once."
    min_rows: int = 1000
    min_positives: int = 100

    def __post_init__(self) -> None:
        """Refuse so few rows that nothing can be said."""
        within(self, min_rows=(200, 1e9), min_positives=(50, 1e9))

    def judge(self, evidence: BinaryEvidence) -> Finding:
        """Compare the counts with their bounds."""
        metrics, repeated = evidence.metrics("candidate"), evidence.assessed.repeated_rows
        rarer = min(metrics.positives, metrics.rows - metrics.positives)
        is_large = metrics.rows >= self.min_rows and rarer >= self.min_positives
        return Finding(
            is_large and repeated == 0,
            f">= {self.min_rows} rows, >= {self.min_positives} positives and as many others, "
            "none repeated",
            f"{metrics.rows} rows, {metrics.positives} positives, {repeated} repeated",
        )
