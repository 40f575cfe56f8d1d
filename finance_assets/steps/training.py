"""Training step: the candidate as of each partition of the window. Its judgement comes later."""

import json
from typing import TYPE_CHECKING, Any

from finance_assets.calendar import Calendar
from finance_assets.ml import plots
from finance_assets.ml.frames import (
    LabelledRows,
    TimeSplit,
    dataset_version,
    labelled_rows,
    require_labels,
    require_whole,
    split_as_of,
)
from finance_assets.ml.model_files import RECIPE_FILE, REFERENCE_FILE, SCORECARD_FILE, Version
from finance_assets.ml.models import Model
from finance_assets.ml.scorecard import fit_scorecard
from finance_assets.ml.search import Trial, search
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.tracking import Candidate, register
from finance_assets.ml.training import Recipe, declared_recipe, train
from finance_assets.model_life.contracts import candidate_contract
from finance_assets.model_life.people import acting_user
from finance_assets.monitoring.drift import SCORE, build_reference
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult
from finance_assets.step.records import publish_records

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE_ROWS = 5


def training_step(spec: ModelSpec, calendar: Calendar) -> Step:
    """Train, or find again, the candidate as of each partition; register it in MLflow."""
    contract = candidate_contract(spec)
    inputs = (
        Input(spec.features, first_offset=None, last_offset=-spec.label_lag),
        Input(spec.labels, first_offset=None),
    )

    def run(ctx: StepContext) -> StepResult:
        splits = [split_as_of(calendar, spec, p) for p in ctx.window]
        require_whole(calendar, spec, ctx.window)
        versions = [_candidate(ctx, spec, split) for split in splits]
        result = publish_records(ctx, contract, [_record(version) for version in versions])
        result.metadata.update(
            model_versions=", ".join(f"v{version.number}" for version in versions),
            mlflow_run=ctx.registry.run_url(versions[-1]),
            dataset_version=versions[-1].tags["dataset_version"],
        )
        return result

    declared = (spec.family, spec.params, spec.rounds, spec.search)
    return Step(
        spec.name, Kind.training, contract, inputs, run, (train, _candidate), declared=declared
    )


def _candidate(ctx: StepContext, spec: ModelSpec, split: TimeSplit) -> Version:
    """The version for the split: the registered one if the recipe is the same, else a new one."""
    dataset = dataset_version(ctx.lakehouse, spec, split)
    declared = declared_recipe(spec, split, dataset, ctx.settings.search)
    known = ctx.registry.find(spec.name, declared.fingerprint)
    if known is not None:
        ctx.report(f"v{known.number} was trained from exactly this; nothing to do")
        return known
    rows = labelled_rows(ctx.lakehouse, spec, split.rows)
    require_labels(ctx.lakehouse, rows, split)
    frame = rows.frame
    fit = rows.within(split.train)
    recipe, trials = _searched(ctx, spec, declared, fit)
    ctx.report(f"training {recipe.family} on {len(fit.frame)} of {len(frame)} rows: {split.train}")
    model = train(recipe, fit)
    ctx.report("registering the candidate in MLflow")
    return register(
        ctx.registry,
        spec.name,
        Candidate(
            model=model,
            example=fit.frame[list(spec.feature_names)].head(EXAMPLE_ROWS).astype("float64"),
            tags=_tags(ctx, spec, split, declared, fit.frame),
            params={**recipe.params, "rounds": recipe.rounds},
            records={
                RECIPE_FILE: recipe.to_dict(),
                REFERENCE_FILE: _reference(
                    spec, model, fit.frame, rows.within(split.holdout).frame
                ),
                SCORECARD_FILE: fit_scorecard(fit.frame, spec.feature_names, spec.target).to_dict(),
            },
            plots={"importance": plots.importance(model.gain_shares())},
            trials=trials,
        ),
    )


def _searched(
    ctx: StepContext, spec: ModelSpec, declared: Recipe, fit: LabelledRows
) -> tuple[Recipe, tuple[Trial, ...]]:
    """The recipe after the search, if the use case declares one and settings ask for it."""
    if declared.search is None or spec.search is None:
        return declared, ()
    ctx.report(f"searching: {spec.search.trials} trials on {declared.train_window}")
    recipe, trials = search(declared, spec.search, fit.frame, spec.month)
    best = max((trial.auc for trial in trials), default=None)
    ctx.report("too few partitions to validate on" if best is None else f"best fold AUC {best:.4f}")
    return recipe, trials


def _tags(
    ctx: StepContext, spec: ModelSpec, split: TimeSplit, recipe: Recipe, fit: "pd.DataFrame"
) -> dict[str, str]:
    return {
        "title": f"{spec.name} as of {split.as_of}",
        "use_case": spec.name,
        "env": str(ctx.settings.env),
        "owner": spec.owner,
        "trained_by": acting_user(ctx),
        "git_sha": ctx.origin.code_sha,
        "dataset_version": recipe.dataset_version,
        "model_family": spec.family,
        "library": recipe.library,
        "purpose": spec.purpose,
        "train_window": recipe.train_window,
        "holdout_window": recipe.holdout_window,
        "as_of": split.as_of,
        "fingerprint": recipe.fingerprint,
        "train_rows": str(len(fit)),
        "train_positives": str(int(fit[spec.target].sum())),
    }


def _reference(
    spec: ModelSpec, model: Model, fit: "pd.DataFrame", holdout: "pd.DataFrame"
) -> list[dict[str, Any]]:
    """Distributions that later partitions are compared with.

    Features as in the training rows; the score as on the holdout, because scores of rows that
    the model was fitted on are more extreme than any it will give later.
    """
    variables = {name: fit[name].to_numpy("float64") for name in spec.feature_names}
    variables[SCORE] = model.predict(model.inputs(holdout))
    references = (build_reference(name, values) for name, values in variables.items())
    return [json.loads(json.dumps(vars(reference))) for reference in references]


def _record(version: Version) -> dict[str, Any]:
    """The candidate's row: everything is read off the registered version."""
    tags = version.tags
    names = (
        *("dataset_version", "train_window", "holdout_window"),
        *("fingerprint", "artifact_sha256", "trained_by"),
    )
    return {
        "as_of_month": tags["as_of"],
        "model_version": version.number,
        "run_id": version.run_id,
        "train_rows": int(tags["train_rows"]),
        "train_positives": int(tags["train_positives"]),
        **{name: tags[name] for name in names},
    }
