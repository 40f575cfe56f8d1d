"""Monitoring step: each scored partition against its champion's training reference, how the one
whose outcomes matured fared, what became of the data, and what is thought of it all.

One step that writes four tables, as one run costs less than four. Measuring is in model_life/,
judging in monitoring/.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache, partial

from finance_assets.calendar import Calendar
from finance_assets.lakehouse.record import as_rows
from finance_assets.ml.identity import Reader, reader
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.contracts import (
    DriftRecord,
    TriageRecord,
    drift_contract,
    prediction_contract,
    triage_contract,
)
from finance_assets.model_life.crowning import history_of, unlost
from finance_assets.model_life.data_measuring import WatchedTables, rejections
from finance_assets.model_life.drift_measuring import MeasuredDrift, measure_drift
from finance_assets.model_life.monitoring_report import Monitored, plots_of, write_report
from finance_assets.model_life.performance_log import (
    PerformanceRecord,
    QualityRecord,
    performance_contract,
    quality_contract,
)
from finance_assets.model_life.performance_measuring import (
    MeasuredPerformance,
    measure_performance,
    stored_performance,
)
from finance_assets.model_life.rescoring import rivals_of
from finance_assets.model_life.restated import restated_since
from finance_assets.model_life.verdicts import summary
from finance_assets.monitoring.drift import compare
from finance_assets.monitoring.measurements import Measurements
from finance_assets.monitoring.reference import bin_conditions
from finance_assets.monitoring.triage import Triage, Verdict, triage
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult
from finance_assets.step.records import publish_records


@dataclass(frozen=True)
class _Measured:
    """What was measured of one partition, but for its rows: a run over years keeps all of these."""

    drift: MeasuredDrift
    drifts: list[DriftRecord]
    performance: list[PerformanceRecord]
    quality: list[QualityRecord]
    restated: tuple[str, ...]
    triage: Triage


def monitoring_step(spec: ModelSpec, calendar: Calendar, tables: tuple[Step, ...]) -> Step:
    """Drift, performance, quality and triage; what was not scored has no drift."""
    contract = drift_contract(spec)

    def run(ctx: StepContext) -> StepResult:
        history, read = history_of(ctx, spec).trusted(), reader(ctx.registry, spec.name)
        found: dict[str, _Measured] = {}
        # What this run measured of the partitions before is not stored yet.
        drifts: dict[str, list[DriftRecord]] = {}
        known, performance = stored_performance(ctx, spec), MeasuredPerformance()
        watched = WatchedTables(ctx.lakehouse, tables, calendar)
        # A champion is in force at many partitions, and rests on the same data at each.
        restated = cache(
            partial(restated_since, ctx.lakehouse, ctx.registry, calendar, spec, history)
        )
        judge = _Judge(ctx, spec, history, read, restated)
        for partition in ctx.window:
            drift = measure_drift(ctx, spec, history, partition, read, drifts)
            performance = measure_performance(
                ctx, spec, read, history, partition, drift.champion, known
            )
            one = judge.judged(partition, drift, performance, watched.quality(partition))
            found[partition], drifts[partition] = one, one.drifts
            known.put(partition, one.performance)
            ctx.report(f"{partition}: {one.triage.verdict}, {one.triage.action}")
        return _published(ctx, spec, found, performance)

    code = (compare, bin_conditions, triage)
    return Step(spec.name, Kind.monitoring, contract, _inputs(spec), run, code, declared=spec.drift)


def _inputs(spec: ModelSpec) -> tuple[Input, ...]:
    """Rows of the partition, and of the one whose outcomes become known in it."""
    since = -spec.label_lag
    inputs = [
        Input(spec.features, since),
        Input(prediction_contract(spec), since),
        Input(spec.labels),
    ]
    if spec.protected and spec.protected.source.table != spec.features.table:
        inputs.append(Input(spec.protected.source, since, since))
    return tuple(inputs)


@dataclass(frozen=True)
class _Judge:
    """Who thinks of what was measured, and what a whole run looks up once for it.

    `restated` gives what changed since of the data that a champion rests on.
    """

    ctx: StepContext
    spec: ModelSpec
    history: ChampionHistory
    read: Reader
    restated: Callable[[ChampionEvent], tuple[str, ...]]

    def judged(
        self,
        partition: str,
        drift: MeasuredDrift,
        performance: MeasuredPerformance,
        quality: list[QualityRecord],
    ) -> _Measured:
        """What is thought of what was measured of a partition, the data's quality included."""
        # Outcomes may come of a partition in which nothing was scored; who is judged scored them.
        champion, matured = drift.champion or performance.champion, performance.matured
        measurements = Measurements(
            partition=partition,
            report=drift.report,
            champion_version=champion.model_version if champion else "",
            champion_sha256=champion.model_sha256 if champion else "",
            rejected=rejections(quality),
            restated=self.restated(champion) if champion else (),
            matured=matured,
        )
        thought = triage(measurements)
        if thought.verdict is Verdict.concept_shift and matured is not None:
            rivals = rivals_of(self.ctx, self.spec, self.read, self.history, partition, matured)
            thought = triage(replace(measurements, matured=replace(matured, rivals=rivals)))
        drifts, changed = drift.records(partition), measurements.restated
        return _Measured(drift, drifts, performance.records, quality, changed, thought)


def _published(
    ctx: StepContext, spec: ModelSpec, found: dict[str, _Measured], performance: MeasuredPerformance
) -> StepResult:
    """All four tables; `performance` is the last partition's. The drift is last: by it a partition
    counts as measured, so whatever a crash leaves undone is done by the next run.
    """
    tables: dict[str, list[object]] = {"performance": [], "quality": [], "triage": [], "drift": []}
    for one in found.values():
        tables["drift"] += one.drifts
        tables["performance"] += one.performance
        tables["quality"] += one.quality
        tables["triage"].append(TriageRecord.of(one.triage))
    contracts = {
        "performance": performance_contract(spec),
        "quality": quality_contract(spec),
        "triage": triage_contract(spec),
        "drift": drift_contract(spec),
    }
    results = {
        name: publish_records(
            ctx, contract, as_rows(tables[name], partition=contract.partition_column)
        )
        for name, contract in contracts.items()
    }
    result = results["drift"]
    for place, one in found.items():
        result.by_partition[place] = {
            **asdict(summary(one.triage, one.drift.report.max_psi, one.drift.report.rows)),
            "restated": one.restated,
            "run_id": ctx.origin.run_id,
        }
    _show(ctx, spec, result, *next(reversed(found.items())), performance)
    return result


def _show(
    ctx: StepContext,
    spec: ModelSpec,
    result: StepResult,
    partition: str,
    last: _Measured,
    performance: MeasuredPerformance,
) -> None:
    """Plots and report of the last partition of the run, which is all that a range shows."""
    shown = Monitored(partition, last.triage, last.drift, last.quality, performance)
    result.plots.update(plots_of(ctx, spec, shown))
    result.metadata["triage"] = f"{last.triage.verdict}: {last.triage.action}"
    problem = unlost("The report", lambda: write_report(ctx, spec, shown, result.plots))
    if problem:
        ctx.report(problem)
