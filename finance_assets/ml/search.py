"""Search: hyper-parameters by Optuna, on the training window alone.

Every trial is measured by temporal cross-validation: fitted on the first partitions, measured on
the next ones. The holdout is never seen. The same rows and the same declaration give the same
result.
"""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finance_assets.ml.families.family import SEED, Parameters
from finance_assets.ml.spec import SearchSpace
from finance_assets.ml.splits import gap_partitions
from finance_assets.ml.tasks.task import Task
from finance_assets.ml.training import Recipe, train_here

if TYPE_CHECKING:
    import optuna
    import pandas as pd

# Partitions are taken together until they are no more than these parts. The first is only learned
# from, so a trial trains one model less, of a year of days as of a year of months.
MAX_PARTS = 5


@dataclass(frozen=True)
class Fold:
    """Partitions to measure on, `first` to `last`, and those to fit on, up to `fitted_through`."""

    fitted_through: str
    first: str
    last: str


@dataclass(frozen=True)
class Trial:
    """One set of parameters, its mean merit over the folds, and when it ran (ms since 1970)."""

    number: int
    params: Parameters
    merit: float
    started_ms: int
    ended_ms: int


def search(
    recipe: Recipe,
    task: Task,
    space: SearchSpace,
    frame: "pd.DataFrame",
    partition: str,
    label_lag: int,
) -> tuple[Recipe, tuple[Trial, ...]]:
    """The recipe with the best parameters found, and every trial.

    Where no partitions can be measured on after others, the recipe stays as declared and no trial
    is made.
    """
    import optuna

    folds = folds_of(task, frame, recipe.target, partition, label_lag)
    if not folds:
        return recipe, ()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials: list[Trial] = []

    def objective(trial: "optuna.Trial") -> float:
        started = time.time_ns() // 1_000_000
        params = {name: _suggest(trial, name, bounds) for name, bounds in space.space.items()}
        tried = replace(recipe, params={**recipe.params, **params})
        merit = _mean_merit(tried, task, frame, partition, folds)
        ended = time.time_ns() // 1_000_000
        trials.append(Trial(trial.number, params, merit, started, ended))
        return merit

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    study.optimize(objective, n_trials=space.trials)
    return replace(recipe, params={**recipe.params, **study.best_params}), tuple(trials)


def folds_of(
    task: Task, frame: "pd.DataFrame", target: str, partition: str, label_lag: int
) -> list[Fold]:
    """Consecutive partitions to measure on, each time after all that come before them, the gap
    left out.

    A single partition may have too few rows, or outcomes of one kind only: it is taken together
    with the next ones until they can be measured; and if there are many, until they are a fifth of
    the rows.
    """
    import numpy as np

    outcomes = {str(name): rows.to_numpy() for name, rows in frame.groupby(partition)[target]}
    names = sorted(outcomes)
    least = len(frame) / MAX_PARTS if len(names) > MAX_PARTS else 0

    def is_enough(chosen: list[str], least: float = 0) -> bool:
        known = np.concatenate([outcomes[name] for name in chosen] or [np.zeros(0)])
        return len(known) >= least and task.can_measure(known)

    parts: list[list[str]] = []
    taken: list[str] = []
    for name in names:
        taken.append(name)
        if is_enough(taken, least):
            parts.append(taken)
            taken = []
    if parts:
        parts[-1].extend(taken)
    folds = []
    for part in parts[1:]:
        fitted = names[: max(names.index(part[0]) - gap_partitions(label_lag), 0)]
        if is_enough(fitted):
            folds.append(Fold(fitted[-1], part[0], part[-1]))
    return folds


def _suggest(trial: "optuna.Trial", name: str, bounds: tuple[float, float]) -> float | int:
    """Whole bounds give whole numbers; a range over more than two decades is logarithmic."""
    low, high = bounds
    if isinstance(low, int) and isinstance(high, int):
        return int(trial.suggest_int(name, low, high))
    return float(trial.suggest_float(name, low, high, log=low > 0 and high / low > 100))


def _mean_merit(
    recipe: Recipe, task: Task, frame: "pd.DataFrame", partition: str, folds: list[Fold]
) -> float:
    """Mean over the folds."""
    scores = []
    for fold in folds:
        model = train_here(recipe, frame[frame[partition] <= fold.fitted_through])
        later = frame[frame[partition].between(fold.first, fold.last)]
        score = model.predict(model.inputs(later))
        outcome = later[recipe.target].to_numpy("float64")
        scores.append(task.measure(outcome, score).merit)
    return sum(scores) / len(scores)
