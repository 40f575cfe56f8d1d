"""Reproduction: train a registered version again from its record, and compare to the byte.

Reads the recorded Delta versions by time travel. Nothing is written anywhere.
"""

from dataclasses import dataclass, field

from finance_assets.calendar import Calendar
from finance_assets.errors import HistoryError
from finance_assets.lakehouse.record import from_rows
from finance_assets.ml.evaluation import ALL, CANDIDATE, CHAMPION
from finance_assets.ml.families import BASELINE, Model
from finance_assets.ml.frames import LabelledRows, labelled_rows, split_as_of, versions_of
from finance_assets.ml.identity import Verified, identify, verified
from finance_assets.ml.model_files import Version, digest
from finance_assets.ml.spec import ModelSpec
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
    versions = versions_of(recipe.dataset_version)
    recorded = _recorded_metrics(ctx, spec, version, digest(stored.model.text))
    obstacles = _obstacles(ctx, versions)
    if not recorded:
        obstacles += ("no metrics of this version are recorded: there is nothing to compare with",)
    if obstacles:
        return Reproduction(version.number, circumstances, obstacles)
    split = split_as_of(calendar, spec, version.tags["as_of"])
    rows = labelled_rows(ctx.lakehouse, spec, split.rows, versions)
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
    split = split_as_of(calendar, spec, version.tags["as_of"])
    declared = spec.rule_of_thumb if recipe.family == BASELINE.name else spec
    now = declared_recipe(declared, split, recipe.dataset_version, recipe.search is not None)
    return (
        Comparison("code", version.tags["git_sha"], ctx.origin.code_sha, is_decisive=False),
        Comparison("library", recipe.library, now.library, is_decisive=False),
        Comparison(
            "declared recipe (sha256)",
            version.tags["fingerprint"],
            now.fingerprint,
            is_decisive=False,
        ),
    )


def _obstacles(ctx: StepContext, versions: dict[str, int]) -> tuple[str, ...]:
    """Why the recorded data cannot be read any more."""
    found = []
    for table, number in versions.items():
        history = ctx.lakehouse.history(table)
        if not history.exists:
            found.append(f"{table} does not exist any more")
            continue
        try:
            missing = history.stored.missing_files(number)
        except HistoryError as error:
            found.append(str(error))
            continue
        if missing:
            found.append(
                f"the data has been vacuumed: {len(missing)} file(s) of {table} version {number} "
                f"are gone, {missing[0]} first"
            )
    return tuple(found)
