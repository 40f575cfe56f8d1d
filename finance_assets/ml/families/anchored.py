"""Anchored models: the forecast is a feature's plain value, and what a model says it misses.

Trees cannot say a level that they never saw; what the rule of thumb misses they can. A family
fits that as any other outcome. The text says all of it, so that whoever loads the model forecasts
the same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from finance_assets.errors import ModelError
from finance_assets.ml.families.family import ANCHORED_FILE, Anchor, Family, Model, Parameters
from finance_assets.ml.families.text_logged import log_text

if TYPE_CHECKING:
    import numpy as np

# The first line of the text: this, then JSON.
HEAD = "anchored "


@dataclass(frozen=True)
class AnchoredModel(Model):
    """A model of what the anchor misses, with the anchor; `inner` sees no column of the anchor."""

    inner: Model
    anchor: Anchor

    @property
    def learned(self) -> tuple[str, ...]:
        """The features that the inner model learned from."""
        return self.inner.features

    def predict(self, rows: "np.ndarray", threads: int = 0) -> "np.ndarray":
        """Quantiles of the target; not a number where the anchor is none."""
        level, unit = self._anchored(rows)
        missed = self.inner.predict(rows[:, self._inner_places], threads)
        found: np.ndarray = level[:, None] + unit[:, None] * missed
        return found

    def contributions(self, rows: "np.ndarray") -> "np.ndarray":
        """The anchor's own value, and of the others what they add to it; the unit adds nothing."""
        import numpy as np

        level, unit = self._anchored(rows)
        found = np.zeros((len(rows), len(self.features)))
        inner = self.inner.contributions(rows[:, self._inner_places])
        found[:, self._inner_places] = unit[:, None] * inner
        found[:, self.features.index(self.anchor.level)] = level
        return found

    def gain_shares(self) -> dict[str, float]:
        """Those of the inner model; the anchor was not learned."""
        return {**dict.fromkeys(self.features, 0.0), **self.inner.gain_shares()}

    @cached_property
    def _inner_places(self) -> list[int]:
        return [self.features.index(name) for name in self.inner.features]

    def _anchored(self, rows: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
        """Level and unit of each row; a unit that is not positive is no number."""
        import numpy as np

        level = rows[:, self.features.index(self.anchor.level)]
        if not self.anchor.per:
            return level, np.ones(len(rows))
        unit = rows[:, self.features.index(self.anchor.per)]
        return level, np.where(unit > 0, unit, np.nan)


def fit_anchored(
    family: Family,
    anchor: Anchor,
    params: Parameters,
    rounds: int,
    rows: "np.ndarray",
    outcome: "np.ndarray",
    features: Sequence[str],
) -> AnchoredModel:
    """Fit what the anchor misses of the outcome, counted in its unit.

    Raises:
        ModelError: the anchor of a row is no number, or its unit is not positive.
    """
    import numpy as np

    names = list(features)
    missed = anchor.missed(outcome, dict(zip(names, rows.T, strict=True)))
    if not np.isfinite(missed).all():
        raise ModelError(
            f"{int((~np.isfinite(missed)).sum())} rows have no anchor to begin a forecast with",
            where=f"{anchor.level}{' in units of ' + anchor.per if anchor.per else ''}",
            remedy="let the feature table give a number in every row, and a unit above 0",
        )
    learned = [name for name in names if name not in anchor.columns]
    places = [names.index(name) for name in learned]
    inner = family.fit(params, rounds, rows[:, places], missed, learned)
    head = {"family": family.name, "features": names, "level": anchor.level, "per": anchor.per}
    text = f"{HEAD}{json.dumps(head)}\n{inner.text}"
    return AnchoredModel(text, tuple(names), inner, anchor)


def is_anchored(text: str) -> bool:
    """Whether a model's text is that of an anchored one."""
    return text.startswith(HEAD)


def load_anchored(text: str, families: dict[str, Family]) -> tuple[str, AnchoredModel]:
    """The model of a text, with the name of the family that fitted what is missed.

    Raises:
        KeyError: its text names no family there is.
    """
    first, _, rest = text.partition("\n")
    head = json.loads(first.removeprefix(HEAD))
    inner = families[head["family"]].load(rest)
    anchor = Anchor(head["level"], head["per"])
    return head["family"], AnchoredModel(text, tuple(head["features"]), inner, anchor)


def log_anchored(model: AnchoredModel, **common: Any) -> Any:
    """Log the text, and with it what serves it: no flavour of MLflow's has an anchor."""
    # MLflow would load and serve the model once more, only to try the example.
    common.pop("input_example", None)
    return log_text(model, ANCHORED_FILE, **common)
