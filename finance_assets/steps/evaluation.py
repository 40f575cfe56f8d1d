"""Evaluation step: candidate and champion on the same temporal holdout. It judges nothing."""

import json
from typing import TYPE_CHECKING, Any

from finance_assets.errors import ModelError
from finance_assets.lakehouse.windows import Calendar
from finance_assets.ml import metrics, plots
from finance_assets.ml.frames import labelled_frame, split_as_of
from finance_assets.ml.registry import Version
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.training import predict
from finance_assets.steps.champions import champion_before
from finance_assets.steps.model_contracts import candidate_contract, evaluation_contract
from finance_assets.steps.records import publish_records
from finance_assets.steps.step import Input, Kind, Step, StepContext, StepResult

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ALL = "all"
CANDIDATE, CHAMPION = "candidate", "champion"


def evaluation_step(spec: ModelSpec, calendar: Calendar) -> Step:
    """Score the holdout with the candidate and with the champion in force, and measure both."""
    contract = evaluation_contract(spec)
    candidates = candidate_contract(spec)
    past = -len(calendar.partitions())
    inputs = (
        Input(candidates),
        Input(spec.features, first_offset=past, last_offset=-1),
        Input(spec.labels, first_offset=past, last_offset=0),
    )

    def run(ctx: StepContext) -> StepResult:
        records: list[dict[str, Any]] = []
        images: dict[str, bytes] = {}
        headline: dict[str, Any] = {}
        for as_of in ctx.window:
            versions = _contenders(ctx, spec, as_of)
            holdout = labelled_frame(
                ctx.lakehouse, spec, split_as_of(calendar, spec, as_of).holdout
            )
            ctx.report(f"measuring {len(versions)} model(s) on {len(holdout)} rows")
            outcome = holdout[spec.target].to_numpy("float64")
            scores = {
                role: predict(ctx.registry.booster(version), spec, holdout)
                for role, version in versions.items()
            }
            months = holdout[spec.features.partition_column].to_numpy()
            for role, version in versions.items():
                measured = _measured(outcome, scores[role], months)
                records += [_record(as_of, role, version, m, x) for m, x in measured.items()]
            images = _plots(outcome, scores)
            overall = metrics.measure(outcome, scores[CANDIDATE])
            headline = {f"holdout_{name}": value for name, value in overall.scalars().items()}
            ctx.registry.record_evaluation(versions[CANDIDATE], headline, images)
        result = publish_records(ctx, contract, records)
        result.metadata.update(headline)
        result.metadata["mlflow_run"] = ctx.registry.run_url(
            candidate_version(ctx, spec, ctx.window.last)
        )
        result.plots.update(images)
        return result

    return Step(spec.name, Kind.evaluation, contract, inputs, run, (metrics.measure, _measured))


def candidate_version(ctx: StepContext, spec: ModelSpec, as_of: str) -> Version:
    """The registered candidate as of a month.

    Raises:
        ModelError: none was trained.
    """
    for row in ctx.lakehouse.history(candidate_contract(spec).table).rows():
        if row["as_of_month"] == as_of:
            return ctx.registry.version(spec.name, row["model_version"])
    raise ModelError(
        "no candidate was trained",
        where=f"{candidate_contract(spec).table}, as of {as_of}",
        remedy="materialise the candidate of this partition first",
    )


def _contenders(ctx: StepContext, spec: ModelSpec, as_of: str) -> dict[str, Version]:
    versions = {CANDIDATE: candidate_version(ctx, spec, as_of)}
    champion = champion_before(ctx.lakehouse, spec, as_of)
    if champion is not None:
        versions[CHAMPION] = ctx.registry.version(spec.name, champion.version)
    return versions


def _measured(
    outcome: "np.ndarray", score: "np.ndarray", months: "np.ndarray | pd.Series"
) -> dict[str, metrics.Metrics]:
    """Metrics per holdout month, and over all of them."""
    measured = {ALL: metrics.measure(outcome, score)}
    for month in sorted(set(months)):
        rows = months == month
        measured[str(month)] = metrics.measure(outcome[rows], score[rows])
    return measured


def _plots(outcome: "np.ndarray", scores: dict[str, "np.ndarray"]) -> dict[str, bytes]:
    return {
        "roc": plots.roc(outcome, scores),
        "calibration": plots.calibration(outcome, scores),
        "lift": plots.lift(metrics.measure(outcome, scores[CANDIDATE])),
    }


def _record(
    as_of: str, role: str, version: Version, month: str, measured: metrics.Metrics
) -> dict[str, Any]:
    return {
        "as_of_month": as_of,
        "role": role,
        "model_version": version.number,
        "holdout_month": month,
        **measured.scalars(),
        "lift_by_decile": json.dumps(measured.lift_by_decile),
    }


def metrics_from(record: dict[str, Any]) -> metrics.Metrics:
    """A row of the evaluation table as metrics again."""
    names = ("rows", "positives", "auc", "pr_auc", "brier", "calibration_error", "ks")
    lift = tuple(json.loads(record["lift_by_decile"]))
    return metrics.Metrics(**{name: record[name] for name in names}, lift_by_decile=lift)
