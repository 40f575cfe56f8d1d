"""Reproduction: train a registered version again from its record, and compare to the byte.

Reads the recorded Delta versions by time travel. Nothing is written anywhere.
"""

from dataclasses import dataclass, field

from finance_assets.errors import HistoryError
from finance_assets.lakehouse.windows import Calendar, Window
from finance_assets.ml.frames import LabelledRows, labelled_rows, split_as_of, versions_of
from finance_assets.ml.metrics import measure
from finance_assets.ml.models import Model
from finance_assets.ml.registry import RECIPE_FILE, Version, digest
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.training import Recipe, declared_recipe, train
from finance_assets.steps.step import StepContext


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
    recipe = Recipe.from_dict(ctx.registry.record(version, RECIPE_FILE))
    circumstances = _circumstances(ctx, spec, calendar, version, recipe)
    versions = versions_of(recipe.dataset_version)
    obstacles = _obstacles(ctx, versions)
    if obstacles:
        return Reproduction(version.number, circumstances, obstacles)
    split = split_as_of(calendar, spec, version.tags["as_of"])
    months = Window(split.train.first, split.holdout.last)
    rows = labelled_rows(ctx.lakehouse, spec, months, versions)
    ctx.report(f"read {len(rows.frame)} rows of {recipe.dataset_version} by time travel")
    fit, holdout = rows.within(split.train), rows.within(split.holdout)
    ctx.report(f"training {recipe.library} on {len(fit.frame)} rows")
    model = train(recipe, fit)
    compared = (
        Comparison("training rows", version.tags["train_rows"], str(len(fit.frame))),
        Comparison("model (sha256)", version.tags["artifact_sha256"], digest(model.text)),
        *_outcomes(ctx, spec, version, model, holdout),
    )
    return Reproduction(version.number, (*compared, *circumstances))


def _outcomes(
    ctx: StepContext, spec: ModelSpec, version: Version, model: Model, holdout: LabelledRows
) -> tuple[Comparison, ...]:
    """Predictions of the stored model against the new one's, and the metrics MLflow recorded."""
    inputs = model.inputs(holdout.frame)
    score = model.predict(inputs)
    stored = ctx.registry.model(version).predict(inputs)
    outcome = holdout.frame[spec.target].to_numpy("float64")
    found = {f"holdout_{k}": float(v) for k, v in measure(outcome, score).scalars().items()}
    recorded = ctx.registry.metrics(version)
    return (
        Comparison(
            f"{len(score)} holdout predictions (sha256)",
            digest(stored.tobytes().hex()),
            digest(score.tobytes().hex()),
        ),
        *(
            Comparison(name.replace("_", " "), repr(recorded[name]), repr(value))
            for name, value in found.items()
            if name in recorded
        ),
    )


def _circumstances(
    ctx: StepContext, spec: ModelSpec, calendar: Calendar, version: Version, recipe: Recipe
) -> tuple[Comparison, ...]:
    """Code, library and declaration, then and now."""
    split = split_as_of(calendar, spec, version.tags["as_of"])
    now = declared_recipe(spec, split, recipe.dataset_version, recipe.search is not None)
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
            missing = history.missing_files(number)
        except HistoryError as error:
            found.append(str(error))
            continue
        if missing:
            found.append(
                f"the data has been vacuumed: {len(missing)} file(s) of {table} version {number} "
                f"are gone, {missing[0]} first"
            )
    return tuple(found)
