"""The criterion about the rows that nobody can learn from: those whose outcome is not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from finance_assets.ml.criteria.numbers import within
from finance_assets.ml.criterion import Criterion, Evidence, Finding

if TYPE_CHECKING:
    from finance_assets.ml.known import Known


@dataclass(frozen=True)
class KnownOutcomes(Criterion[Any, Any]):
    """The outcome of at least `min_share` of the rows is known: of those held out, and of those
    learned from.

    Which outcomes are missing is seldom chance: a delivery that was cut has those of the first
    accounts. What is measured on them says nothing of the others.
    """

    name: ClassVar[str] = "known_outcomes"
    sentence: ClassVar[str] = "Of most rows, held out or learned from, the outcome is known."
    min_share: float = 0.8

    def __post_init__(self) -> None:
        """Refuse a bound with which a small part could speak for all."""
        within(self, min_share=(0.2, 1.0))

    def judge(self, evidence: Evidence[Any, Any]) -> Finding:
        """Compare the share of the holdout, and of the training rows, with the bound."""
        parts = {
            "held out": [one for one in evidence.known if one.is_held_out],
            "learned from": [one for one in evidence.known if not one.is_held_out],
        }
        few = [one for one in evidence.known if one.known < self.min_share * one.rows]
        shares = {part: _share(found, part) for part, found in parts.items()}
        fewest = min(evidence.known, key=lambda one: one.known / one.rows)
        told = [f"{part}: {share:.1%}" for part, share in shares.items()]
        told.append(f"fewest: {fewest.known} of {fewest.rows} rows of {fewest.partition}")
        return Finding(
            all(share >= self.min_share for share in shares.values()),
            f"outcome known of >= {self.min_share:.0%} of the rows",
            "; ".join(told),
            {one.partition: [one.known, one.rows] for one in few},
        )


def _share(found: "Sequence[Known]", part: str) -> float:
    """The share of the rows whose outcome is known.

    Raises:
        ValueError: there are no rows.
    """
    rows = sum(one.rows for one in found)
    if not rows:
        raise ValueError(f"no rows are known to be {part}")
    return sum(one.known for one in found) / rows
