"""Reseeding: a recipe trained again with other seeds, to see what a retraining changes by itself.

What is made of the difference is up to estimates.py and the gate.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import MIN_RESEEDED
from finance_assets.ml.families import Model, family_of
from finance_assets.ml.frames import LabelledRows
from finance_assets.ml.training import Recipe, train

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# Each retraining leaves out another twentieth of the rows: a recipe without any random choice
# would otherwise seem to have no noise, though one row more or less changes its model too.
PARTS = 20


def reseeded(recipe: Recipe, rows: LabelledRows, count: int = MIN_RESEEDED) -> list[Model]:
    """Models of the same recipe with other seeds, which the candidate cannot choose."""
    # In this process one thread each, side by side, is faster than all threads one after the
    # other. A cluster trains one model at a time.
    family, is_distributed = family_of(recipe.family), "num_workers" in recipe.params

    def again(place: int) -> Model:
        params = family.reseeded(recipe.params, 1 + place)
        return train(replace(recipe, params=params), _without(recipe, rows, place))

    with ThreadPoolExecutor(1 if is_distributed else count) as pool:
        return list(pool.map(again, range(count)))


def _without(recipe: Recipe, rows: LabelledRows, part: int) -> LabelledRows:
    """The rows but for one of the parts, in the engine and, where it is there, as a frame.

    The frame has what is trained on and no more: several of them are there at once.
    """
    key = ", ".join(f"`{name}`" for name in rows.spec.key)
    left = LabelledRows(
        rows.spec, rows.window, rows.plan.where(f"pmod(xxhash64({key}), {PARTS}) <> {part}")
    )
    if "frame" in rows.__dict__:
        columns = [*recipe.features, recipe.target]
        left.__dict__["frame"] = rows.frame.loc[_kept(rows.frame, rows.spec.key, part), columns]
    return left


def _kept(frame: "pd.DataFrame", key: tuple[str, ...], part: int) -> "np.ndarray":
    """Which rows are not of a part."""
    import pandas as pd

    numbers = pd.util.hash_pandas_object(frame[list(key)], index=False)
    kept: np.ndarray = (numbers % PARTS != part).to_numpy()
    return kept
