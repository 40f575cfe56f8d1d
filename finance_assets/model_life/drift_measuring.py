"""Measuring drift: every bin of every variable of a partition, counted in one aggregation.

What the counts mean is monitoring/'s business.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finance_assets.lakehouse.record import from_rows
from finance_assets.ml.identity import Reader
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.contracts import DriftRecord, drift_contract, prediction_contract
from finance_assets.model_life.usable import usable
from finance_assets.monitoring.drift import DriftReport, compare
from finance_assets.monitoring.reference import (
    Reference,
    bin_conditions,
    breach_condition,
)
from finance_assets.step.declaration import StepContext

NOTHING: Mapping[str, Sequence[DriftRecord]] = {}


@dataclass(frozen=True)
class MeasuredDrift:
    """A partition's report, the champion that scored it and its reference."""

    report: DriftReport
    champion: ChampionEvent | None = None
    references: tuple[Reference, ...] = ()

    def records(self, partition: str) -> list[DriftRecord]:
        """The drift of each variable; none where nothing was scored."""
        champion, report = self.champion, self.report
        if champion is None:
            return []
        who = champion.model_version, champion.model_sha256
        return [DriftRecord.of(partition, one, report.rows, *who) for one in report.variables]


def scorer_of(
    ctx: StepContext, spec: ModelSpec, history: ChampionHistory, partition: str
) -> ChampionEvent | None:
    """The champion that scored a partition; None if nothing was scored, or if the event that
    crowned it is lost and a person accepted that.

    Raises:
        ModelError: the predictions name a model that was never champion.
    """
    contract = prediction_contract(spec)
    where = f"{contract.partition_column} = '{partition}' LIMIT 1"
    history_of_scores = ctx.lakehouse.history(contract.table)
    found = history_of_scores.rows(
        "model_version, model_sha256", where, ctx.origin.inputs.get(contract.table)
    )
    if not found:
        return None
    version = str(found[0]["model_version"])
    champion = history.scored_by(version, str(found[0]["model_sha256"]))
    if champion is None:
        ctx.report(f"{partition} was scored by v{version}, whose event is lost: not measured")
    return champion


def measure_drift(
    ctx: StepContext,
    spec: ModelSpec,
    history: ChampionHistory,
    partition: str,
    read: Reader,
    earlier: Mapping[str, Sequence[DriftRecord]] = NOTHING,
) -> MeasuredDrift:
    """Count every bin, and compare.

    `earlier`: what the same run measured of the partitions before, which is not stored yet.

    Raises:
        ModelError: the predictions name a model that was never champion, or its files are not
            what became champion, or columns that it takes are gone.
    """
    champion = scorer_of(ctx, spec, history, partition)
    if champion is None:
        return MeasuredDrift(DriftReport(0, (), spec.drift))
    references = usable(read, spec, champion).reference
    window = ctx.window.at(partition)
    scored = ctx.read(prediction_contract(spec), window)
    rows = ctx.read(spec.features, window).join(
        scored.select(*spec.key, spec.task.watched_column), list(spec.key)
    )
    counts = rows.selectExpr(
        *(
            f"count_if({condition}) as b{i}_{j}"
            for i, reference in enumerate(references)
            for j, condition in enumerate(bin_conditions(reference))
        ),
        *(f"count_if({breach_condition(r)}) as o{i}" for i, r in enumerate(references)),
        "count(*) as n",
    ).collect()[0]
    seasons = season_before(ctx, spec, champion, partition, earlier)
    variables = tuple(
        compare(
            reference,
            [counts[f"b{i}_{j}"] for j in range(len(reference.counts))],
            counts[f"o{i}"],
            seasons.get(reference.variable),
        )
        for i, reference in enumerate(references)
    )
    return MeasuredDrift(DriftReport(int(counts["n"]), variables, spec.drift), champion, references)


def season_before(
    ctx: StepContext,
    spec: ModelSpec,
    champion: ChampionEvent,
    partition: str,
    earlier: Mapping[str, Sequence[DriftRecord]] = NOTHING,
) -> dict[str, list[int]]:
    """Counts of the same season of the year before, if the same champion was measured there."""
    calendar, contract = ctx.window.calendar, drift_contract(spec)
    if calendar is None:
        return {}
    before = calendar.shift(partition, -calendar.frequency.in_a_year)
    if not calendar.has(before):
        return {}
    records = earlier.get(before)
    if records is None:
        where = f"{contract.partition_column} = '{before}'"
        rows = ctx.lakehouse.history(contract.table).rows(where=where)
        records = from_rows(DriftRecord, rows, contract.table, partition=contract.partition_column)
    return {
        r.variable: json.loads(r.counts) for r in records if r.model_sha256 == champion.model_sha256
    }
