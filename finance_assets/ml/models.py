"""Fitted models: the few questions every family answers, over plain arrays and plain text.

How a family is trained is in training.py; where a model is kept, in registry.py. A model is its
text: LightGBM's own format or XGBoost's JSON, never a pickle.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from finance_assets.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Model:
    """A fitted model of a family, as its text. Rows come as float64, features in order."""

    text: str
    features: tuple[str, ...]

    def predict(self, rows: "np.ndarray", threads: int = 0) -> "np.ndarray":
        """Probability of the target for each row; 0 threads lets the library choose."""
        raise NotImplementedError

    @staticmethod
    def features_in(text: str) -> tuple[str, ...]:
        """Names of the features in the order in which the text takes them."""
        raise NotImplementedError

    def inputs(self, frame: "pd.DataFrame") -> "np.ndarray":
        """The model's own features of a frame, as `predict` takes them.

        Raises:
            KeyError: the frame lacks one of them.
        """
        return frame[list(self.features)].to_numpy("float64")

    def contributions(self, rows: "np.ndarray") -> "np.ndarray":
        """Each feature's exact share of each row's log-odds, shape (rows, features)."""
        raise NotImplementedError

    def gain_shares(self) -> dict[str, float]:
        """Share of the total gain that each feature brought."""
        raise NotImplementedError

    @property
    def native(self) -> Any:
        """The library's own object, for MLflow's flavour of the family."""
        raise NotImplementedError


@dataclass(frozen=True)
class LightGbmModel(Model):
    """A LightGBM booster."""

    @staticmethod
    def features_in(text: str) -> tuple[str, ...]:
        """The header line `feature_names=a b c`."""
        for line in text.splitlines():
            if line.startswith("feature_names="):
                return tuple(line.removeprefix("feature_names=").split(" "))
        return ()

    @cached_property
    def native(self) -> Any:
        """`lightgbm.Booster`."""
        import lightgbm as lgb

        return lgb.Booster(model_str=self.text)

    def predict(self, rows: "np.ndarray", threads: int = 0) -> "np.ndarray":
        """Probabilities."""
        import numpy as np

        if len(rows) == 0:
            return np.zeros(0)
        return np.asarray(self.native.predict(rows, num_threads=threads))

    def contributions(self, rows: "np.ndarray") -> "np.ndarray":
        """LightGBM's SHAP values, without the base value."""
        import numpy as np

        return np.asarray(self.native.predict(rows, pred_contrib=True))[:, :-1]

    def gain_shares(self) -> dict[str, float]:
        """LightGBM's gain importance."""
        gains = self.native.feature_importance("gain")
        return _shares(dict(zip(self.features, map(float, gains), strict=True)))


@dataclass(frozen=True)
class XgBoostModel(Model):
    """An XGBoost booster, as trained by xgboost.spark."""

    @staticmethod
    def features_in(text: str) -> tuple[str, ...]:
        """`learner.feature_names` of the JSON."""
        return tuple(json.loads(text)["learner"]["feature_names"])

    @cached_property
    def native(self) -> Any:
        """`xgboost.Booster`."""
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(bytearray(self.text.encode()))
        return booster

    def _matrix(self, rows: "np.ndarray") -> Any:
        import xgboost

        return xgboost.DMatrix(rows, feature_names=self.native.feature_names)

    def predict(self, rows: "np.ndarray", threads: int = 0) -> "np.ndarray":
        """Probabilities."""
        import numpy as np

        return np.asarray(self.native.predict(self._matrix(rows)), dtype="float64")

    def contributions(self, rows: "np.ndarray") -> "np.ndarray":
        """XGBoost's SHAP values, without the base value."""
        import numpy as np

        return np.asarray(self.native.predict(self._matrix(rows), pred_contribs=True))[:, :-1]

    def gain_shares(self) -> dict[str, float]:
        """XGBoost's total gain."""
        gains = self.native.get_score(importance_type="total_gain")
        names = self.native.feature_names or [f"f{i}" for i in range(len(self.features))]
        return _shares(
            {ours: gains.get(name, 0.0) for ours, name in zip(self.features, names, strict=True)}
        )


FAMILIES: dict[str, type[Model]] = {"lightgbm": LightGbmModel, "xgboost": XgBoostModel}


def load_model(family: str, text: str) -> Model:
    """The model of a family from its text, which also says what its features are.

    Raises:
        ModelError: the family is not known, or the text is not one of its models.
    """
    if family not in FAMILIES:
        raise ModelError(
            f"there is no model family {family!r}",
            where="tag model_family",
            remedy=f"one of {', '.join(FAMILIES)}",
        )
    kind = FAMILIES[family]
    return kind(text, kind.features_in(text))


def _shares(gains: dict[str, float]) -> dict[str, float]:
    total = sum(gains.values())
    return {name: gain / total if total else 0.0 for name, gain in gains.items()}
