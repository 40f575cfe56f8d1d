"""The criteria of the gate: each a frozen dataclass whose fields are its bounds.

A use case declares the list (see gate.py for what it cannot leave out). No criterion reads
anything but the evidence.
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import ClassVar

from finance_assets.ml.gate import Criterion, Evidence, Finding

REQUIRED_TAGS = (
    "use_case",
    "env",
    "owner",
    "git_sha",
    "dataset_version",
    "model_family",
    "train_window",
)


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}")
    return value


@dataclass(frozen=True)
class Discrimination(Criterion):
    """AUC of at least `min_auc`."""

    name: ClassVar[str] = "discrimination"
    sentence: ClassVar[str] = "The candidate tells good from bad well enough."
    min_auc: float

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the candidate's AUC with the floor."""
        auc = _finite(evidence.metrics("candidate").auc, "AUC")
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
        candidate = _finite(evidence.metrics("candidate").auc, "AUC")
        if evidence.champion_version is None:
            return Finding(True, "no champion to beat", f"AUC {candidate:.4f}, no champion yet")
        champion = _finite(evidence.metrics("champion").auc, "the champion's AUC")
        gain = evidence.assessed.auc_gain
        if gain is None:
            raise ValueError("the gain over the champion was not measured")
        return Finding(
            _finite(gain.low, "lower bound of the gain") > self.min_gain,
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
        error = _finite(error, "calibration error")
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
        cost = _finite(assessed.costs["candidate"], "the candidate's cost")
        bounds = {name: assessed.costs[name] for name in ("flag_nobody", "flag_everybody")}
        if evidence.champion_version is not None:
            bounds["champion"] = assessed.costs["champion"] * (1 + self.tolerance)
        name = min(bounds, key=lambda key: _finite(bounds[key], f"cost of {key}"))
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
        auc = _finite(evidence.metrics("candidate").auc, "AUC")
        baselines = {
            role: _finite(evidence.metrics(role).auc, f"AUC of the {role}")
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
class Stability(Criterion):
    """PSI of the score from one month to the next of at most `max_psi`."""

    name: ClassVar[str] = "stability"
    sentence: ClassVar[str] = "Its scores do not jump from one month to the next."
    max_psi: float = 0.25

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the largest jump with the bound."""
        jumps = evidence.assessed.stability
        worst = max(jumps, key=lambda month: _finite(jumps[month], f"PSI of {month}"))
        return Finding(
            jumps[worst] <= self.max_psi,
            f"PSI of the score, month to month, <= {self.max_psi}",
            f"{jumps[worst]:.4f} in {worst}",
            jumps,
        )


@dataclass(frozen=True)
class Fairness(Criterion):
    """No group is treated worse beyond practice and beyond chance.

    Broken if a group's share of favourable decisions falls below `min_ratio` of the largest
    group's, or its deserving members' share below by more than `max_gap`, and the confidence
    interval excludes equality. Both conditions, as a tiny significant gap is no harm and a
    large one in a handful of rows no evidence. A use case without protected attributes says
    why in `why_none`.
    """

    name: ClassVar[str] = "fairness"
    sentence: ClassVar[str] = "It treats the groups of protected attributes alike."
    min_ratio: float = 0.8
    max_gap: float = 0.1
    why_none: str = ""

    def judge(self, evidence: Evidence) -> Finding:
        """Look for groups that are treated worse, and for attributes that were not judged."""
        assessed = evidence.assessed
        if assessed.unjudged or not assessed.gaps:
            waived = bool(self.why_none) and not assessed.unjudged
            observed = json.dumps(assessed.unjudged) if assessed.unjudged else self.why_none
            return Finding(waived, "every protected attribute judged", observed or "none declared")
        broken, worst = [], min(assessed.gaps, key=lambda gap: gap.ratio.value)
        for gap in assessed.gaps:
            ratio, opportunity = gap.ratio, gap.opportunity_gap
            for bound in (ratio.value, ratio.high, opportunity.value, opportunity.high):
                _finite(bound, f"a figure of {gap.attribute}={gap.group}")
            is_low = ratio.value < self.min_ratio and ratio.high < 1
            is_apart = opportunity.value < -self.max_gap and opportunity.high < 0
            if is_low or is_apart:
                broken.append(f"{gap.attribute}={gap.group}: {ratio}, {opportunity}")
        return Finding(
            not broken,
            f"favourable rate >= {self.min_ratio} of the largest group's, deserving rate at most "
            f"{self.max_gap} below",
            "; ".join(broken) or f"lowest: {worst.attribute}={worst.group}, {worst.ratio}",
            {"groups": len(assessed.gaps), "too_small": assessed.small_groups},
        )


@dataclass(frozen=True)
class Leakage(Criterion):
    """Not too good to be true, and not resting on one feature alone."""

    name: ClassVar[str] = "leakage"
    sentence: ClassVar[str] = "Nothing suggests that the outcome leaked into its inputs."
    max_auc: float
    max_gain_share: float = 0.95

    def judge(self, evidence: Evidence) -> Finding:
        """Compare AUC and the largest share of the gain with their bounds."""
        auc = _finite(evidence.metrics("candidate").auc, "AUC")
        shares = evidence.assessed.gain_shares
        top = max(shares, key=lambda name: _finite(shares[name], f"share of {name}"))
        return Finding(
            auc <= self.max_auc and shares[top] <= self.max_gain_share,
            f"AUC <= {self.max_auc}, no feature with over {self.max_gain_share:.0%} of the gain",
            f"AUC {auc:.4f}, {top} has {shares[top]:.0%}",
            shares,
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


@dataclass(frozen=True)
class PointInTime(Criterion):
    """Trained on just the months, rows and data versions that it should be as of its month."""

    name: ClassVar[str] = "point_in_time"
    sentence: ClassVar[str] = "It learned from what was known then, and from nothing held out."

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the candidate's tags with what a training of today would have."""
        if not evidence.expected:
            raise ValueError("nothing is known about what it should have been trained on")
        wrong = {
            tag: f"{evidence.tags.get(tag)} instead of {value}"
            for tag, value in evidence.expected.items()
            if evidence.tags.get(tag) != value
        }
        observed = "; ".join(f"{tag}: {what}" for tag, what in wrong.items())
        required = ", ".join(f"{tag} {value}" for tag, value in evidence.expected.items())
        return Finding(not wrong, required, observed or "just these")


@dataclass(frozen=True)
class Artifact(Criterion):
    """The stored model is the registered one, and training again gives the same bytes."""

    name: ClassVar[str] = "artifact"
    sentence: ClassVar[str] = "The stored model is what its recipe gives, byte for byte."

    def judge(self, evidence: Evidence) -> Finding:
        """Compare registered digest, stored file and a second training."""
        registered = evidence.tags.get("artifact_sha256", "")
        problem = evidence.artifact_problem or evidence.unmeasured.get("candidate", "")
        same = bool(registered) and registered == evidence.retrained_sha256
        if not problem and not same:
            again = evidence.retrained_sha256[:12] or "nothing"
            problem = f"registered {registered[:12] or 'nothing'}, trained again {again}"
        return Finding(
            not problem,
            "stored = registered = trained again from the recorded recipe",
            problem or f"sha256 {registered[:12]}",
        )


@dataclass(frozen=True)
class Signature(Criterion):
    """Inputs as declared, and as the champion's unless the change is declared."""

    name: ClassVar[str] = "signature"
    sentence: ClassVar[str] = "It takes exactly the declared features, as the champion does."
    declared_change: str = ""

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the candidate's inputs with the declared ones and the champion's."""
        is_declared = bool(evidence.signature) and evidence.signature == evidence.expected_signature
        is_kept = evidence.champion_version is None or bool(
            evidence.champion_signature == evidence.signature or self.declared_change
        )
        observed = ", ".join(evidence.signature) or "no signature"
        if not is_kept:
            observed += f"; the champion takes {', '.join(evidence.champion_signature) or 'none'}"
        return Finding(is_declared and is_kept, ", ".join(evidence.expected_signature), observed)


@dataclass(frozen=True)
class RequiredTags(Criterion):
    """Every tag that makes it traceable is set."""

    name: ClassVar[str] = "required_tags"
    sentence: ClassVar[str] = "It can be traced: every required tag is set."

    def judge(self, evidence: Evidence) -> Finding:
        """Look for missing tags."""
        missing = [tag for tag in REQUIRED_TAGS if not evidence.tags.get(tag)]
        observed = f"missing: {', '.join(missing)}" if missing else "all there"
        return Finding(not missing, ", ".join(REQUIRED_TAGS), observed)


@dataclass(frozen=True)
class DataChecks(Criterion):
    """Every input window was published with all its checks passed."""

    name: ClassVar[str] = "data_checks"
    sentence: ClassVar[str] = "Every input window passed its data checks."

    def judge(self, evidence: Evidence) -> Finding:
        """Look for input windows with failed checks."""
        failed = {window: names for window, names in evidence.data_checks.items() if names}
        return Finding(
            bool(evidence.data_checks) and not failed,
            "every input window published with all checks passed",
            json.dumps(failed) if failed else f"{len(evidence.data_checks)} input windows",
        )
