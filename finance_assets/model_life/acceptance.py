"""Acceptance: a person takes the champion history as it stands, and says why.

A history that lacks an event which MLflow or Dagster states, or that somebody wrote around us,
is trusted by nobody. Where somebody wrote the journals or evaluations around us, its check fails.
Where that cannot be put right (the lakehouse was deleted, or restored to an older version), this
is the way on. It changes no champion: that one stays which the table names, and none where it
names none. What was wrong, what was stated before, who accepted it and why become an event of the
chain, which MLflow and Dagster state from then on.
"""

from dataclasses import asdict

from finance_assets.calendar import Calendar
from finance_assets.codec import to_json
from finance_assets.errors import ModelError
from finance_assets.lakehouse import constraints
from finance_assets.lakehouse.journal import prepare
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.chain import NOBODY, read_history
from finance_assets.model_life.champion_history import (
    Accepted,
    ChampionEvent,
    ChampionHistory,
    Event,
    champion_history_contract,
)
from finance_assets.model_life.crowning import add, event_behind
from finance_assets.model_life.decision_log import decision_contract
from finance_assets.model_life.effects import require_decidable
from finance_assets.model_life.people import acting_user, is_application
from finance_assets.model_life.verification import examine_records
from finance_assets.step.declaration import StepContext


def accept(
    ctx: StepContext, spec: ModelSpec, calendar: Calendar, *, reason: str, stated: dict[str, str]
) -> ChampionEvent:
    """Accept the history as it stands.

    Args:
        ctx: a context of the use case.
        spec: its model.
        calendar: its calendar.
        reason: why the history holds, in a person's words.
        stated: the newest event as places other than MLflow state it, by place.

    Raises:
        ModelError: nothing is wrong; the events themselves are broken, which nobody can accept; no
            person acts; or, in a catalog, no step has made the table.
        LostRaceError: somebody added to the history meanwhile; nothing was written.
    """
    statement = ctx.registry.statement(spec.name)
    places = {place: said for place, said in {"MLflow": statement, **stated}.items() if said}
    history = read_history(ctx.lakehouse, spec.name, places)
    require_decidable(spec, history, reason, None)
    problems = _acceptable(ctx, spec, history)
    accepted, stays = Accepted(problems, places), history.newest
    event = event_behind(
        history,
        ctx.origin,
        event=Event.accepted.value,
        effective_from=stays.effective_from if stays else calendar.first,
        as_of=stays.as_of if stays else "",
        dataset_version=stays.dataset_version if stays else "",
        trained_by=stays.trained_by if stays else "",
        decided_by=_person(ctx, spec),
        reason=reason.strip(),
        gate_report=to_json(accepted),
        **asdict(stays.identity if stays else NOBODY),
    )
    _prepare(ctx, spec)
    return add(ctx, spec, event, history)


def _prepare(ctx: StepContext, spec: ModelSpec) -> None:
    """Make the table take an acceptance.

    Raises:
        ModelError: it is in a catalog, where it belongs to the pipeline, and keeps older rules.
    """
    contract = champion_history_contract(spec.name)
    if not ctx.lakehouse.home.needs_engine:
        prepare(ctx.lakehouse, contract)
        return
    stored = ctx.lakehouse.table(contract.table)
    if stored.exists and not constraints.is_declared(stored, contract):
        raise ModelError(
            "the table keeps the rules of an earlier version, which know no acceptance",
            where=contract.table,
            remedy=f"materialise {decision_contract(spec).table} by itself, which gives it today's "
            "rules and then fails; accept after that",
        )


def _acceptable(ctx: StepContext, spec: ModelSpec, history: ChampionHistory) -> tuple[str, ...]:
    """What is missing or came from elsewhere: in the history, and in the records it rests on.

    Raises:
        ModelError: nothing is; or something is wrong that nobody can accept.
    """
    where = champion_history_contract(spec.name).table
    if history.broken:
        raise ModelError(
            f"the events themselves are not as they were recorded: {'; '.join(history.broken)}",
            where=where,
            remedy="nobody can accept that: RESTORE the table to a version before it was changed, "
            "or take it away with its folder; then accept what is left",
        )
    records = examine_records(ctx, spec, history)
    found = (*history.unexplained, *records.unexplained)
    if records.broken and not found:
        raise ModelError(
            f"records are not as they were appended: {'; '.join(records.broken)}",
            where=where,
            remedy="nobody can accept that: RESTORE their table to a version before it was changed",
        )
    if not found:
        raise ModelError(
            "nothing is wrong with the champion history: there is nothing to accept",
            where=where,
            remedy=f"see `finance-assets history {spec.name} --verify`",
        )
    return found


def _person(ctx: StepContext, spec: ModelSpec) -> str:
    """Who accepts.

    Raises:
        ModelError: it is a service principal.
    """
    by = acting_user(ctx)
    if is_application(by):
        raise ModelError(
            f"{by} is a service principal, which anybody may stand behind; people accept",
            where=spec.name,
            remedy="accept with your own login, not with an application's",
        )
    return by
