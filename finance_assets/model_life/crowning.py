"""Champions: crown one, find out who is in force, and keep MLflow in step with the history.

The only module that adds to the champion history. Whether to crown is decided by the gate
(judging.py) or by people (approval.py, rollback.py).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from finance_assets.calendar import Calendar
from finance_assets.errors import LostRaceError, ModelError
from finance_assets.lakehouse.journal import append, read_journal
from finance_assets.lakehouse.publish import Origin
from finance_assets.ml.gate_report import GateReport
from finance_assets.ml.identity import Identity
from finance_assets.ml.registry import Mirror
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.chain import history_in, read_history
from finance_assets.model_life.champion_history import (
    BY_PEOPLE,
    ChampionEvent,
    ChampionHistory,
    Event,
    champion_history_contract,
)
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.model_life.decision_log import decision_contract, read_decisions
from finance_assets.step.declaration import Facts, StepContext


@dataclass(frozen=True)
class Crowning:
    """What is about to become champion, on which report, by whom and why."""

    event: Event
    identity: Identity
    as_of: str
    dataset_version: str
    trained_by: str
    report: GateReport
    decided_by: str
    reason: str


def history_of(ctx: StepContext, spec: ModelSpec) -> ChampionHistory:
    """The use case's champion history, compared with what MLflow states of it."""
    statement = ctx.registry.statement(spec.name)
    stated = {"MLflow": statement} if statement else {}
    return read_history(ctx.lakehouse, spec.name, stated)


def first_open_partition(
    ctx: StepContext,
    spec: ModelSpec,
    calendar: Calendar,
    history: ChampionHistory,
    as_of: str,
) -> str:
    """The first partition that a model as of `as_of` takes effect at, unless asked otherwise.

    It is later than `as_of`, nobody scored it yet, and it is not before the newest event's.
    """
    # By what the log states: a file that is lost shall not keep a person from a rollback.
    scored = ctx.lakehouse.history(prediction_contract(spec).table).ledgers()
    last = max((partition for partition, one in scored.items() if one.published), default="")
    return max(
        calendar.shift(as_of, 1),
        calendar.shift(last, 1) if last else "",
        history.newest.effective_from if history.newest else "",
    )


def crown(
    ctx: StepContext,
    spec: ModelSpec,
    crowning: Crowning,
    effective_from: str,
    expected: ChampionHistory,
) -> ChampionEvent:
    """Append the event, if the history is still the one that the decision rests on.

    Raises:
        LostRaceError: somebody else changed the champion since; nothing was written.
        ModelError: a person decided, and no step has made the table yet.
    """
    event = event_behind(
        expected,
        ctx.origin,
        event=crowning.event.value,
        effective_from=effective_from,
        as_of=crowning.as_of,
        dataset_version=crowning.dataset_version,
        trained_by=crowning.trained_by,
        decided_by=crowning.decided_by,
        reason=crowning.reason,
        gate_report=crowning.report.to_json(),
        **asdict(crowning.identity),
    )
    return add(ctx, spec, event, expected)


def add(
    ctx: StepContext, spec: ModelSpec, event: ChampionEvent, expected: ChampionHistory
) -> ChampionEvent:
    """Append an event behind the history that it was decided on.

    Raises:
        LostRaceError: the history is another one by now; nothing was written.
        ModelError: a person decided, and no step has made the table yet; or something is wrong
            with the history that was not when this was decided.
    """
    contract = champion_history_contract(spec.name)
    journal = read_journal(ctx.lakehouse, contract)
    if journal.version < 0 and event.event in BY_PEOPLE:
        raise ModelError(
            "there is no champion history, and no person makes its table: it would be theirs",
            where=contract.table,
            remedy=f"materialise {decision_contract(spec).table} alone, which makes it; try again",
        )
    now = history_in(journal, spec.name)
    if not set(now.problems) <= set(expected.problems):
        now.trusted()
    if now.statement != expected.statement or len(journal.rows) != len(now.chain):
        raise LostRaceError(
            "the champion changed while this was decided",
            where=contract.table,
            remedy="decide anew",
        )
    append(ctx.lakehouse, journal, asdict(event), event.digest, ctx.origin)
    return event


def event_behind(history: ChampionHistory, origin: Origin, **said: Any) -> ChampionEvent:
    """The event behind the newest one, sealed by its digest; `said`: what it says by itself."""
    return ChampionEvent(
        **said,
        sequence=len(history.chain) + 1,
        replaces=history.newest.model_version if history.newest else None,
        git_sha=origin.code_sha,
        run_id=origin.run_id,
        recorded_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        previous_digest=history.head.digest if history.head else "",
    ).sealed()


def mirror(ctx: StepContext, spec: ModelSpec) -> ChampionHistory:
    """Make MLflow's aliases and statement follow the history; mends what a crash left behind.

    Repeats while somebody else adds to the history, so that the last one to mirror mirrors the
    last event.
    """
    while True:
        history = history_of(ctx, spec).trusted()
        newest, previous = history.newest, history.previous
        judged = read_decisions(ctx.lakehouse, spec)
        challenger = judged[-1].candidate_version if judged else None
        crowned = {event.model_version for event in history.events}
        ctx.registry.mirror(
            spec.name,
            Mirror(
                champion=newest.report if newest else None,
                previous=previous.model_version if previous else None,
                challenger=challenger if challenger not in crowned else None,
                statement=history.statement,
            ),
        )
        if read_history(ctx.lakehouse, spec.name).statement == history.statement:
            return history


def stated(history: ChampionHistory) -> dict[str, Facts]:
    """What Dagster is told of the history: today's champion, all there were, the newest digest."""
    newest = history.newest
    return {
        history.use_case: {
            "champion_version": newest.model_version if newest else "",
            "champion_digest": newest.digest if newest else "",
            "crowned": sorted({event.model_version for event in history.events}),
            "as_of": newest.as_of if newest else "",
            "is_baseline": newest is not None and newest.is_baseline,
            "event": newest.event if newest else "",
            "effective_from": newest.effective_from if newest else "",
            "accepted_at": history.accepted_at,
            "lost_at": history.lost_at,
            "statement": history.statement,
        }
    }


def unlost(what: str, act: Callable[[], Any]) -> str:
    """Do something that follows from an event; if it fails, say so instead of losing the event.

    Returns:
        Why it failed; empty if it did not.
    """
    try:
        act()
    except Exception as error:  # noqa: BLE001 - the event is recorded, whatever happens to this
        return f"{what} failed and follows with the next decision: {error}"
    return ""
