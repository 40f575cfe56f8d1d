"""The criterion about how a candidate behaves over time."""

from dataclasses import dataclass
from typing import Any, ClassVar

from finance_assets.ml.criteria.numbers import finite, within
from finance_assets.ml.criterion import Criterion, Evidence, Finding


@dataclass(frozen=True)
class Stability(Criterion[Any, Any]):
    """PSI of the score from one partition to the next of at most `max_psi`."""

    name: ClassVar[str] = "stability"
    sentence: ClassVar[str] = "Its scores do not jump from one partition to the next."
    max_psi: float = 0.25

    def __post_init__(self) -> None:
        """Refuse a bound that any jump would pass."""
        within(self, max_psi=(0.01, 0.5))

    def judge(self, evidence: Evidence[Any, Any]) -> Finding:
        """Compare the largest jump with the bound."""
        jumps = evidence.assessed.stability
        worst = max(jumps, key=lambda partition: finite(jumps[partition], f"PSI of {partition}"))
        return Finding(
            jumps[worst] <= self.max_psi,
            f"PSI of the score, partition to partition, <= {self.max_psi}",
            f"{jumps[worst]:.4f} in {worst}",
            jumps,
        )
