"""Criteria about how well a candidate does on the holdout."""

from dataclasses import asdict, dataclass
from typing import ClassVar

from finance_assets.ml.criteria.numbers import finite
from finance_assets.ml.gate import Criterion, Evidence, Finding


@dataclass(frozen=True)
class Discrimination(Criterion):
    """AUC of at least `min_auc`."""

    name: ClassVar[str] = "discrimination"
    sentence: ClassVar[str] = "The candidate tells good from bad well enough."
    min_auc: float

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the candidate's AUC with the floor."""
        auc = finite(evidence.metrics("candidate").auc, "AUC")
        return Finding(auc >= self.min_auc, f"AUC >= {self.min_auc}", f"AUC {auc:.4f}")


@dataclass(frozen=True)
class BeatsChampion(Criterion):
    """The whole confidence interval of the AUC gain lies above `min_gain`.

    0 demands a gain that is not noise; a negative value accepts a candidate that is not worse
    by more than this margin.
    """

    name: ClassVar[str] = "beats_champion"
    sentence: ClassVar[str] = "It is better than today's champion, and not by chance."
    min_gain: float = 0.0

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the lower bound of the gain with the least gain."""
        candidate = finite(evidence.metrics("candidate").auc, "AUC")
        if evidence.champion_version is None:
            return Finding(True, "no champion to beat", f"AUC {candidate:.4f}, no champion yet")
        champion = finite(evidence.metrics("champion").auc, "the champion's AUC")
        gain = evidence.assessed.auc_gain
        if gain is None:
            raise ValueError("the gain over the champion was not measured")
        return Finding(
            finite(gain.low, "lower bound of the gain") > self.min_gain,
            f"gain in AUC over v{evidence.champion_version} ({champion:.4f}), lower bound of its "
            f"{gain.confidence:.0%} interval > {self.min_gain}",
            f"AUC {candidate:.4f}, gain {gain}",
            asdict(gain),
        )


@dataclass(frozen=True)
class Calibration(Criterion):
    """Mean distance of score and rate of at most `max_error`."""

    name: ClassVar[str] = "calibration"
    sentence: ClassVar[str] = "Its probabilities mean what they say."
    max_error: float

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the calibration error with its bound."""
        error = evidence.metrics("candidate").calibration_error
        error = finite(error, "calibration error")
        return Finding(
            error <= self.max_error, f"calibration error <= {self.max_error}", f"{error:.4f}"
        )


@dataclass(frozen=True)
class BusinessCost(Criterion):
    """Cost per row at the implied threshold: below doing nothing or everything, and not above
    the champion's by more than `tolerance` (a share of it).
    """

    name: ClassVar[str] = "business_cost"
    sentence: ClassVar[str] = "Deciding by it costs less than not having it."
    tolerance: float = 0.0

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the candidate's cost with the cheapest alternative."""
        assessed = evidence.assessed
        cost = finite(assessed.costs["candidate"], "the candidate's cost")
        bounds = {name: assessed.costs[name] for name in ("flag_nobody", "flag_everybody")}
        if evidence.champion_version is not None:
            bounds["champion"] = assessed.costs["champion"] * (1 + self.tolerance)
        name = min(bounds, key=lambda key: finite(bounds[key], f"cost of {key}"))
        return Finding(
            cost <= bounds[name],
            f"<= {bounds[name]:.4f} per row ({name.replace('_', ' ')})",
            f"{cost:.4f} per row at threshold {assessed.threshold:.4f}",
            {"costs": assessed.costs, "threshold_reason": assessed.threshold_reason},
        )


@dataclass(frozen=True)
class BeatsBaselines(Criterion):
    """AUC at least `min_gain` above the naive rule's and the scorecard's."""

    name: ClassVar[str] = "beats_baselines"
    sentence: ClassVar[str] = "It is worth its complexity: simpler models are not as good."
    min_gain: float = 0.0

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the candidate's AUC with the better baseline's."""
        auc = finite(evidence.metrics("candidate").auc, "AUC")
        baselines = {
            role: finite(evidence.metrics(role).auc, f"AUC of the {role}")
            for role in ("naive", "scorecard")
        }
        best = max(baselines, key=lambda role: baselines[role])
        return Finding(
            auc >= baselines[best] + self.min_gain,
            f"AUC >= {baselines[best]:.4f} ({best}) + {self.min_gain}",
            f"AUC {auc:.4f}",
            baselines,
        )


@dataclass(frozen=True)
class EnoughRows(Criterion):
    """Enough holdout rows and positives to say anything, and none of them twice."""

    name: ClassVar[str] = "enough_rows"
    sentence: ClassVar[str] = "The holdout is large enough, and each of its rows counts once."
    min_rows: int = 1000
    min_positives: int = 100

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the counts with their bounds."""
        metrics, repeated = evidence.metrics("candidate"), evidence.assessed.repeated_rows
        is_large = metrics.rows >= self.min_rows and metrics.positives >= self.min_positives
        return Finding(
            is_large and repeated == 0,
            f">= {self.min_rows} rows, >= {self.min_positives} positives, none repeated",
            f"{metrics.rows} rows, {metrics.positives} positives, {repeated} repeated",
        )
