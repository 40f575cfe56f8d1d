"""Measuring performance: what a champion expects of itself, and what the outcomes say of it.

Outcomes are read for the partition whose labels matured in the one that is monitored, scored
`label_lag` partitions earlier. The records are performance_log.py's, what they mean triage's.
"""

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from finance_assets.lakehouse.record import from_rows
from finance_assets.ml.evaluation import ALL
from finance_assets.ml.frames import with_groups
from finance_assets.ml.identity import Reader
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.model_life.drift_measuring import scorer_of
from finance_assets.model_life.performance_log import (
    ERROR,
    ESTIMATED,
    LEVEL,
    LOST,
    OBSERVED,
    PerformanceRecord,
    Recorded,
    Recorder,
    performance_contract,
)
from finance_assets.model_life.rescoring import fared, figure, outcomes_of
from finance_assets.monitoring.measurements import Matured
from finance_assets.monitoring.significance import Figure
from finance_assets.step.declaration import StepContext

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class MeasuredPerformance:
    """The records of a partition, old and new, and what matured in it.

    `outcome` and `output` are those of the rows that matured, for plots; `champion` scored them.
    """

    records: list[PerformanceRecord] = field(default_factory=list)
    matured: Matured | None = None
    outcome: "np.ndarray | None" = None
    output: "np.ndarray | None" = None
    champion: ChampionEvent | None = None


def measure_performance(
    ctx: StepContext,
    spec: ModelSpec,
    read: Reader,
    history: ChampionHistory,
    partition: str,
    scorer: ChampionEvent | None,
    stored: Recorded,
) -> MeasuredPerformance:
    """Estimate the partition's performance, and observe the one whose outcomes matured in it.

    `scorer` scored the partition; `stored` is what was recorded, by earlier runs and by this one of
    the partitions before.
    """
    kept, made = stored.of(partition), _estimated(ctx, spec, scorer, partition)
    found = _observed(ctx, spec, history, partition, stored, made)
    known = {_identity(record): record for record in kept}
    news = [r for r in (*made, *found.records) if not _is_said(known.get(_identity(r)), r)]
    # A table that was made anew counts its versions anew: then the same one says otherwise.
    replaced = {_identity(record) for record in news}
    ours = [*(record for record in kept if _identity(record) not in replaced), *news]
    if found.matured and found.champion:
        before = _level_before(ctx, spec, read, found.champion, found.matured, stored)
        found = replace(found, matured=replace(found.matured, before=before))
    return replace(found, records=ours)


def stored_performance(ctx: StepContext, spec: ModelSpec) -> Recorded:
    """What the window needs of what was recorded: of itself and of what matures in it, and the
    level before that, however long ago it was known.
    """
    contract, needed = performance_contract(spec), ctx.window.widened(-spec.label_lag, 0)
    of_all = f"metric = '{LEVEL}' AND kind = '{OBSERVED}' AND segment = '{ALL}'"
    before = f"{of_all} AND scored < '{needed.first}' ORDER BY scored DESC, recorded_at DESC"
    inside = f"{needed.predicate(contract.partition_column)} ORDER BY scored, recorded_at"
    recorded = Recorded()
    for where in (f"{before} LIMIT 1", inside):
        found: dict[str, list[PerformanceRecord]] = {}
        rows = ctx.lakehouse.history(contract.table).rows(where=where)
        column = contract.partition_column
        for record in from_rows(PerformanceRecord, rows, contract.table, partition=column):
            found.setdefault(record.partition, []).append(record)
        for partition, records in found.items():
            recorded.put(partition, records)
    return recorded


def _identity(record: PerformanceRecord) -> tuple[str | int, ...]:
    """What makes two records the same statement: a rerun says nothing new."""
    key = (record.scored, record.model_sha256, record.kind, record.segment, record.metric)
    return (*key, record.labels_version)


def _is_said(known: PerformanceRecord | None, now: PerformanceRecord) -> bool:
    """Whether a record says what is known; sums in another order differ in their last digits."""
    return known is not None and math.isclose(known.value, now.value, rel_tol=1e-9, abs_tol=1e-12)


def _level_before(
    ctx: StepContext,
    spec: ModelSpec,
    read: Reader,
    champion: ChampionEvent,
    matured: Matured,
    stored: Recorded,
) -> Figure | None:
    """The level of the same champion in the partition before, as the newest labels have it.

    Where another one scored it, this one is asked about its rows: two champions differ in level
    without any change of the outcomes.
    """
    before = stored.level_before(matured.partition)
    if before is None:
        return None
    if before.model_sha256 == champion.model_sha256:
        return before.figure
    found = fared(ctx, spec, read, champion, before.partition, before.scored)
    return found.level if found else None


def _estimated(
    ctx: StepContext, spec: ModelSpec, champion: ChampionEvent | None, partition: str
) -> list[PerformanceRecord]:
    """What the champion's own words let expect of the partition."""
    if champion is None:
        return []
    rows = ctx.read(prediction_contract(spec), ctx.window.at(partition))
    columns = [column.name for column in spec.task.columns(spec) if column.type == "double"]
    output = spec.task.said(_collected(spec, rows, columns))
    record = Recorder.of(partition, partition, champion, ESTIMATED, -1)
    return [record(ALL, name, one) for name, one in spec.task.expected(output).items()]


def _observed(
    ctx: StepContext,
    spec: ModelSpec,
    history: ChampionHistory,
    partition: str,
    stored: Recorded,
    made: list[PerformanceRecord],
) -> MeasuredPerformance:
    """What the outcomes say of the partition that matured; nothing where none did."""
    calendar = ctx.window.calendar
    if calendar is None:
        return MeasuredPerformance()
    scored = calendar.shift(partition, -spec.label_lag)
    champion = scorer_of(ctx, spec, history, scored) if calendar.has(scored) else None
    if champion is None:
        return MeasuredPerformance()
    frame = _matured_rows(ctx, spec, partition, scored)
    if frame.empty or not spec.task.can_measure(frame[spec.target].to_numpy("float64")):
        return MeasuredPerformance()
    outcome, output = frame[spec.target].to_numpy("float64"), spec.task.said(frame)
    labels = _labels_version(ctx, spec, partition)
    record = Recorder.of(partition, scored, champion, OBSERVED, labels)
    figures = spec.task.observed(outcome, output)
    records = [
        record(segment, name, value)
        for segment, values in _segments(spec, frame, outcome, output).items()
        for name, value in values.items()
        if segment != ALL or name not in figures
    ]
    records += [record(ALL, name, one) for name, one in figures.items()]
    said = [r for r in (*stored.of(scored), *made) if r.scored == scored]
    hoped = {record.metric: record for record in said if record.kind == ESTIMATED}
    missed = Recorder.of(partition, scored, champion, ERROR, labels)
    records += [
        missed(ALL, name, hoped[name].value - one.value)
        for name, one in figures.items()
        if name in hoped
    ]
    lost = spec.task.lost(spec.task.expected(output), figures)
    if lost is not None:
        records.append(record(ALL, LOST, lost))
    level, who = figure(figures.get(LEVEL)), champion.model_sha256
    matured = Matured(scored, level=level, lost=figure(lost), scored_by=who)
    return MeasuredPerformance(records, matured, outcome, output, champion)


def _labels_version(ctx: StepContext, spec: ModelSpec, partition: str) -> int:
    """The version at which a partition of labels last changed, as it is read; -1 for none."""
    table = spec.labels.table
    history, read = ctx.lakehouse.history(table), ctx.origin.inputs.get(table)
    version = history.version_of(ctx.window.at(partition), read)
    return -1 if version is None else version


def _matured_rows(ctx: StepContext, spec: ModelSpec, partition: str, scored: str) -> "pd.DataFrame":
    """What was said of the rows whose outcome is known now, the outcome, and their groups."""
    at, outcomes = ctx.window.at(scored), outcomes_of(ctx, spec, partition, scored)
    columns = [column.name for column in spec.task.columns(spec) if column.type == "double"]
    rows = ctx.read(prediction_contract(spec), at).select(*spec.key, *columns)
    frame = _collected(spec, rows.join(outcomes, list(spec.key)), [*columns, spec.target])
    frame[spec.target] = frame[spec.target].astype("float64")
    return with_groups(spec, frame, lambda table: ctx.read(table, at))


def _collected(spec: ModelSpec, rows: "DataFrame", columns: list[str]) -> "pd.DataFrame":
    """Key and columns of all rows, in its order: added up in another, last digits differ."""
    frame: pd.DataFrame = rows.select(*spec.key, *columns).toPandas()
    return frame.sort_values(list(spec.key), ignore_index=True)


def _segments(
    spec: ModelSpec, frame: "pd.DataFrame", outcome: "np.ndarray", output: "np.ndarray"
) -> dict[str, dict[str, float]]:
    """The task's metrics over all rows, and over each group that is large enough."""
    found = {ALL: spec.task.measure(outcome, output).values()}
    for attribute in spec.protected.attributes if spec.protected else ():
        values = frame[attribute.name].astype(str).to_numpy()
        for value in sorted(set(values)):
            inside = values == value
            is_large = spec.protected and inside.sum() >= spec.protected.min_group_rows
            if is_large and spec.task.can_measure(outcome[inside]):
                metrics = spec.task.measure(outcome[inside], output[inside])
                found[f"{attribute.name}={value}"] = metrics.values()
    return {s: {k: float(v) for k, v in m.items() if math.isfinite(v)} for s, m in found.items()}
