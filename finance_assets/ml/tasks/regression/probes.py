"""Probes for a leak: what single features know of the error of the rule of thumb.

Judging is the gate's.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from finance_assets.ml.families import Objective
from finance_assets.ml.probing import probe, spread, twins
from finance_assets.ml.tasks.regression.blocks import block_ratio

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MEDIAN = Objective((0.5,))


def alone(
    frame: "pd.DataFrame", features: tuple[str, ...], missed: "np.ndarray"
) -> dict[str, float]:
    """Absolute rank correlation (Spearman) of each feature with what the rule of thumb missed.

    Missing values rank lowest; a feature with one value knows nothing.
    """
    import numpy as np
    from scipy.stats import rankdata

    wanted, found = rankdata(missed), {}
    for name in features:
        values = frame[name].to_numpy("float64")
        ranks = rankdata(np.where(np.isnan(values), -np.inf, values))
        is_telling = ranks.std() > 0 and wanted.std() > 0
        found[name] = abs(float(np.corrcoef(ranks, wanted)[0, 1])) if is_telling else 0.0
    return found


def unique_gains(
    trained: "pd.DataFrame",
    holdout: "pd.DataFrame",
    features: tuple[str, ...],
    target: str,
    block: int,
) -> dict[str, float]:
    """Error that surely comes back without each feature, as a share of what knowing nothing misses.

    Surely: the lower end of the 95 % interval of the difference. Twins, which rank the rows all
    but alike, leave together, or a leak that is there twice would stand in for itself.
    """
    import numpy as np

    rows, held = spread(trained), spread(holdout)
    outcome, alike = held[target].to_numpy("float64"), twins(held, features)
    median = float(rows[target].median())
    whole = np.abs(probe(rows, held, features, target, MEDIAN) - outcome)
    # In units of what a forecast that knows nothing misses, so that a perfect probe has a scale.
    scale = np.abs(median - outcome)

    def lost_without(name: str) -> float:
        kept = tuple(f for f in features if f not in alike[name])
        rest = probe(rows, held, kept, target, MEDIAN) if kept else np.full(len(held), median)
        loss = block_ratio(np.abs(rest - outcome) - whole, scale, block)
        return loss.interval().low

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(features, pool.map(lost_without, features), strict=True))
