"""The criterion about how a candidate treats groups."""

import json
from dataclasses import asdict, dataclass
from typing import ClassVar

from finance_assets.ml.criteria.numbers import finite, within
from finance_assets.ml.criterion import Finding
from finance_assets.ml.tasks.binary.criteria.base import BinaryCriterion, BinaryEvidence
from finance_assets.ml.tasks.binary.groups import GroupGap

# A reason for an exception is a sentence, not a word.
MIN_REASON = 40


@dataclass(frozen=True)
class FairnessException:
    """Wider bounds for one group, named in full (`sex=male, age_band=under 25`), and why."""

    group: str
    min_ratio: float
    max_gap: float
    reason: str

    def __post_init__(self) -> None:
        """Refuse an exception for nobody in particular, of any size, or without a reason."""
        within(self, min_ratio=(0.6, 1.0), max_gap=(0.0, 0.25))
        if "=" not in self.group or len(self.reason.strip()) < MIN_REASON:
            raise ValueError(
                f"FairnessException: group={self.group!r}, reason={self.reason!r}, allowed: one "
                f"group as `attribute=value`, and a reason of {MIN_REASON} characters or more"
            )


@dataclass(frozen=True)
class Fairness(BinaryCriterion):
    """No group is treated worse beyond practice and beyond chance.

    Every group of every protected attribute and of their intersections is compared with the
    best-off one, at every threshold in use. Broken if its share of favourable decisions falls
    below `min_ratio` of that group's, or its deserving members' share below by more than
    `max_gap`, and the interval excludes equality. Both conditions, as a tiny significant gap is
    no harm and a large one in a handful of rows no evidence; the intervals hold for all
    comparisons at once (see groups.py). `exceptions` are groups with other bounds, each with its
    reason; report and card show them. A use case without protected attributes says why in
    `why_none`.
    """

    name: ClassVar[str] = "fairness"
    sentence: ClassVar[str] = "It treats the groups of protected attributes alike."
    min_ratio: float = 0.8
    max_gap: float = 0.1
    exceptions: tuple[FairnessException, ...] = ()
    why_none: str = ""

    def __post_init__(self) -> None:
        """Refuse bounds that no treatment would break, and two exceptions for a group."""
        within(self, min_ratio=(0.6, 1.0), max_gap=(0.0, 0.25))
        names = [exception.group for exception in self.exceptions]
        if len(set(names)) != len(names):
            raise ValueError(f"criterion Fairness: exceptions={names}, allowed: one for a group")

    def judge(self, evidence: BinaryEvidence) -> Finding:
        """Look for groups that are treated worse, and for attributes that were not judged."""
        assessed = evidence.assessed
        if assessed.unjudged or not assessed.gaps:
            waived = bool(self.why_none) and not assessed.unjudged
            observed = json.dumps(assessed.unjudged) if assessed.unjudged else self.why_none
            return Finding(waived, "every protected attribute judged", observed or "none declared")
        broken = [gap for gap in assessed.gaps if self._is_broken(gap, own=True)]
        excused = [g for g in assessed.gaps if g not in broken and self._is_broken(g, own=False)]
        lowest = min(assessed.gaps, key=lambda gap: gap.ratio.value)
        observed = "; ".join(_words(gap) for gap in broken) or f"lowest: {_words(lowest)}"
        if excused:
            observed += f". By declared exception: {'; '.join(_words(gap) for gap in excused)}"
        return Finding(
            not broken,
            f"favourable rate >= {self.min_ratio} of the best-off group's, deserving rate at most "
            f"{self.max_gap} below, at every threshold in use"
            + "".join(f"; {e.group}: {e.min_ratio}, {e.max_gap}" for e in self.exceptions),
            observed,
            {
                "comparisons": len(assessed.gaps),
                "too_small": assessed.small_groups,
                "exceptions": [asdict(exception) for exception in self.exceptions],
                "excused": sorted({gap.group for gap in excused}),
            },
        )

    def _is_broken(self, gap: GroupGap, own: bool) -> bool:
        """Whether the group is worse off than allowed: by its own bounds, or by everybody's."""
        ratio, opportunity = gap.ratio, gap.opportunity_gap
        for bound in (ratio.value, ratio.high, opportunity.value, opportunity.high):
            finite(bound, f"a figure of {gap.group}")
        bounds: Fairness | FairnessException = self
        if own:
            found = [e for e in self.exceptions if e.group == gap.group]
            bounds = found[0] if found else self
        is_low = ratio.value < bounds.min_ratio and ratio.high < 1
        is_apart = opportunity.value < -bounds.max_gap and opportunity.high < 0
        return is_low or is_apart


def _words(gap: GroupGap) -> str:
    return (
        f"{gap.group} from {gap.threshold:.3f}: favourable {gap.ratio.value:.3f} of "
        f"{gap.reference}, deserving {gap.opportunity_gap.value:+.3f} to {gap.deserving_reference}"
    )
