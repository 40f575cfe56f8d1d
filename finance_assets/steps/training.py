"""Training step: the candidate as of each month of the window. Its judgement comes later."""

import json
from typing import TYPE_CHECKING, Any

from finance_assets.lakehouse.windows import Calendar, Window
from finance_assets.ml import plots
from finance_assets.ml.frames import TimeSplit, dataset_version, labelled_frame, split_as_of
from finance_assets.ml.registry import Candidate, Version
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.training import all_params, predict, train, training_fingerprint
from finance_assets.monitoring.drift import SCORE, build_reference
from finance_assets.steps.model_contracts import candidate_contract
from finance_assets.steps.records import publish_records
from finance_assets.steps.step import Input, Kind, Step, StepContext, StepResult

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd

EXAMPLE_ROWS = 5


def training_step(spec: ModelSpec, calendar: Calendar) -> Step:
    """Train, or find again, the candidate as of each month; register it in MLflow."""
    contract = candidate_contract(spec)
    past = -len(calendar.partitions())
    inputs = (
        Input(spec.features, first_offset=past, last_offset=-1),
        Input(spec.labels, first_offset=past, last_offset=0),
    )

    def run(ctx: StepContext) -> StepResult:
        versions = [_candidate(ctx, spec, split_as_of(calendar, spec, p)) for p in ctx.window]
        result = publish_records(ctx, contract, [_record(version) for version in versions])
        result.metadata.update(
            model_versions=", ".join(f"v{version.number}" for version in versions),
            mlflow_run=ctx.registry.run_url(versions[-1]),
            dataset_version=versions[-1].tags["dataset_version"],
        )
        return result

    return Step(spec.name, Kind.training, contract, inputs, run, (train, _candidate))


def _candidate(ctx: StepContext, spec: ModelSpec, split: TimeSplit) -> Version:
    """The version for the split: the registered one if the recipe is the same, else a new one."""
    dataset = dataset_version(ctx.lakehouse, spec, split)
    fingerprint = training_fingerprint(spec, dataset, str(split.train))
    known = ctx.registry.find(spec.name, fingerprint)
    if known is not None:
        ctx.report(f"v{known.number} was trained from exactly this; nothing to do")
        return known
    months = Window(split.train.first, split.holdout.last)
    frame = labelled_frame(ctx.lakehouse, spec, months)
    month = spec.features.partition_column
    fit = frame[frame[month] <= split.train.last]
    ctx.report(f"training on {len(fit)} rows of {split.train}")
    booster = train(spec, fit)
    holdout = frame[frame[month] >= split.holdout.first]
    tags = {
        "title": f"{spec.name} as of {split.as_of}",
        "use_case": spec.name,
        "env": str(ctx.settings.env),
        "owner": spec.owner,
        "git_sha": ctx.origin.code_sha,
        "dataset_version": dataset,
        "model_family": spec.family,
        "purpose": spec.purpose,
        "train_window": str(split.train),
        "holdout_window": str(split.holdout),
        "as_of": split.as_of,
        "fingerprint": fingerprint,
        "train_rows": str(len(fit)),
        "train_positives": str(int(fit[spec.target].sum())),
    }
    ctx.report("registering the candidate in MLflow")
    return ctx.registry.register(
        spec.name,
        Candidate(
            booster=booster,
            example=fit[list(spec.feature_names)].head(EXAMPLE_ROWS).astype("float64"),
            tags=tags,
            params={**all_params(spec), "rounds": spec.rounds},
            reference=_reference(spec, booster, fit, holdout),
            plots={
                "importance": plots.importance(
                    spec.feature_names, booster.feature_importance("gain")
                )
            },
        ),
    )


def _reference(
    spec: ModelSpec, booster: "lgb.Booster", fit: "pd.DataFrame", holdout: "pd.DataFrame"
) -> list[dict[str, Any]]:
    """Distributions that later months are compared with.

    Features as in the training rows; the score as on the holdout, because scores of rows that
    the model was fitted on are more extreme than any it will give later.
    """
    variables = {name: fit[name].astype("float64").tolist() for name in spec.feature_names}
    variables[SCORE] = predict(booster, spec, holdout).tolist()
    references = (build_reference(name, values) for name, values in variables.items())
    return [json.loads(json.dumps(vars(reference))) for reference in references]


def _record(version: Version) -> dict[str, Any]:
    """The candidate's row: everything is read off the registered version."""
    tags = version.tags
    names = ("dataset_version", "train_window", "holdout_window", "fingerprint", "artifact_sha256")
    return {
        "as_of_month": tags["as_of"],
        "model_version": version.number,
        "run_id": version.run_id,
        "train_rows": int(tags["train_rows"]),
        "train_positives": int(tags["train_positives"]),
        **{name: tags[name] for name in names},
    }
