"""Reason codes: which features pushed a row's score up, in the words that the use case declares.

Exact contributions are some 250 times dearer than a score, so they are computed for the rows
of the declared band only.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.families.family import Model

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ReasonCodes:
    """Reasons for rows of `band` and above: how many, and each feature's plain words."""

    band: str
    words: dict[str, str]
    top: int = 3


def reason_columns(codes: ReasonCodes | None) -> list[str]:
    """Names of the columns that hold the reasons, strongest first."""
    return [f"reason_{i + 1}" for i in range(codes.top)] if codes else []


def explain(
    model: Model, codes: ReasonCodes, rows: "np.ndarray", score: "np.ndarray", from_score: float
) -> dict[str, list[str | None]]:
    """The top reasons of each row with a score of at least `from_score`; the others get none.

    A reason is a feature that raised the score. Features with the same words count as one.
    """
    import numpy as np

    columns: dict[str, list[str | None]] = {
        name: [None] * len(rows) for name in reason_columns(codes)
    }
    chosen = np.flatnonzero(score >= from_score)
    if len(chosen) == 0:
        return columns
    # A champion may know a feature that the use case has dropped since.
    words = [codes.words.get(name, name) for name in model.features]
    phrases = sorted(set(words))
    member = np.array([[word == phrase for phrase in phrases] for word in words], dtype="float64")
    # Rounded, so that the order does not hang on the last bit of a sum.
    pushed = (model.contributions(rows[chosen]) @ member).round(9)
    order = np.argsort(-pushed, axis=1, kind="stable")[:, : codes.top]
    for place, name in enumerate(columns):
        if place >= order.shape[1]:
            break
        for row, phrase in zip(chosen, order[:, place], strict=True):
            strength = pushed[np.searchsorted(chosen, row), phrase]
            columns[name][row] = phrases[phrase] if strength > 0 else None
    return columns
