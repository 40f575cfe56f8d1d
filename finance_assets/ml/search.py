"""Search: hyper-parameters by Optuna, on the training window alone.

Every trial is measured by temporal cross-validation: fitted on the first partitions, measured on
the next. The holdout is never seen. The same rows and the same declaration give the same result.
"""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finance_assets.ml.families.family import SEED, Parameters
from finance_assets.ml.spec import SearchSpace
from finance_assets.ml.tasks.task import Task
from finance_assets.ml.training import Recipe, train_here

if TYPE_CHECKING:
    import optuna
    import pandas as pd


@dataclass(frozen=True)
class Trial:
    """One set of parameters, its mean merit over the folds, and when it ran (ms since 1970)."""

    number: int
    params: Parameters
    merit: float
    started_ms: int
    ended_ms: int


def search(
    recipe: Recipe, task: Task, space: SearchSpace, frame: "pd.DataFrame", partition: str
) -> tuple[Recipe, tuple[Trial, ...]]:
    """The recipe with the best parameters found, and every trial.

    With fewer than two training partitions there is nothing to validate on: the recipe stays as
    declared and no trial is made.
    """
    import optuna

    partitions = sorted(set(frame[partition]))
    if len(partitions) < 2:
        return recipe, ()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials: list[Trial] = []

    def objective(trial: "optuna.Trial") -> float:
        started = time.time_ns() // 1_000_000
        params = {name: _suggest(trial, name, bounds) for name, bounds in space.space.items()}
        tried = replace(recipe, params={**recipe.params, **params})
        merit = _mean_merit(tried, task, frame, partition, partitions)
        ended = time.time_ns() // 1_000_000
        trials.append(Trial(trial.number, params, merit, started, ended))
        return merit

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    study.optimize(objective, n_trials=space.trials)
    return replace(recipe, params={**recipe.params, **study.best_params}), tuple(trials)


def _suggest(trial: "optuna.Trial", name: str, bounds: tuple[float, float]) -> float | int:
    """Whole bounds give whole numbers; a range over more than two decades is logarithmic."""
    low, high = bounds
    if isinstance(low, int) and isinstance(high, int):
        return int(trial.suggest_int(name, low, high))
    return float(trial.suggest_float(name, low, high, log=low > 0 and high / low > 100))


def _mean_merit(
    recipe: Recipe, task: Task, frame: "pd.DataFrame", partition: str, partitions: list[str]
) -> float:
    """Mean over the folds: fit on all partitions before one, measure on that one."""
    scores = []
    for validated in partitions[1:]:
        model = train_here(recipe, frame[frame[partition] < validated])
        later = frame[frame[partition] == validated]
        score = model.predict(model.inputs(later))
        outcome = later[recipe.target].to_numpy("float64")
        scores.append(task.merit(task.measure(outcome, score)))
    return sum(scores) / len(scores)
