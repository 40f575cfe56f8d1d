"""Criteria about groups and about leaks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from finance_assets.ml.criteria.bounded import all_within
from finance_assets.ml.criteria.numbers import finite, largest, within
from finance_assets.ml.criterion import Finding
from finance_assets.ml.tasks.regression.criteria.base import (
    RegressionCriterion,
    RegressionEvidence,
)
from finance_assets.ml.tasks.regression.groups import GroupError


@dataclass(frozen=True)
class Fairness(RegressionCriterion):
    """No group's forecasts are worse beyond practice and beyond chance.

    Every group of every protected attribute and of their intersections is compared with all rows.
    Broken if its error is more than `max_ratio` of theirs and the interval, which holds for all
    groups at once, excludes equality. A use case without protected attributes says why in
    `why_none`.
    """

    name: ClassVar[str] = "fairness"
    sentence: ClassVar[str] = "Its forecasts are as good for every group."
    max_ratio: float = 1.25
    why_none: str = ""

    def __post_init__(self) -> None:
        """Refuse a bound that no difference would break."""
        within(self, max_ratio=(1.0, 2.0))

    def judge(self, evidence: RegressionEvidence) -> Finding:
        """Look for groups with larger errors, and for attributes that were not judged."""
        assessed = evidence.assessed
        if assessed.unjudged or not assessed.groups:
            waived = bool(self.why_none) and not assessed.unjudged
            observed = json.dumps(assessed.unjudged) if assessed.unjudged else self.why_none
            return Finding(waived, "every protected attribute judged", observed or "none declared")
        broken = [group for group in assessed.groups if self._is_broken(group)]
        worst = max(assessed.groups, key=lambda group: group.ratio.value)
        return Finding(
            not broken,
            f"no group's error surely above that of all rows and over {self.max_ratio} of it",
            "; ".join(map(_words, broken)) or f"largest: {_words(worst)}",
            {"comparisons": len(assessed.groups), "too_small": assessed.small_groups},
        )

    def _is_broken(self, group: GroupError) -> bool:
        for bound in (group.ratio.low, group.ratio.value):
            finite(bound, f"a figure of {group.group}")
        return group.ratio.value > self.max_ratio and group.ratio.low > 1


def _words(group: GroupError) -> str:
    return f"{group.group}: {group.ratio} of all rows' error"


@dataclass(frozen=True)
class Leakage(RegressionCriterion):
    """Not too good to be true, in itself and against everything it can be compared with.

    `max_skill` bounds the share of the rule of thumb's error that is saved, `max_jump` that saved
    over the champion, `max_gain_share` what one feature brings. `max_alone` bounds the rank
    correlation of any feature with what the rule of thumb missed, `max_unique` the error that
    surely comes back without any but the rule of thumb. `max_repetition` bounds the share of
    holdout rows that repeat training rows, beyond what is usual in this data.
    """

    name: ClassVar[str] = "leakage"
    sentence: ClassVar[str] = "Nothing suggests that the outcome leaked into its inputs."
    max_skill: float = 0.7
    max_jump: float = 0.3
    max_gain_share: float = 0.99
    max_alone: float = 0.7
    max_unique: float = 0.2
    max_repetition: float = 0.1

    def __post_init__(self) -> None:
        """Refuse bounds that the outcome itself would pass."""
        within(
            self,
            max_skill=(0.01, 0.95),
            max_jump=(0.01, 0.5),
            max_gain_share=(0.1, 0.999),
            max_alone=(0.05, 0.95),
            max_unique=(0.001, 0.5),
            max_repetition=(0.001, 0.5),
        )

    def judge(self, evidence: RegressionEvidence) -> Finding:
        """Compare each figure with its bound."""
        return all_within(self._figures(evidence))

    def _figures(self, evidence: RegressionEvidence) -> Iterator[tuple[str, float, float]]:
        """What is bounded, its value and the bound."""
        assessed = evidence.assessed
        yield "skill", assessed.skill.value, self.max_skill
        # Over the rule of thumb as champion, the jump is the skill.
        if "champion" in assessed.gains and not evidence.champion_is_baseline:
            yield "jump over the champion", assessed.gains["champion"].value, self.max_jump
        name, share = largest(assessed.gain_shares)
        yield f"share of the gain: {name}", share, self.max_gain_share
        name, known = largest(assessed.alone)
        yield f"knows the rule of thumb's error: {name}", known, self.max_alone
        others = {k: v for k, v in assessed.unique.items() if k != assessed.naive}
        name, lost = largest(others) if others else ("none other", 0.0)
        yield f"lost without: {name}", lost, self.max_unique
        copied = assessed.repetition
        finite(copied.share, "share of repeated rows")
        yield f"rows repeated of {copied.partition}", copied.excess, self.max_repetition
