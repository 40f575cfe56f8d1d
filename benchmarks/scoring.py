"""Scoring: ours on the engine against the model library alone, with every core."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from finance_assets.compute.sessions import open_session
from finance_assets.ml.families import Model
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.tasks.binary import Binary
from finance_assets.ml.tasks.binary.reasons import explain
from finance_assets.ml.training import Recipe, train_here
from finance_assets.settings import Settings
from finance_assets.steps.scoring import _scorer
from finance_assets.use_cases.credit_default.model import REASONS, model

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPEC = model("scored", "benchmark")
TRAINED, TIMES = 30_000, 5


def made_up(rows: int) -> pd.DataFrame:
    """Features and an outcome that depends on one of them."""
    random = np.random.default_rng(1)
    values = random.normal(size=(rows, len(SPEC.feature_names)))
    frame = pd.DataFrame(values, columns=list(SPEC.feature_names))
    frame.iloc[::7, 3] = np.nan
    return frame.assign(**{SPEC.target: (values[:, 1] + random.normal(size=rows) > 1) * 1})


def recipe() -> Recipe:
    """The declared one."""
    from finance_assets.ml.families import family_of

    family = family_of(SPEC.family)
    return Recipe(
        use_case=SPEC.name,
        family=SPEC.family,
        features=SPEC.feature_names,
        target=SPEC.target,
        params={**SPEC.params, **family.fixed(SPEC.task.objective)},
        rounds=SPEC.rounds,
        dataset_version="made up",
        train_window="none",
        holdout_window="none",
        library=family.library,
    )


def compare(rows: int, folder: Path) -> dict[str, float]:
    """Median seconds from features in a file to scores in one: the step's scorer on the engine,
    and the library alone. Then what the reasons of scores cost.
    """
    trained = train_here(recipe(), made_up(TRAINED))
    features = folder / "features.parquet"
    made_up(rows).assign(id=np.arange(rows)).to_parquet(features, row_group_size=100_000)
    engine = open_session(Settings())
    medians = _medians(
        {
            "work_s": lambda: _by_engine(engine, trained, features, folder / "ours"),
            "library_s": lambda: _by_library(trained, features, folder / "library.parquet"),
        }
    )
    rows_of = trained.inputs(pd.read_parquet(features).head(TRAINED))
    score = trained.predict(rows_of)
    high = cast("Binary", SPEC.task).band_from(REASONS.band)
    started = time.perf_counter()
    explain(trained, REASONS, rows_of, score, high)
    explained = int(np.count_nonzero(score >= high))
    return {**medians, "reasons_s": time.perf_counter() - started, "explained": explained}


def _by_engine(engine: "SparkSession", trained: Model, features: Path, to: Path) -> None:
    """As the scoring step does it, without reasons."""
    task = replace(cast("Binary", SPEC.task), reasons=None)
    plain = SimpleNamespace(task=task, key=("id",))
    scorer = _scorer(SPEC.family, trained, cast("ModelSpec", plain))
    scored = engine.read.parquet(str(features)).mapInPandas(scorer, "id bigint, score double")
    scored.write.mode("overwrite").parquet(str(to))


def _by_library(trained: Model, features: Path, to: Path) -> None:
    """XGBoost on every core, with pyarrow's reader and writer."""
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(trained.text.encode()))
    booster.set_param({"nthread": os.cpu_count() or 1})
    frame = pd.read_parquet(features)
    score = booster.inplace_predict(frame[list(SPEC.feature_names)].to_numpy("float64"))
    pd.DataFrame({"id": frame["id"], "score": score.astype("float64")}).to_parquet(to)


def _medians(acts: dict[str, Callable[[], object]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(TIMES):
        for name, act in acts.items():
            started = time.perf_counter()
            act()
            taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
