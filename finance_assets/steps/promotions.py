"""Promotions: the append-only history of who became champion, when, from what, and by whom.

The one source of which champion is in force at a partition; MLflow's aliases only mirror it.
Every event takes effect at a partition and holds from there on, so that scoring the past again
still knows its champion. Deciding whether to promote is the gate's business.
"""

import getpass
import json
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from finance_assets.errors import ModelError
from finance_assets.lakehouse.contract import Column, Contract, RowRule
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.publish import Proposal
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.windows import Window, shift_month
from finance_assets.ml.gate import GateReport
from finance_assets.steps.step import StepContext

END_OF_TIME = "9999-12"


class Event(StrEnum):
    """What happened to a candidate or a champion."""

    promoted = "promoted"
    turned_down = "turned_down"
    held = "held"
    approved = "approved"
    rolled_back = "rolled_back"


DECISIONS = (Event.promoted, Event.turned_down, Event.held)

PROMOTIONS = Contract(
    table="monitoring.model_promotions",
    description="Every decision about a champion, never changed: who, when, from what, to what, "
    "and on which report. The last event at or before a partition names its champion.",
    columns=(
        Column("event_id", "string", "Unique id of the event"),
        Column("use_case", "string", "Use case, which is the registered model's name"),
        Column("event", "string", "promoted, turned_down, held, approved or rolled_back"),
        Column("as_of_month", "string", "As-of month of the version it is about (YYYY-MM)"),
        Column("effective_from", "string", "First partition that the event holds for (YYYY-MM)"),
        Column("model_version", "string", "Version it is about"),
        Column("from_version", "string", "Champion before the event", is_nullable=True),
        Column("champion_version", "string", "Champion after the event", is_nullable=True),
        Column("champion_as_of", "string", "As-of month of that champion", is_nullable=True),
        Column("decided_by", "string", "'gate', or the person"),
        Column("reason", "string", "Why, in their words"),
        Column("gate_report", "string", "The report it rests on, JSON"),
        Column("dataset_version", "string", "Input tables of the version, with Delta versions"),
        Column("git_sha", "string", "Commit of the code that decided"),
        Column("run_id", "string", "Run that decided"),
        Column("recorded_at", "string", "When it was recorded (UTC, ISO 8601)"),
    ),
    key=("event_id",),
    partition_column="effective_from",
    row_rules=(
        RowRule(
            "event_known",
            "event IN ('promoted', 'turned_down', 'held', 'approved', 'rolled_back')",
            "Nothing else happens to a champion.",
        ),
    ),
    is_append_only=True,
)


@dataclass(frozen=True)
class Promotion:
    """An event of the history; the fields are the table's columns."""

    event_id: str
    use_case: str
    event: str
    as_of_month: str
    effective_from: str
    model_version: str
    from_version: str | None
    champion_version: str | None
    champion_as_of: str | None
    decided_by: str
    reason: str
    gate_report: str
    dataset_version: str
    git_sha: str
    run_id: str
    recorded_at: str

    @property
    def report(self) -> GateReport:
        """The gate report the event rests on."""
        return GateReport.from_json(self.gate_report)


@dataclass(frozen=True)
class Champion:
    """A champion: its version, and the as-of month of its training."""

    version: str
    as_of: str


def promotions(lakehouse: Lakehouse, use_case: str) -> list[Promotion]:
    """Every event of a use case, in the order in which they take effect."""
    rows = lakehouse.history(PROMOTIONS.table).rows(where=f"use_case = '{use_case}'")
    return sorted((Promotion(**r) for r in rows), key=lambda e: (e.effective_from, e.recorded_at))


def champion_at(lakehouse: Lakehouse, use_case: str, partition: str) -> Champion | None:
    """The champion in force at a partition.

    None means that the history was read and names no champion.
    """
    return _in_force(promotions(lakehouse, use_case), partition)


def _in_force(events: list[Promotion], partition: str) -> Champion | None:
    until = [event for event in events if event.effective_from <= partition]
    if not until or until[-1].champion_version is None:
        return None
    return Champion(until[-1].champion_version, str(until[-1].champion_as_of))


def promoted_report(lakehouse: Lakehouse, use_case: str, version: str) -> GateReport:
    """The passed report with which a version became champion.

    Raises:
        ModelError: it never did.
    """
    for event in promotions(lakehouse, use_case):
        is_crowning = event.event in (Event.promoted, Event.approved)
        if is_crowning and event.model_version == version and event.report.is_passed:
            return event.report
    raise ModelError(
        "this version was never champion",
        where=f"{use_case} v{version}, {PROMOTIONS.table}",
        remedy="only a version that passed the gate and was promoted can be in force; "
        "`finance-assets history` lists them",
    )


def record(
    ctx: StepContext,
    *,
    use_case: str,
    event: Event,
    report: GateReport,
    as_of: str,
    effective_from: str,
    champion: Champion | None,
    dataset_version: str,
    decided_by: str,
    reason: str,
) -> Promotion:
    """Append an event. `champion` is the one in force from `effective_from` on."""
    before = champion_at(ctx.lakehouse, use_case, effective_from)
    promotion = Promotion(
        event_id=uuid.uuid4().hex,
        use_case=use_case,
        event=event.value,
        as_of_month=as_of,
        effective_from=effective_from,
        model_version=report.candidate_version,
        from_version=before.version if before else None,
        champion_version=champion.version if champion else None,
        champion_as_of=champion.as_of if champion else None,
        decided_by=decided_by,
        reason=reason,
        gate_report=report.to_json(),
        dataset_version=dataset_version,
        git_sha=ctx.origin.code_sha,
        run_id=ctx.origin.run_id,
        recorded_at=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    ddl = ", ".join(f"`{column.name}` {column.type}" for column in PROMOTIONS.columns)
    row = tuple(asdict(promotion)[name] for name in PROMOTIONS.column_names)
    frame = ctx.lakehouse.spark.createDataFrame([row], ddl)
    window = Window(effective_from, effective_from)
    published = ctx.publish(Proposal(PROMOTIONS, window, frame, {effective_from: Ledger(1, 1)}))
    if published.is_refused:
        broken = [outcome.observed for outcome in published.outcomes if not outcome.is_passed]
        raise ModelError(
            f"the event was refused: {'; '.join(broken)}",
            where=PROMOTIONS.table,
            remedy="nothing was changed; see the checks of the table",
        )
    return promotion


def mirror_aliases(ctx: StepContext, use_case: str) -> None:
    """Make the registry's aliases follow the history; mends what a crash left behind."""
    events = promotions(ctx.lakehouse, use_case)
    champion = _in_force(events, END_OF_TIME)
    previous = previous_champion(events)
    judged = [e for e in events if e.event in (Event.held, Event.turned_down)]
    latest = judged[-1].model_version if judged else None
    crowned = {e.model_version for e in events if e.event in (Event.promoted, Event.approved)}
    ctx.registry.mirror(
        use_case,
        promoted_report(ctx.lakehouse, use_case, champion.version) if champion else None,
        previous.version if previous else None,
        latest if latest not in crowned else None,
    )


def previous_champion(events: list[Promotion]) -> Champion | None:
    """The champion that was in force before today's."""
    now = _in_force(events, END_OF_TIME)
    for event in reversed(events):
        if event.champion_version and (now is None or event.champion_version != now.version):
            return Champion(event.champion_version, str(event.champion_as_of))
    return None


def stated(lakehouse: Lakehouse, use_case: str) -> dict[str, dict[str, Any]]:
    """What sensors need to know of the history: today's champion, by use case."""
    champion = champion_at(lakehouse, use_case, END_OF_TIME)
    return {use_case: {"champion_version": champion.version if champion else ""}}


def next_unscored(lakehouse: Lakehouse, predictions: str, month: str) -> str | None:
    """The partition after the newest that has predictions; None if none has."""
    newest = lakehouse.history(predictions).rows(f"max({month}) as newest")
    last = newest[0]["newest"] if newest else None
    return shift_month(last, 1) if last else None


def current_user() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def last_decision(events: list[Promotion], as_of: str) -> Promotion | None:
    """The gate's newest decision as of a month."""
    found = [e for e in events if e.as_of_month == as_of and e.event in DECISIONS]
    return max(found, key=lambda e: e.recorded_at) if found else None


def is_same_decision(known: Promotion | None, event: Event, report: GateReport) -> bool:
    """Whether this very decision is in the history already."""
    if known is None or known.event != event:
        return False
    return bool(json.loads(known.gate_report) == json.loads(report.to_json()))
