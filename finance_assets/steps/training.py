"""Training step: the candidate as of each partition of the window. Its judgement comes later."""

from finance_assets.calendar import Calendar
from finance_assets.lakehouse.record import as_rows
from finance_assets.ml import plots
from finance_assets.ml.frames import LabelledRows, dataset_of, labelled_rows, require_labels
from finance_assets.ml.model_files import RECIPE_FILE, REFERENCE_FILE, Version
from finance_assets.ml.search import Trial, search
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import TimeSplit, require_whole, split_as_of
from finance_assets.ml.tracking import Candidate, register
from finance_assets.ml.training import Recipe, declared_recipe, train
from finance_assets.model_life.baseline import install_baseline
from finance_assets.model_life.contracts import CandidateRecord, candidate_contract
from finance_assets.model_life.registration import example_of, reference_of, tags_of
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult
from finance_assets.step.records import publish_records


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
        # Before the candidates, which have to beat it.
        install_baseline(ctx, spec, calendar, splits[0])
        versions = [_candidate(ctx, spec, split) for split in splits]
        result = publish_records(ctx, contract, as_rows(_record(version) for version in versions))
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
    dataset = dataset_of(ctx.inputs, spec, split)
    declared = declared_recipe(spec, split, dataset, ctx.settings.search)
    known = ctx.registry.find(spec.name, declared.fingerprint)
    if known is not None:
        ctx.report(f"v{known.number} was trained from exactly this; nothing to do")
        return known
    rows = labelled_rows(ctx.inputs, spec, split)
    require_labels(ctx.inputs, rows, split)
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
            example=example_of(recipe, fit.frame),
            tags=tags_of(ctx, spec, split, declared, fit.frame),
            params={**recipe.params, "rounds": recipe.rounds},
            records={
                RECIPE_FILE: recipe.to_dict(),
                REFERENCE_FILE: reference_of(
                    spec, model, fit.frame, rows.within(split.holdout).frame
                ),
                **spec.task.records(spec, fit.frame),
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
    recipe, trials = search(
        declared, spec.task, spec.search, fit.frame, spec.partition_column, spec.label_lag
    )
    best = max((trial.merit for trial in trials), default=None)
    ctx.report(
        "too few partitions that can be measured: nothing to validate on"
        if best is None
        else f"best over the folds: {best:.4f}"
    )
    return recipe, trials


def _record(version: Version) -> CandidateRecord:
    """The candidate's row: everything is read off the registered version."""
    tags = version.tags
    return CandidateRecord(
        as_of=tags["as_of"],
        model_version=version.number,
        run_id=version.run_id,
        dataset_version=tags["dataset_version"],
        train_window=tags["train_window"],
        holdout_window=tags["holdout_window"],
        train_rows=int(tags["train_rows"]),
        train_outcomes=tags["train_outcomes"],
        fingerprint=tags["fingerprint"],
        artifact_sha256=tags["artifact_sha256"],
        trained_by=tags["trained_by"],
    )
