"""Assessment: everything about a candidate's holdout, beyond the plain metrics, in one record.

The types, their JSON, what decisions cost and how scores move. Nothing is judged here.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from finance_assets.ml.estimates import Estimate, Gain
from finance_assets.ml.groups import GroupGap
from finance_assets.ml.metrics import Recalibration
from finance_assets.ml.probes import Repetition
from finance_assets.monitoring.drift import build_reference, population_stability_index

if TYPE_CHECKING:
    import numpy as np


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

    def each_row(self, outcome: "np.ndarray", is_flagged: "np.ndarray") -> "np.ndarray":
        """Cost of the decision on each row."""
        import numpy as np

        bad = outcome > 0
        return np.where(
            is_flagged,
            np.where(bad, self.flagged_bad, self.flagged_good),
            np.where(bad, self.missed_bad, self.passed_good),
        )

    def per_row(self, outcome: "np.ndarray", is_flagged: "np.ndarray") -> float:
        """Mean cost of these decisions."""
        return float(self.each_row(outcome, is_flagged).mean())


@dataclass(frozen=True)
class Assessment:
    """Everything beyond the plain metrics that the gate and the model card need.

    `threshold` is the score from which rows are flagged, `costs` are per row at it by role,
    with `flag_nobody` and `flag_everybody`. `gains` and `cost_gaps` compare the candidate with
    each other role (a negative gap: the candidate is cheaper). `stability` is the PSI of the
    score in each holdout month against the month before; `gaps` are the groups at every
    threshold in use, `unjudged` attributes that could not be compared, and why. `alone` and
    `unique` are AUCs by feature: reached by it alone, lost without it; `naive` is the feature
    that is the rule of thumb. `repeated_rows` counts keys that occur again.
    """

    threshold: float
    threshold_reason: str
    cost_unit: str
    costs: dict[str, float]
    cost_gaps: dict[str, Estimate]
    gains: dict[str, Gain]
    recalibration: Recalibration
    stability: dict[str, float]
    gaps: tuple[GroupGap, ...]
    small_groups: dict[str, int]
    unjudged: dict[str, str]
    gain_shares: dict[str, float]
    naive: str
    alone: dict[str, float]
    unique: dict[str, float]
    repetition: Repetition
    repeated_rows: int

    def to_json(self) -> str:
        """The assessment as the evaluation table stores it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Assessment":
        """Read a stored assessment back.

        Raises:
            ValueError: it lacks a part, e.g. because an older version of the code wrote it.
        """
        from pydantic import TypeAdapter

        record: Any = json.loads(text)
        return TypeAdapter(cls).validate_python(record)


def score_stability(scores_by_month: dict[str, Sequence[float]]) -> dict[str, float]:
    """PSI of each month's scores against the month before; the first has none."""
    months = sorted(scores_by_month)
    found = {}
    for before, month in zip(months, months[1:], strict=False):
        reference = build_reference("score", scores_by_month[before])
        now = build_reference("score", scores_by_month[month], reference.edges)
        found[month] = population_stability_index(reference.counts, now.counts)
    return found
