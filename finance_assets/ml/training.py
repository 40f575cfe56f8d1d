"""Training: a recipe and its rows in, a model out; the same recipe always gives the same bytes.

Reading rows, logging and registering do not belong here.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

from finance_assets.calendar import Calendar
from finance_assets.codec import Json
from finance_assets.errors import ModelError
from finance_assets.ml.families import Anchor, Model, Parameters, family_of
from finance_assets.ml.families.anchored import fit_anchored
from finance_assets.ml.frames import Dataset, LabelledRows
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import TimeSplit

if TYPE_CHECKING:
    import pandas as pd

# Recipes without these fields were written before there were any.
YOUNGER = ("label_lag", "contents")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a model: enough to train it again, on any machine.

    `params` are the use case's (after a search: the best found) with those that make training
    repeatable; `library` is the trainer with its version; `search` the declared search, if any;
    `anchor` what a forecast begins with, if the model says what that misses. `label_lag` and
    `contents`, which say what the rows were, are None in recipes older than these fields.
    """

    use_case: str
    family: str
    features: tuple[str, ...]
    target: str
    params: Parameters
    rounds: int
    dataset_version: str
    train_window: str
    holdout_window: str
    library: str
    search: dict[str, Json] | None = None
    anchor: Anchor | None = None
    label_lag: int | None = None
    contents: dict[str, str] | None = None

    def to_dict(self) -> dict[str, Json]:
        """The recipe as JSON keeps it; one that is older than some fields, as it was written."""
        record = json.loads(json.dumps(asdict(self)))
        return {k: v for k, v in record.items() if v is not None or k not in YOUNGER}

    @classmethod
    def from_dict(cls, record: dict[str, Json]) -> "Recipe":
        """Read a stored recipe back."""
        # By hand: a codec would make other numbers of the parameters than were written.
        given: dict[str, Any] = {**record, "features": tuple(cast("list[str]", record["features"]))}
        anchor = given.get("anchor")
        return cls(**{**given, "anchor": anchor and Anchor(**anchor)})

    @property
    def fingerprint(self) -> str:
        """Digest of the recipe: the same one gives the same model."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def split(self, calendar: Calendar, as_of: str, declared_lag: int) -> TimeSplit:
        """What it was trained and measured on, whatever is declared by now."""
        return TimeSplit(
            as_of,
            calendar.read_window(self.train_window),
            calendar.read_window(self.holdout_window),
            declared_lag if self.label_lag is None else self.label_lag,
        )


def declared_recipe(
    spec: ModelSpec, split: TimeSplit, dataset: Dataset, is_searched: bool
) -> Recipe:
    """The recipe as declared, before any search."""
    family = family_of(spec.family, f"model {spec.name}")
    fixed = family.fixed(spec.task.objective, is_distributed=spec.is_distributed)
    return Recipe(
        use_case=spec.name,
        family=spec.family,
        features=spec.feature_names,
        target=spec.target,
        params={**spec.params, **fixed},
        rounds=spec.rounds,
        dataset_version=dataset.version,
        train_window=str(split.train),
        holdout_window=str(split.holdout),
        library=family.library,
        search=asdict(spec.search) if is_searched and spec.search else None,
        anchor=spec.task.anchor(spec),
        label_lag=split.label_lag,
        contents=dataset.contents,
    )


def train(recipe: Recipe, rows: LabelledRows) -> Model:
    """Fit the recipe's model on every one of the rows.

    Raises:
        ModelError: the family's trainer is not installed or not possible on this engine.
    """
    workers = recipe.params.get("num_workers")
    if not isinstance(workers, int) or not workers:
        return train_here(recipe, rows.frame)
    if rows.is_remote:
        raise ModelError(
            "a distributed training needs Spark's own workers, which a Spark Connect session does "
            "not give",
            where=f"model {recipe.use_case}",
            remedy="FINANCE_ASSETS_ENGINE=spark, or is_distributed=False",
        )
    return family_of(recipe.family).fit_on_cluster(
        recipe.params, recipe.rounds, rows.partitioned(workers), recipe.target, recipe.features
    )


def train_here(recipe: Recipe, frame: "pd.DataFrame") -> Model:
    """Fit on the rows of a frame, in this process."""
    family, names = family_of(recipe.family), recipe.features
    rows, outcome = frame[list(names)].to_numpy("float64"), frame[recipe.target].to_numpy()
    if recipe.anchor is None:
        return family.fit(recipe.params, recipe.rounds, rows, outcome, names)
    return fit_anchored(family, recipe.anchor, recipe.params, recipe.rounds, rows, outcome, names)
