"""XGBoost: one booster for a probability, or for all quantiles of a number at once.

Its wheel brings its own OpenMP runtime. The same library trains in this process and, as
xgboost.spark, on the cluster that holds the rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from finance_assets.errors import ModelError
from finance_assets.ml.families.family import (
    SEED,
    Family,
    Model,
    Objective,
    Parameter,
    Parameters,
    shares,
    unreadable,
)

if TYPE_CHECKING:
    import numpy as np
    from pyspark.sql import DataFrame

# XGBoost 3, «Parameters», without those that only concern files, devices or other objectives.
KNOWN = """
base_score booster colsample_bylevel colsample_bynode colsample_bytree gamma grow_policy
interaction_constraints learning_rate max_bin max_cat_threshold max_cat_to_onehot max_delta_step
max_depth max_leaves min_child_weight monotone_constraints num_parallel_tree reg_alpha
reg_lambda sampling_method scale_pos_weight subsample
"""
# Which parts of the rows lie together is part of the result.
SPARK_WORKERS = 2


@dataclass(frozen=True)
class XgBoostModel(Model):
    """One booster; its text is XGBoost's JSON."""

    @cached_property
    def booster(self) -> Any:
        """`xgboost.Booster`.

        Raises:
            ModelError: this version of the library cannot read the text.
        """
        booster = _library().Booster()
        try:
            booster.load_model(bytearray(self.text.encode()))
        except ValueError as error:
            raise unreadable(XGBOOST.library, error) from error
        return booster

    def _matrix(self, rows: "np.ndarray", threads: int = 0) -> Any:
        names = self.booster.feature_names
        return _library().DMatrix(rows, feature_names=names, nthread=threads or -1)

    def predict(self, rows: "np.ndarray", threads: int = 0) -> "np.ndarray":
        """Probabilities, or quantiles put into order."""
        import numpy as np

        if threads:
            self.booster.set_param({"nthread": threads})
        found = np.asarray(self.booster.predict(self._matrix(rows, threads)), dtype="float64")
        return found if found.ndim == 1 else np.sort(found, axis=1)

    def contributions(self, rows: "np.ndarray") -> "np.ndarray":
        """XGBoost's SHAP values, without the base value; of several outputs the middle one's."""
        import numpy as np

        found = np.asarray(self.booster.predict(self._matrix(rows), pred_contribs=True))
        return found[:, :-1] if found.ndim == 2 else found[:, found.shape[1] // 2, :-1]

    def gain_shares(self) -> dict[str, float]:
        """XGBoost's total gain."""
        gains = self.booster.get_score(importance_type="total_gain")
        names = self.booster.feature_names or [f"f{i}" for i in range(len(self.features))]
        return shares(
            {ours: gains.get(name, 0.0) for ours, name in zip(self.features, names, strict=True)}
        )


@dataclass(frozen=True)
class XgBoost(Family):
    """The family `xgboost`."""

    name: ClassVar[str] = "xgboost"
    known: ClassVar[frozenset[str]] = frozenset(KNOWN.split())
    files: ClassVar[tuple[str, ...]] = ("model.json",)
    threads_parameter: ClassVar[str] = "nthread"
    is_distributable: ClassVar[bool] = True

    def fixed(self, objective: Objective, *, is_distributed: bool = False) -> Parameters:
        """On a cluster the number of workers, too, is part of the result.

        The number of threads is fixed, however many cores there are: it stands in the recipe, which
        has to be the same on every machine. One to eight gave equal bytes for a probability over
        300,000 rows, but XGBoost does not promise that.
        """
        what: dict[str, Parameter] = {"objective": "binary:logistic"}
        if objective.quantiles:
            what = {"objective": "reg:quantileerror", "quantile_alpha": list(objective.quantiles)}
        where = {"num_workers": SPARK_WORKERS} if is_distributed else {"nthread": 2}
        return {**what, **where, "tree_method": "hist", "seed": SEED}

    def fit(
        self,
        params: Parameters,
        rounds: int,
        rows: "np.ndarray",
        outcome: "np.ndarray",
        features: Sequence[str],
    ) -> Model:
        """Rows are binned once; the binned ones are all that training holds."""
        xgb = _library()
        data = xgb.QuantileDMatrix(
            rows,
            label=outcome,
            feature_names=list(features),
            max_bin=params.get("max_bin", 256),
            nthread=params["nthread"],
        )
        booster = xgb.train({**params, "verbosity": 0}, data, num_boost_round=rounds)
        return XgBoostModel(booster.save_raw("json").decode(), tuple(features))

    def fit_on_cluster(
        self,
        params: Parameters,
        rounds: int,
        rows: "DataFrame",
        target: str,
        features: Sequence[str],
    ) -> Model:
        """Fit with Spark's own workers, by xgboost.spark."""
        _library()
        from xgboost.spark import SparkXGBClassifier, SparkXGBRegressor

        given = dict(params)
        kind = SparkXGBClassifier
        if given.pop("objective") != "binary:logistic":
            kind, given["objective"] = SparkXGBRegressor, params["objective"]
        given["random_state"] = given.pop("seed")
        trainer = kind(
            features_col=list(features),
            label_col=target,
            n_estimators=rounds,
            missing=float("nan"),
            verbosity=0,
            **given,
        )
        booster = trainer.fit(rows).get_booster()
        # The order of the features belongs to the model's own text.
        booster.feature_names = list(features)
        return XgBoostModel(booster.save_raw("json").decode(), tuple(features))

    def reseeded(self, params: Parameters, seed: int) -> dict[str, Parameter]:
        """On a cluster, threads are the workers' business."""
        found = super().reseeded(params, seed)
        if "num_workers" in params:
            del found[self.threads_parameter]
        return found

    def load(self, text: str) -> Model:
        """The features stand in `learner.feature_names` of the JSON."""
        return XgBoostModel(text, tuple(json.loads(text)["learner"]["feature_names"]))

    def log(self, model: Model, **common: Any) -> Any:
        """MLflow's own flavour."""
        import mlflow

        booster = model.booster  # type: ignore[attr-defined]
        return mlflow.xgboost.log_model(booster, model_format="json", **common)


XGBOOST = XgBoost()


def _library() -> Any:
    """The package, or an error that says how to get it."""
    try:
        import xgboost
    except (ImportError, OSError) as error:
        raise ModelError(
            f"family 'xgboost' cannot be loaded: {error}",
            where="package xgboost",
            remedy="pip install xgboost-cpu (or xgboost, on machines with a GPU)",
        ) from error
    return xgboost
