"""Search: hyper-parameters by Optuna, on the training window alone.

Every trial is measured by temporal cross-validation: fitted on the first months, measured on
the next. The holdout is never seen. The same rows and the same declaration give the same result.
"""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from finance_assets.ml.metrics import measure
from finance_assets.ml.parameters import SEED
from finance_assets.ml.spec import SearchSpace
from finance_assets.ml.training import Recipe, train_lightgbm

if TYPE_CHECKING:
    import optuna
    import pandas as pd


@dataclass(frozen=True)
class Trial:
    """One set of parameters, its mean AUC over the folds, and when it ran (ms since 1970)."""

    number: int
    params: dict[str, Any]
    auc: float
    started_ms: int
    ended_ms: int


def search(
    recipe: Recipe, space: SearchSpace, frame: "pd.DataFrame", month: str
) -> tuple[Recipe, tuple[Trial, ...]]:
    """The recipe with the best parameters found, and every trial.

    With fewer than two training months there is nothing to validate on: the recipe stays as
    declared and no trial is made.
    """
    import optuna

    months = sorted(set(frame[month]))
    if len(months) < 2:
        return recipe, ()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials: list[Trial] = []

    def objective(trial: "optuna.Trial") -> float:
        started = time.time_ns() // 1_000_000
        params = {name: _suggest(trial, name, bounds) for name, bounds in space.space.items()}
        tried = replace(recipe, params={**recipe.params, **params})
        auc = _mean_auc(tried, frame, month, months)
        ended = time.time_ns() // 1_000_000
        trials.append(Trial(trial.number, params, auc, started, ended))
        return auc

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    study.optimize(objective, n_trials=space.trials)
    return replace(recipe, params={**recipe.params, **study.best_params}), tuple(trials)


def _suggest(trial: "optuna.Trial", name: str, bounds: tuple[float, float]) -> float | int:
    """Whole bounds give whole numbers; a range over more than two decades is logarithmic."""
    low, high = bounds
    if isinstance(low, int) and isinstance(high, int):
        return int(trial.suggest_int(name, low, high))
    return float(trial.suggest_float(name, low, high, log=low > 0 and high / low > 100))


def _mean_auc(recipe: Recipe, frame: "pd.DataFrame", month: str, months: list[str]) -> float:
    """Mean over the folds: fit on all months before one, measure on that one."""
    scores = []
    for validated in months[1:]:
        model = train_lightgbm(recipe, frame[frame[month] < validated])
        later = frame[frame[month] == validated]
        score = model.predict(model.inputs(later))
        scores.append(measure(later[recipe.target].to_numpy("float64"), score).auc)
    return sum(scores) / len(scores)
