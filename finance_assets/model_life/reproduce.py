"""Reproduction: train a registered version again from its record, and compare to the byte.

The record says which rows; what is declared today is a circumstance. Reads the recorded Delta
versions by time travel. Nothing is written anywhere.
"""

from dataclasses import dataclass, field, replace

from finance_assets.calendar import Calendar
from finance_assets.errors import HistoryError, TooEarlyError
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.record import from_rows
from finance_assets.ml.evaluation import ALL, CANDIDATE, CHAMPION
from finance_assets.ml.families import BASELINE, Model, family_of
from finance_assets.ml.frames import Dataset, LabelledRows, labelled_rows, versions_of, windows_of
from finance_assets.ml.identity import Verified, identify, verified
from finance_assets.ml.model_files import Version, digest
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import TimeSplit, split_as_of
from finance_assets.ml.training import Recipe, declared_recipe, train
from finance_assets.model_life.crowning import history_of
from finance_assets.model_life.evaluations import (
    Measurement,
    evaluation_contract,
    evaluations_of,
)
from finance_assets.step.declaration import StepContext


@dataclass(frozen=True)
class Comparison:
    """One thing compared: what was recorded, and what came out now.

    `is_decisive` is false for circumstances (code, library): they explain a difference but are
    none by themselves.
    """

    what: str
    recorded: str
    found: str
    is_decisive: bool = True

    @property
    def is_same(self) -> bool:
        """Whether both are equal."""
        return self.recorded == self.found


@dataclass(frozen=True)
class Reproduction:
    """The outcome: every comparison, and what stood in the way of making one."""

    version: str
    comparisons: tuple[Comparison, ...]
    obstacles: tuple[str, ...] = field(default=())

    @property
    def is_reproduced(self) -> bool:
        """Whether model, predictions and metrics came out equal."""
        decisive = [c for c in self.comparisons if c.is_decisive]
        return not self.obstacles and bool(decisive) and all(c.is_same for c in decisive)


def reproduce(
    ctx: StepContext, spec: ModelSpec, calendar: Calendar, version: Version
) -> Reproduction:
    """Train the version again from its recorded recipe and data, and compare."""
    stored = _stored(ctx, spec, version)
    recipe = Recipe.from_dict(stored.recipe)
    circumstances = _circumstances(ctx, spec, calendar, version, recipe)
    split = recipe.split(calendar, version.tags["as_of"], spec.label_lag)
    recorded = _recorded_metrics(ctx, spec, version, digest(stored.model.text))
    obstacles = _obstacles(ctx, spec, recipe, split)
    if not recorded:
        obstacles += ("no metrics of this version are recorded: there is nothing to compare with",)
    if obstacles:
        return Reproduction(version.number, circumstances, obstacles)
    spec = replace(spec, target=recipe.target)
    rows = labelled_rows(ctx.lakehouse, spec, split, versions_of(recipe.dataset_version))
    ctx.report(f"read {len(rows.frame)} rows of {recipe.dataset_version} by time travel")
    fit, holdout = rows.within(split.train), rows.within(split.holdout)
    ctx.report(f"training {recipe.library} on {len(fit.frame)} rows")
    model = train(recipe, fit)
    compared = (
        Comparison("training rows", version.tags["train_rows"], str(len(fit.frame))),
        Comparison("model (sha256)", version.tags["artifact_sha256"], digest(model.text)),
        *_outcomes(spec, stored.model, model, holdout, recorded),
    )
    return Reproduction(version.number, (*compared, *circumstances))


def _stored(ctx: StepContext, spec: ModelSpec, version: Version) -> Verified:
    """The version's files; those of a champion have to be what became champion.

    Raises:
        ModelError: they are not.
    """
    event = history_of(ctx, spec).trusted().of_version(version.number)
    identity = event.identity if event else identify(ctx.registry, version)
    return verified(ctx.registry, spec.name, identity)


def _recorded_metrics(
    ctx: StepContext, spec: ModelSpec, version: Version, model_sha256: str
) -> dict[str, float]:
    """The metrics of this very model, as the evaluation table has them, by name.

    An evaluation of another candidate may have taken its place there; then the rows are read as
    they were when this one was measured.
    """
    history = ctx.lakehouse.history(evaluation_contract(spec).table)
    as_of = version.tags["as_of"]
    where = (
        f"as_of = '{as_of}' AND role IN ('{CANDIDATE}', '{CHAMPION}') AND segment = '{ALL}'"
        f" AND model_sha256 = '{model_sha256}'"
    )
    for publication in history.publications:
        if as_of in publication.partitions:
            rows = history.rows(where=where, version=publication.version)
            found = evaluations_of(
                spec.task, from_rows(Measurement, rows, history.stored.table)
            ).get(as_of)
            # The rule of thumb was no candidate: the first one was compared with it.
            own = (found.of_role(CANDIDATE) or found.of_role(CHAMPION)) if found else None
            if own is not None and own.whole is not None:
                return own.whole.scalars()
    return {}


def _outcomes(
    spec: ModelSpec,
    stored: Model,
    model: Model,
    holdout: LabelledRows,
    recorded: dict[str, float],
) -> tuple[Comparison, ...]:
    """Predictions of the stored model against the new one's, and the metrics then and now.

    Each model takes the features in its own order.
    """
    score = model.predict(model.inputs(holdout.frame))
    before = stored.predict(stored.inputs(holdout.frame))
    outcome = holdout.frame[spec.target].to_numpy("float64")
    found = spec.task.measure(outcome, score).scalars()
    return (
        Comparison(
            f"{len(score)} holdout predictions (sha256)",
            digest(before.tobytes().hex()),
            digest(score.tobytes().hex()),
        ),
        *(
            Comparison(
                f"holdout {name.replace('_', ' ')}",
                repr(float(recorded[name])) if name in recorded else "not recorded",
                repr(float(value)),
            )
            for name, value in found.items()
        ),
    )


def _circumstances(
    ctx: StepContext, spec: ModelSpec, calendar: Calendar, version: Version, recipe: Recipe
) -> tuple[Comparison, ...]:
    """Code, library and declaration, then and now."""
    library = family_of(recipe.family).library
    return (
        Comparison("code", version.tags["git_sha"], ctx.origin.code_sha, is_decisive=False),
        Comparison("library", recipe.library, library, is_decisive=False),
        Comparison(
            "declared recipe (sha256)",
            version.tags["fingerprint"],
            _declared(spec, calendar, version.tags["as_of"], recipe),
            is_decisive=False,
        ),
    )


def _declared(spec: ModelSpec, calendar: Calendar, as_of: str, recipe: Recipe) -> str:
    """Fingerprint of the recipe as it is declared now, for the same rows; or why there is none."""
    declared = spec.rule_of_thumb if recipe.family == BASELINE.name else spec
    try:
        split = split_as_of(calendar, spec, as_of)
    except TooEarlyError as error:
        return f"none: {error.what}"
    dataset = Dataset(recipe.dataset_version, recipe.contents or {})
    now = declared_recipe(declared, split, dataset, recipe.search is not None)
    # Compared in what the recorded one names.
    lag = None if recipe.label_lag is None else now.label_lag
    return replace(now, contents=recipe.contents, label_lag=lag).fingerprint


def _obstacles(
    ctx: StepContext, spec: ModelSpec, recipe: Recipe, split: TimeSplit
) -> tuple[str, ...]:
    """Why the recorded data cannot be read any more."""
    windows, contents = windows_of(spec, split), recipe.contents or {}
    found = []
    for table, number in versions_of(recipe.dataset_version).items():
        history = ctx.lakehouse.history(table)
        if not history.exists:
            found.append(f"{table} does not exist any more")
        elif table not in windows:
            found.append(f"the model does not learn from {table} any more")
        elif contents.get(table) not in (None, history.digest_of(windows[table], number)):
            found.append(
                f"version {number} of {table} holds other rows than it was trained on: the table "
                "was made anew, or restored"
            )
        else:
            found += _unreadable(history, number)
    return tuple(found)


def _unreadable(history: TableHistory, number: int) -> list[str]:
    """Why a version of a table cannot be read; nothing if it can."""
    try:
        missing = history.stored.missing_files(number)
    except HistoryError as error:
        return [str(error)]
    if not missing:
        return []
    return [
        f"the data has been vacuumed: {len(missing)} file(s) of {history.stored.table} version "
        f"{number} are gone, {missing[0]} first"
    ]
