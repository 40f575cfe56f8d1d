"""Training: a frame in, a model out; the same frame always gives the same bytes.

Reading frames, logging and registering do not belong here.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from finance_assets.ml.spec import ModelSpec

if TYPE_CHECKING:
    import lightgbm as lgb
    import numpy as np
    import pandas as pd

SEED = 20050401

# The number of threads is part of the result: sums of gradients are split by it.
FIXED_PARAMS: dict[str, Any] = {
    "objective": "binary",
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
    "seed": SEED,
    "verbosity": -1,
}


def all_params(spec: ModelSpec) -> dict[str, Any]:
    """The use case's parameters with those that make training repeatable."""
    return {**spec.params, **FIXED_PARAMS}


def train(spec: ModelSpec, frame: "pd.DataFrame") -> "lgb.Booster":
    """Fit the use case's model on every row of the frame."""
    import lightgbm as lgb

    data = lgb.Dataset(
        frame[list(spec.feature_names)].to_numpy("float64"),
        label=frame[spec.target].to_numpy(),
        feature_name=list(spec.feature_names),
        free_raw_data=True,
    )
    return lgb.train(all_params(spec), data, num_boost_round=spec.rounds)


def predict(booster: "lgb.Booster", spec: ModelSpec, frame: "pd.DataFrame") -> "np.ndarray":
    """Probability of the target for each row of the frame."""
    import numpy as np

    return np.asarray(booster.predict(frame[list(spec.feature_names)].to_numpy("float64")))


def training_fingerprint(spec: ModelSpec, dataset: str, train_window: str) -> str:
    """Digest of everything that decides a model: data versions, window, features, parameters."""
    import lightgbm as lgb

    recipe = {
        "dataset_version": dataset,
        "train_window": train_window,
        "features": spec.feature_names,
        "target": spec.target,
        "params": all_params(spec),
        "rounds": spec.rounds,
        "lightgbm": lgb.__version__,
    }
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
