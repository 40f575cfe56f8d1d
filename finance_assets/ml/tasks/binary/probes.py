"""Probes for a leak: what single features reach, and what is lost without each.

Measured on plain frames and independent of the candidate's family. Judging is the gate's.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from finance_assets.ml.evaluation import clusters_of
from finance_assets.ml.families import Objective
from finance_assets.ml.probing import probe, spread, twins
from finance_assets.ml.tasks.binary.auc import auc, auc_gain

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def alone(
    frame: "pd.DataFrame", features: tuple[str, ...], outcome: "np.ndarray"
) -> dict[str, float]:
    """AUC of each feature by itself, in the better direction; missing values rank lowest."""
    import numpy as np

    found = {}
    for name in features:
        values = frame[name].to_numpy("float64")
        reached = auc(outcome, np.where(np.isnan(values), -np.inf, values))
        found[name] = max(reached, 1 - reached)
    return found


def unique_gains(
    trained: "pd.DataFrame",
    holdout: "pd.DataFrame",
    features: tuple[str, ...],
    target: str,
    entity: Sequence[str] = (),
) -> dict[str, float]:
    """AUC that is surely lost without each feature, all others kept: what only this one knows.

    Surely: the lower end of DeLong's 95 % interval of the loss, so that few rows, whose AUC moves
    by chance, accuse nobody. Features honestly made of the same history stand in for each other;
    the outcome has no stand-in. Twins, which rank the rows all but alike, leave together, or a
    leak that is there twice would stand in for itself. Measured with small models on part of the
    rows.
    """
    import numpy as np

    rows, held = spread(trained), spread(holdout)
    outcome, alike = held[target].to_numpy("float64"), twins(held, features)
    clusters = clusters_of(held, entity)
    whole = probe(rows, held, features, target, Objective())

    def lost_without(name: str) -> float:
        kept = tuple(f for f in features if f not in alike[name])
        rest = probe(rows, held, kept, target, Objective()) if kept else np.zeros(len(held))
        return auc_gain(outcome, whole, rest, clusters=clusters).over_rows.interval().low

    # The libraries work outside Python's lock; two probes at a time, each with one thread.
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(features, pool.map(lost_without, features), strict=True))
