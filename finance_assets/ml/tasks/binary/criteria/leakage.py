"""The criterion about leaks: of the outcome into the inputs, of the training into the holdout."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from finance_assets.ml.criteria.bounded import all_within
from finance_assets.ml.criteria.numbers import finite, largest, within
from finance_assets.ml.criterion import Finding
from finance_assets.ml.tasks.binary.criteria.base import BinaryCriterion, BinaryEvidence


@dataclass(frozen=True)
class Leakage(BinaryCriterion):
    """Not too good to be true, in itself and against everything it can be compared with.

    `max_auc` and `max_gain_share` bound the model. `max_jump` bounds the gain in AUC over the
    champion: a candidate that is so much better has found something, and a person should know
    what. `max_naive` bounds the AUC of the rule of thumb, the one feature that may know much;
    `max_over_naive` by how much any other, alone, ranks better; `max_unique` what is lost without
    any other: honest features stand in for each other, the outcome has no stand-in.
    `max_repetition` bounds the share of holdout rows that repeat training rows, beyond what is
    usual in this data.

    What it cannot see: a leak spread thinly over several features, and copied rows with noise.
    """

    name: ClassVar[str] = "leakage"
    sentence: ClassVar[str] = "Nothing suggests that the outcome leaked into its inputs."
    max_auc: float
    max_gain_share: float = 0.95
    max_jump: float = 0.05
    max_naive: float = 0.9
    max_over_naive: float = 0.02
    max_unique: float = 0.01
    max_repetition: float = 0.1

    def __post_init__(self) -> None:
        """Refuse bounds that the outcome itself would pass."""
        within(
            self,
            max_auc=(0.6, 0.99),
            max_gain_share=(0.1, 0.99),
            max_jump=(0.005, 0.2),
            max_naive=(0.5, 0.95),
            max_over_naive=(0.0, 0.2),
            max_unique=(0.001, 0.1),
            max_repetition=(0.001, 0.5),
        )

    def judge(self, evidence: BinaryEvidence) -> Finding:
        """Compare each figure with its bound."""
        return all_within(self._figures(evidence))

    def _figures(self, evidence: BinaryEvidence) -> Iterator[tuple[str, float, float]]:
        """What is bounded, its value and the bound."""
        assessed, auc = evidence.assessed, evidence.metrics("candidate").auc
        yield "AUC", auc, self.max_auc
        name, share = largest(assessed.gain_shares)
        yield f"share of the gain: {name}", share, self.max_gain_share
        # A champion that was not measured stops the candidate elsewhere (BeatsChampion).
        if "champion" in evidence.measured:
            jump = finite(auc, "AUC") - evidence.metrics("champion").auc
            yield "jump over the champion", jump, self.max_jump
        naive = finite(assessed.alone[assessed.naive], "AUC of the rule of thumb")
        yield "rule of thumb alone", naive, self.max_naive
        name, reached = largest(assessed.alone)
        over = reached - naive
        yield f"over the rule of thumb alone: {name}", over, self.max_over_naive
        largest(assessed.unique)
        others = {k: v for k, v in assessed.unique.items() if k != assessed.naive}
        name, lost = largest(others) if others else ("none other", 0.0)
        yield f"lost without: {name}", lost, self.max_unique
        copied = assessed.repetition
        finite(copied.share, "share of repeated rows")
        yield f"rows repeated of {copied.partition}", copied.excess, self.max_repetition
