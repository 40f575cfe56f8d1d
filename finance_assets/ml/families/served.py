"""What MLflow calls to serve a model that it has no flavour for: anchored ones, and LightGBM's of
several quantiles.

MLflow finds `_load_pyfunc` by this module's name, which the logged model states.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.ml.families import FAMILIES
from finance_assets.ml.families.anchored import is_anchored, load_anchored
from finance_assets.ml.families.family import Model
from finance_assets.ml.families.lightgbm import LIGHTGBM

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Served:
    """A model that takes frames with its features, as MLflow's signature says."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, rows: "pd.DataFrame") -> "np.ndarray":
        """Quantiles of each row, shape (rows, quantiles)."""
        return self._model.predict(self._model.inputs(rows))


def _load_pyfunc(path: str) -> Served:
    text = Path(path).read_text(encoding="utf-8")
    if is_anchored(text):
        return Served(load_anchored(text, FAMILIES)[1])
    return Served(LIGHTGBM.load(text))
