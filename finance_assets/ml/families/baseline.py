"""The baseline: the rule of thumb as a model, which learns its interval and nothing else.

It is fitted anchored (anchored.py): of what the rule of thumb missed it takes the quantiles, and
its median says that nothing is missed. So the rule of thumb is registered, scored with, watched,
reproduced and rolled back to as any model is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from finance_assets.ml.families.family import Family, Model, Objective, Parameters, figures

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class BaselineModel(Model):
    """The same quantiles for every row; its text is JSON."""

    @cached_property
    def quantiles(self) -> list[float]:
        """The quantiles that it gives for every row, in ascending order."""
        return [float(value) for value in json.loads(self.text)["quantiles"]]

    def predict(self, rows: "np.ndarray", threads: int = 0) -> "np.ndarray":
        """The quantiles for each row."""
        import numpy as np

        return np.tile(np.asarray(self.quantiles), (len(rows), 1))

    def contributions(self, rows: "np.ndarray") -> "np.ndarray":
        """Zeros: no feature contributes."""
        import numpy as np

        return np.zeros((len(rows), len(self.features)))

    def gain_shares(self) -> dict[str, float]:
        """Zeros: no feature brought a gain."""
        return dict.fromkeys(self.features, 0.0)


@dataclass(frozen=True)
class Baseline(Family):
    """The family `baseline`: it has no parameters, and nothing in it is random."""

    name: ClassVar[str] = "baseline"
    known: ClassVar[frozenset[str]] = frozenset()
    files: ClassVar[tuple[str, ...]] = ()
    threads_parameter: ClassVar[str] = "threads"

    def fixed(self, objective: Objective, *, is_distributed: bool = False) -> Parameters:
        """The levels of the quantiles."""
        return {"quantiles": list(objective.quantiles)}

    def fit(
        self,
        params: Parameters,
        rounds: int,
        rows: "np.ndarray",
        outcome: "np.ndarray",
        features: Sequence[str],
    ) -> Model:
        """The quantiles of what was missed; the median is 0, as the rule of thumb says."""
        import numpy as np

        levels = figures(params, "quantiles")
        found = np.quantile(outcome, levels).tolist()
        found[len(levels) // 2] = 0.0
        # An interval holds its median, even where the rule of thumb erred to one side only.
        ends = [min(v, 0.0) if q < 0.5 else max(v, 0.0) for v, q in zip(found, levels, strict=True)]
        return BaselineModel(json.dumps({"quantiles": ends}), ())

    def load(self, text: str) -> Model:
        """The model of a text; it takes no features."""
        return BaselineModel(text, ())

    @property
    def library(self) -> str:
        """The library that computes the quantiles, with its version."""
        from importlib.metadata import version

        return f"numpy {version('numpy')}"


BASELINE = Baseline()
