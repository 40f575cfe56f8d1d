"""Commands about the champion: approve, roll back, list the history, verify it, accept it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from finance_assets.commands.command import Command
from finance_assets.commands.models import TRAINING_SECONDS, require_number
from finance_assets.model_life.acceptance import accept
from finance_assets.model_life.approval import approve
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import ChampionEvent, Event
from finance_assets.model_life.crowning import stated
from finance_assets.model_life.decision_log import Decision, read_decisions
from finance_assets.model_life.effects import follow_up
from finance_assets.model_life.judging import Judge
from finance_assets.model_life.rollback import roll_back
from finance_assets.model_life.verification import Findings, examine
from finance_assets.step.declaration import Facts, StepContext
from finance_assets.step.use_case import UseCase


@dataclass(frozen=True)
class Change:
    """A recorded change of champion: what Dagster is to be told, and what else failed."""

    event: ChampionEvent
    statement: Mapping[str, Facts]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Histories:
    """Every event of the chain, every decision of the gate, and what is wrong with the chain."""

    events: tuple[ChampionEvent, ...]
    decisions: tuple[Decision, ...]
    problems: tuple[str, ...]

    @property
    def changes(self) -> tuple[ChampionEvent, ...]:
        """The events that changed the champion."""
        return tuple(event for event in self.events if event.event != Event.accepted)


@dataclass(frozen=True)
class Approve(Command[Change]):
    """Make a held candidate champion."""

    name: ClassVar[str] = "approve"
    is_change: ClassVar[bool] = True
    limit_seconds: ClassVar[int] = TRAINING_SECONDS

    version: str
    reason: str
    effective_from: str | None = None
    expect: str | None = None

    def run(self, ctx: StepContext, use_case: UseCase) -> Change:
        """Judge it once more, and crown it."""

        def act() -> ChampionEvent:
            return approve(
                ctx,
                Judge.of(use_case),
                require_number(ctx, use_case, self.version),
                reason=self.reason,
                effective_from=self.effective_from,
                expect=self.expect,
            )

        return _once(ctx, use_case, act)


@dataclass(frozen=True)
class RollBack(Command[Change]):
    """Put an earlier champion in force again."""

    name: ClassVar[str] = "rollback"
    is_change: ClassVar[bool] = True

    reason: str
    to: str | None = None
    effective_from: str | None = None
    expect: str | None = None

    def run(self, ctx: StepContext, use_case: UseCase) -> Change:
        """Crown the champion before today's, or `to`."""

        def act() -> ChampionEvent:
            return roll_back(
                ctx,
                Judge.of(use_case),
                to=require_number(ctx, use_case, self.to) if self.to else None,
                effective_from=self.effective_from,
                expect=self.expect,
                reason=self.reason,
            )

        return _once(ctx, use_case, act)


@dataclass(frozen=True)
class History(Command[Histories]):
    """List every change of champion and every decision."""

    name: ClassVar[str] = "history"
    needs_models: ClassVar[bool] = False

    def run(self, ctx: StepContext, use_case: UseCase) -> Histories:
        """Read both journals."""
        found = read_history(ctx.lakehouse, use_case.name)
        decided = read_decisions(ctx.lakehouse, use_case.model)
        return Histories(found.chain, tuple(decided), found.problems)


@dataclass(frozen=True)
class Verify(Command[Findings]):
    """Check the chain and all that it rests on; `stated`: the newest event, by who states it."""

    name: ClassVar[str] = "verify"

    stated: dict[str, str] = field(default_factory=dict)

    def run(self, ctx: StepContext, use_case: UseCase) -> Findings:
        """What is broken, and what is to be scored again."""
        return examine(ctx, use_case.model, self.stated)


@dataclass(frozen=True)
class Accept(Command[Change]):
    """Take the history as it stands; `stated`: the newest event, by who states it."""

    name: ClassVar[str] = "accept"
    is_change: ClassVar[bool] = True

    reason: str
    stated: dict[str, str] = field(default_factory=dict)

    def run(self, ctx: StepContext, use_case: UseCase) -> Change:
        """Record that a person accepts it."""
        spec, calendar = use_case.model, use_case.calendar

        def act() -> ChampionEvent:
            return accept(ctx, spec, calendar, reason=self.reason, stated=self.stated)

        return _once(ctx, use_case, act)


def _once(ctx: StepContext, use_case: UseCase, act: Callable[[], ChampionEvent]) -> Change:
    """Change the champion, unless this run did already: a task may be run again behind our back,
    and a second rollback would take back the first.
    """
    run_id = ctx.origin.run_id
    made = [e for e in read_history(ctx.lakehouse, use_case.name).chain if e.run_id == run_id]
    event = made[-1] if made else act()
    problems = follow_up(ctx, use_case.model, event)
    facts = stated(read_history(ctx.lakehouse, use_case.name))
    return Change(event, facts, tuple(problems))
