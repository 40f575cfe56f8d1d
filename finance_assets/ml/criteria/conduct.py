"""Criteria about how a candidate behaves: over time, towards groups, towards its inputs."""

import json
from dataclasses import dataclass
from typing import ClassVar

from finance_assets.ml.criteria.numbers import finite
from finance_assets.ml.gate import Criterion, Evidence, Finding


@dataclass(frozen=True)
class Stability(Criterion):
    """PSI of the score from one month to the next of at most `max_psi`."""

    name: ClassVar[str] = "stability"
    sentence: ClassVar[str] = "Its scores do not jump from one month to the next."
    max_psi: float = 0.25

    def judge(self, evidence: Evidence) -> Finding:
        """Compare the largest jump with the bound."""
        jumps = evidence.assessed.stability
        worst = max(jumps, key=lambda month: finite(jumps[month], f"PSI of {month}"))
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
                finite(bound, f"a figure of {gap.attribute}={gap.group}")
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
        auc = finite(evidence.metrics("candidate").auc, "AUC")
        shares = evidence.assessed.gain_shares
        top = max(shares, key=lambda name: finite(shares[name], f"share of {name}"))
        return Finding(
            auc <= self.max_auc and shares[top] <= self.max_gain_share,
            f"AUC <= {self.max_auc}, no feature with over {self.max_gain_share:.0%} of the gain",
            f"AUC {auc:.4f}, {top} has {shares[top]:.0%}",
            shares,
        )
