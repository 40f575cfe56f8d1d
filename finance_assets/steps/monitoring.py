"""Monitoring step: each scored partition against its champion's training reference, in one pass."""

from typing import Any

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml import plots
from finance_assets.ml.identity import verified
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionHistory
from finance_assets.model_life.contracts import drift_contract, prediction_contract
from finance_assets.model_life.crowning import history_of
from finance_assets.monitoring.drift import (
    DriftReport,
    Reference,
    VariableDrift,
    bin_conditions,
    compare,
)
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult
from finance_assets.step.records import publish_records


def monitoring_step(spec: ModelSpec) -> Step:
    """PSI of every feature and of the score; partitions without predictions have no rows."""
    contract = drift_contract(spec)
    predictions = prediction_contract(spec)
    inputs = (Input(spec.features), Input(predictions))

    def run(ctx: StepContext) -> StepResult:
        records: list[dict[str, Any]] = []
        by_partition: dict[str, dict[str, Any]] = {}
        images: dict[str, bytes] = {}
        history = history_of(ctx, spec).trusted()
        for partition in ctx.window:
            version, report = _report(ctx, spec, predictions, history, partition)
            records += _records(contract, partition, version, report)
            by_partition[partition] = summary(version, report)
            ctx.report(f"{partition}: {report.verdict}, largest PSI {report.max_psi:.3f}")
            if report.variables:
                values = {v.variable: v.psi for v in report.variables}
                title = f"PSI {partition} against v{version}"
                images[title] = plots.bars(title, values, spec.drift.drift_psi)
        result = publish_records(ctx, contract, records)
        result.by_partition.update(by_partition)
        result.plots.update(images)
        return result

    return Step(spec.name, Kind.monitoring, contract, inputs, run, (compare, bin_conditions))


def summary(version: str, report: DriftReport) -> dict[str, Any]:
    """What a sensor and a person need to know about a partition."""
    return {
        "verdict": str(report.verdict),
        "max_psi": report.max_psi,
        "drifted": ",".join(report.drifted),
        "champion_version": version,
        "rows": report.rows,
    }


def report_from(records: list[dict[str, Any]], spec: ModelSpec) -> DriftReport:
    """The report that the stored rows of one partition amount to."""
    names = ("variable", "psi", "reference_missing_share", "missing_share")
    variables = tuple(VariableDrift(**{n: record[n] for n in names}) for record in records)
    return DriftReport(records[0]["rows"] if records else 0, variables, spec.drift)


def stored_summaries(lakehouse: Lakehouse, spec: ModelSpec) -> dict[str, dict[str, Any]]:
    """The summary of each partition that was measured, from the stored rows."""
    contract = drift_contract(spec)
    by_partition: dict[str, list[dict[str, Any]]] = {}
    for row in lakehouse.history(contract.table).rows():
        by_partition.setdefault(row[contract.partition_column], []).append(row)
    return {
        partition: summary(records[0]["model_version"], report_from(records, spec))
        for partition, records in sorted(by_partition.items())
    }


def _report(
    ctx: StepContext,
    spec: ModelSpec,
    predictions: Contract,
    history: ChampionHistory,
    partition: str,
) -> tuple[str, DriftReport]:
    """Count every bin of every variable in one aggregation, and compare.

    Raises:
        ModelError: the predictions name a model that was never champion, or its files are not
            what became champion.
    """
    window = ctx.window.at(partition)
    scored = ctx.read(predictions, window)
    found = scored.select("model_version", "model_sha256").limit(1).collect()
    if not found:
        return "", DriftReport(0, (), spec.drift)
    champion = history.scored_by(*found[0])
    stored = verified(ctx.registry, spec.name, champion.identity)
    references = [Reference.from_dict(record) for record in stored.reference]
    rows = ctx.read(spec.features, window).join(scored.select(*spec.key, "score"), list(spec.key))
    counts = rows.selectExpr(
        *(
            f"count_if({condition}) as b{i}_{j}"
            for i, reference in enumerate(references)
            for j, condition in enumerate(bin_conditions(reference))
        ),
        "count(*) as n",
    ).collect()[0]
    variables = tuple(
        compare(reference, [counts[f"b{i}_{j}"] for j in range(len(reference.counts))])
        for i, reference in enumerate(references)
    )
    return champion.model_version, DriftReport(int(counts["n"]), variables, spec.drift)


def _records(
    contract: Contract, partition: str, version: str, report: DriftReport
) -> list[dict[str, Any]]:
    return [
        {
            contract.partition_column: partition,
            **vars(variable),
            "rows": report.rows,
            "model_version": version,
        }
        for variable in report.variables
    ]
