"""Costs: what decisions cost, and from which score acting on a row is cheaper than not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
