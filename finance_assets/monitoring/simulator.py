"""Drift simulator: what could happen to a partition, done to columns on purpose, by a seed.

Pure functions over arrays. Tests measure with it what monitoring notices, and people try their own
limits; nothing here touches a table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Columns = dict[str, "np.ndarray"]


class Change(StrEnum):
    """A change that is simulated on a column."""

    shift = "shift"
    scale = "scale"
    new_category = "new_category"
    missing = "missing"
    flip = "flip"


@dataclass(frozen=True)
class Injury:
    """One change of one column.

    `size`: standard deviations to shift by; the factor to scale by; else the share of rows that
    get the new category, go missing, or have their outcome flipped. `code`: the new category.
    `lasts`: after how many partitions the change is whole; 1 is sudden.
    """

    column: str
    change: Change
    size: float
    code: float = 0.0
    lasts: int = 1

    def at(self, step: int) -> float:
        """How much of the change there is in the `step`-th partition, from 1 on."""
        return min(max(step, 0) / self.lasts, 1.0)


def injure(columns: Columns, injury: Injury, seed: int, step: int = 1) -> Columns:
    """The columns with the injury as far as it is in the `step`-th partition after its begin."""
    import numpy as np

    random = np.random.default_rng((seed, step))
    given = np.asarray(columns[injury.column], dtype="float64")
    changed = _CHANGES[injury.change](given, injury, injury.at(step), random)
    return {**columns, injury.column: changed}


def _shift(
    given: "np.ndarray", injury: Injury, part: float, random: "np.random.Generator"
) -> "np.ndarray":
    import numpy as np

    return given + part * injury.size * float(np.nanstd(given))


def _scale(
    given: "np.ndarray", injury: Injury, part: float, random: "np.random.Generator"
) -> "np.ndarray":
    return given * (1 + part * (injury.size - 1))


def _replaced(
    given: "np.ndarray", injury: Injury, part: float, random: "np.random.Generator"
) -> "np.ndarray":
    import numpy as np

    chosen = random.random(len(given)) < part * injury.size
    if injury.change is Change.flip:
        return np.where(chosen, 1 - given, given)
    value = np.nan if injury.change is Change.missing else injury.code
    return np.where(chosen, value, given)


_CHANGES: dict[
    Change, Callable[["np.ndarray", Injury, float, "np.random.Generator"], "np.ndarray"]
] = {
    Change.shift: _shift,
    Change.scale: _scale,
    Change.new_category: _replaced,
    Change.missing: _replaced,
    Change.flip: _replaced,
}
