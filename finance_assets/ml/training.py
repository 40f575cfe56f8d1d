"""Training: a recipe and its rows in, a model out; the same recipe always gives the same bytes.

Reading rows, logging and registering do not belong here.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from finance_assets.errors import ModelError
from finance_assets.ml.frames import LabelledRows, TimeSplit
from finance_assets.ml.models import LightGbmModel, Model, XgBoostModel
from finance_assets.ml.parameters import FIXED
from finance_assets.ml.spec import ModelSpec

if TYPE_CHECKING:
    import pandas as pd

SPARK_WORKERS = 2


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a model: enough to train it again, on any machine.

    `params` are the use case's (after a search: the best found) with those that make training
    repeatable; `library` is the trainer with its version; `search` the declared search, if any.
    """

    use_case: str
    family: str
    features: tuple[str, ...]
    target: str
    params: dict[str, Any]
    rounds: int
    dataset_version: str
    train_window: str
    holdout_window: str
    library: str
    search: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON keeps it."""
        return dict(json.loads(json.dumps(asdict(self))))

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "Recipe":
        """Read a stored recipe back."""
        return cls(**{**record, "features": tuple(record["features"])})

    @property
    def fingerprint(self) -> str:
        """Digest of the recipe: the same one gives the same model."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def declared_recipe(spec: ModelSpec, split: TimeSplit, dataset: str, is_searched: bool) -> Recipe:
    """The recipe as declared, before any search."""
    return Recipe(
        use_case=spec.name,
        family=spec.family,
        features=spec.feature_names,
        target=spec.target,
        params={**spec.params, **FIXED[spec.family]},
        rounds=spec.rounds,
        dataset_version=dataset,
        train_window=str(split.train),
        holdout_window=str(split.holdout),
        library=_library(spec.family),
        search=asdict(spec.search) if is_searched and spec.search else None,
    )


def train(recipe: Recipe, rows: LabelledRows) -> Model:
    """Fit the recipe's model on every one of the rows.

    Raises:
        ModelError: the family's trainer is not installed or not possible on this engine.
    """
    if recipe.family == "xgboost":
        return _train_xgboost(recipe, rows)
    return train_lightgbm(recipe, rows.frame)


def train_lightgbm(recipe: Recipe, frame: "pd.DataFrame") -> Model:
    """Fit on the rows of a frame, in this process."""
    import lightgbm as lgb

    data = lgb.Dataset(
        frame[list(recipe.features)].to_numpy("float64"),
        label=frame[recipe.target].to_numpy(),
        feature_name=list(recipe.features),
        free_raw_data=True,
    )
    booster = lgb.train(recipe.params, data, num_boost_round=recipe.rounds)
    return LightGbmModel(booster.model_to_string(), recipe.features)


def _train_xgboost(recipe: Recipe, rows: LabelledRows) -> Model:
    """Fit on the cluster that holds the rows: no row comes to this process."""
    try:
        from xgboost.spark import SparkXGBClassifier
    except ImportError as error:
        raise ModelError(
            "family 'xgboost' needs the package xgboost",
            where=f"model {recipe.use_case}",
            remedy="pip install 'finance-assets[distributed]'",
        ) from error
    if rows.is_remote:
        raise ModelError(
            "xgboost.spark needs Spark's own workers, which a Spark Connect session does not give",
            where=f"model {recipe.use_case}",
            remedy="FINANCE_ASSETS_ENGINE=spark, or family='lightgbm'",
        )
    classifier = SparkXGBClassifier(
        features_col=list(recipe.features),
        label_col=recipe.target,
        num_workers=SPARK_WORKERS,
        n_estimators=recipe.rounds,
        missing=float("nan"),
        verbosity=0,
        **recipe.params,
    )
    booster = classifier.fit(rows.partitioned(SPARK_WORKERS)).get_booster()
    # The order of the features belongs to the model's own text.
    booster.feature_names = list(recipe.features)
    return XgBoostModel(booster.save_raw("json").decode(), recipe.features)


def _library(family: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    for package in (family, f"{family}-cpu"):
        try:
            return f"{family} {version(package)}"
        except PackageNotFoundError:
            continue
    return f"{family} (not installed)"
