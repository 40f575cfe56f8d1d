"""Probe models: small models of few rows, which only have to show a leak, not to be good.

Independent of the candidate's family. What is made of them is each task's business.
"""

from typing import TYPE_CHECKING

from finance_assets.ml.families import FAMILIES, Objective, Parameters

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# 20,000 rows and 40 rounds find a leak of 0.02 AUC where honest features stay below 0.004.
PROBE_ROWS = 10_000
PROBE_ROUNDS = 30
# Loads on every machine: its wheel brings its own OpenMP runtime.
PROBE_FAMILY = "xgboost"
PROBE_PARAMS: Parameters = {
    "learning_rate": 0.2,
    "grow_policy": "lossguide",
    "max_leaves": 8,
    "max_depth": 0,
    "min_child_weight": 5.0,
}
# Rank correlation from which two features count as one.
TWINS = 0.98


def probe(
    rows: "pd.DataFrame",
    held: "pd.DataFrame",
    features: tuple[str, ...],
    target: str,
    objective: Objective,
) -> "np.ndarray":
    """What a small model of these features says of the held rows."""
    family, names = FAMILIES[PROBE_FAMILY], list(features)
    params = {**PROBE_PARAMS, **family.fixed(objective), family.threads_parameter: 1}
    params[family.seed_parameter] = 1
    outcome = rows[target].to_numpy()
    model = family.fit(params, PROBE_ROUNDS, rows[names].to_numpy("float64"), outcome, features)
    return model.predict(held[names].to_numpy("float64"), threads=1)


def spread(frame: "pd.DataFrame", most: int = PROBE_ROWS) -> "pd.DataFrame":
    """At most so many rows, evenly spread over the frame."""
    import numpy as np

    if len(frame) <= most:
        return frame
    return frame.iloc[np.linspace(0, len(frame) - 1, most).astype("int64")]


def twins(frame: "pd.DataFrame", features: tuple[str, ...]) -> dict[str, set[str]]:
    """For each feature, itself and those with nearly the same order of the rows."""
    ranks = frame[list(features)].astype("float64").fillna(-1e300).rank()
    alike = ranks.corr().abs() >= TWINS
    return {name: {name, *(f for f in features if alike.loc[name, f])} for name in features}
