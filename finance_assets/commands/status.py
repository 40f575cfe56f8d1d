"""Status: what the lakehouse and the registry hold for a use case.

Reads commit logs and small record tables only; where these lie in folders, no engine is started.
Showing it is render.py's business.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

from finance_assets.commands.command import Command
from finance_assets.commands.state import (
    CandidateState,
    ChampionState,
    ChangeState,
    PartitionState,
    ScoredState,
    State,
    TableState,
)
from finance_assets.lakehouse.record import from_rows
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.evaluation import ALL, CANDIDATE, CHAMPION
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.model_life.decision_log import Decision, read_decisions
from finance_assets.model_life.evaluations import (
    Evaluation,
    Measurement,
    evaluation_contract,
    evaluations_of,
)
from finance_assets.model_life.scored import scored_by
from finance_assets.model_life.verdicts import stored_summaries
from finance_assets.step.coming import overdue
from finance_assets.step.declaration import StepContext
from finance_assets.step.use_case import UseCase


@dataclass(frozen=True)
class Status(Command[State]):
    """What there is of a use case."""

    name: ClassVar[str] = "status"
    needs_models: ClassVar[bool] = False

    def run(self, ctx: StepContext, use_case: UseCase) -> State:
        """The state, which `status --json` prints for each use case."""
        return _state(ctx.lakehouse.snapshot(), use_case)


def _state(lakehouse: Lakehouse, use_case: UseCase) -> State:
    first, calendar = use_case.steps[0], use_case.calendar
    deliveries = lakehouse.history(first.key)
    delivered, history = deliveries.ledgers(), read_history(lakehouse, use_case.name)
    evaluated = evaluation_contract(use_case.model)
    decisions = sorted(read_decisions(lakehouse, use_case.model), key=lambda d: d.as_of)
    # Of models that served or serve the figures over the whole holdout, and none of the texts.
    shown = f"segment = '{ALL}' AND role IN ('{CANDIDATE}', '{CHAMPION}') AND note IS NULL"
    stored = lakehouse.history(evaluated.table).rows(where=shown)
    measured = from_rows(Measurement, stored, evaluated.table)
    evaluations = evaluations_of(use_case.model.task, measured)
    partitions = [p for p in calendar.partitions() if p in delivered]
    drift = stored_summaries(lakehouse, use_case.model)
    return State(
        partitions=partitions,
        overdue=list(overdue(first, calendar, delivered, deliveries.delivered_at())),
        tables={step.key: _table(lakehouse, step.key) for step in use_case.steps},
        headline=use_case.model.task.headline,
        champion=_champion(history, evaluations),
        candidates=[_candidate(decision, evaluations) for decision in decisions],
        champion_history=[_change(event) for event in history.events],
        champion_history_problems=list(history.problems),
        predictions=_predictions(lakehouse, use_case),
        drift=drift,
        not_measured=[p for p in partitions if p not in drift],
    )


def _change(event: ChampionEvent) -> ChangeState:
    return ChangeState(**{one.name: getattr(event, one.name) for one in fields(ChangeState)})


def _table(lakehouse: Lakehouse, table: str) -> TableState:
    history = lakehouse.history(table)
    ledgers, counts = history.ledgers(), history.row_counts()
    rejected = lakehouse.history(f"{table}_quarantine")
    return TableState(
        version=history.version,
        rows=sum(counts.values()),
        delivered=sum(ledger.delivered for ledger in ledgers.values()),
        published=sum(ledger.published for ledger in ledgers.values()),
        quarantined=sum(rejected.row_counts().values()),
        duplicates=sum(ledger.duplicates for ledger in ledgers.values()),
        is_conserved=all(
            ledger.is_balanced and rejected.ledger_of(p).published == ledger.quarantined
            for p, ledger in ledgers.items()
        ),
        partitions={
            p: PartitionState(
                delivered=ledger.delivered,
                published=ledger.published,
                quarantined=ledger.quarantined,
                duplicates=ledger.duplicates,
                rows=counts.get(p, 0),
            )
            for p, ledger in ledgers.items()
        },
        failed_checks=sorted(
            {
                f"{name}[{partition}]"
                for partition in history.recorded()
                if (publication := history.in_force(partition)) is not None
                for name in publication.failed_checks.get(partition, ())
            }
        ),
    )


def _metrics(evaluations: dict[str, Evaluation], as_of: str, sha256: str) -> dict[str, float]:
    """Holdout metrics of the candidate as of a partition; none where it could not be measured."""
    own = evaluations[as_of].of_role(CANDIDATE) if as_of in evaluations else None
    if own is None or own.whole is None or own.model_sha256 != sha256:
        return {}
    # How many rows there were is no measure of the model.
    return {k: v for k, v in own.whole.scalars().items() if isinstance(v, float)}


def _metrics_as_champion(evaluations: dict[str, Evaluation], sha256: str) -> dict[str, float]:
    """Metrics on the newest holdout on which a candidate was compared with this champion."""
    for as_of in sorted(evaluations, reverse=True):
        found = evaluations[as_of].of_role(CHAMPION)
        if found is not None and found.whole is not None and found.model_sha256 == sha256:
            return {k: v for k, v in found.whole.scalars().items() if isinstance(v, float)}
    return {}


def _champion(history: ChampionHistory, evaluations: dict[str, Evaluation]) -> ChampionState | None:
    """Today's champion, and the event that put it in force."""
    event = history.newest
    if event is None:
        return None
    return ChampionState(
        version=event.model_version,
        as_of=event.as_of,
        since=event.effective_from,
        event=event.event,
        decided_by=event.decided_by,
        is_baseline=event.is_baseline,
        metrics=_metrics(evaluations, event.as_of, event.model_sha256)
        or _metrics_as_champion(evaluations, event.model_sha256),
    )


def _candidate(decision: Decision, evaluations: dict[str, Evaluation]) -> CandidateState:
    return CandidateState(
        version=decision.candidate_version,
        as_of=decision.as_of,
        decision=decision.outcome,
        failed_criteria=[name for name in decision.failed_criteria.split(",") if name],
        metrics=_metrics(evaluations, decision.as_of, decision.model_sha256),
    )


def _predictions(lakehouse: Lakehouse, use_case: UseCase) -> dict[str, ScoredState]:
    history = lakehouse.history(prediction_contract(use_case.model).table)
    scorers = dict(scored_by(history, use_case.model))
    return {
        partition: ScoredState(rows, scorers[partition].model_version)
        for partition, rows in history.row_counts().items()
    }
