"""What people's changes of champion share: what they need, when they hold, what follows."""

from finance_assets.errors import ModelError
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.cards import write_card
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory, Event
from finance_assets.model_life.crowning import (
    first_open_partition,
    history_of,
    mirror,
    unlost,
)
from finance_assets.model_life.judging import Judge
from finance_assets.model_life.scored import outdated
from finance_assets.step.arguments import require_partition
from finance_assets.step.declaration import StepContext


def follow_up(ctx: StepContext, spec: ModelSpec, event: ChampionEvent) -> list[str]:
    """Aliases, then the cards of both versions; what fails is reported, the event stays.

    Returns:
        What failed, and will follow with the next decision; and which partitions have to be
        scored again, as the event holds there or they were scored while it was decided.
    """

    def cards() -> None:
        for number in filter(None, dict.fromkeys((event.model_version, event.replaces))):
            write_card(ctx, spec, ctx.registry.version(spec.name, number))

    def tags() -> None:
        version = ctx.registry.version(spec.name, event.model_version)
        said = {"approved_by": event.decided_by, "approval_reason": event.reason}
        ctx.registry.set_tags(version, said)

    problems = [unlost("MLflow's aliases", lambda: mirror(ctx, spec))]
    if event.event == Event.approved:
        problems.append(unlost("The tags of the approval", tags))
    problems.append(unlost("The model card", cards))
    problems += outdated(ctx, spec, history_of(ctx, spec).trusted())
    return [problem for problem in problems if problem]


def require_decidable(
    spec: ModelSpec, history: ChampionHistory, reason: str, expect: str | None
) -> None:
    """A change needs a reason, and the champion has to be the one that its author saw.

    Raises:
        ModelError: one of them is not so.
    """
    if not reason.strip():
        raise ModelError(
            "a change of champion needs a reason",
            where=f"{spec.name}, --reason",
            remedy='--reason "why, in a sentence"',
        )
    newest = history.newest.model_version if history.newest else "none"
    if expect is not None and expect.removeprefix("v") != newest:
        raise ModelError(
            f"the champion is v{newest} now, not v{expect.removeprefix('v')}: somebody was first",
            where=f"{spec.name}, --expect",
            remedy=f"look at `finance-assets history {spec.name}`, then decide again",
        )


def start_of(
    ctx: StepContext,
    judge: Judge,
    history: ChampionHistory,
    as_of: str,
    wanted: str | None,
) -> str:
    """The partition from which the event holds.

    Raises:
        SettingsError: the wanted one is no partition.
        ModelError: the wanted one is before the model could know of it, or after the first one
            that nobody scored yet.
    """
    spec, calendar = judge.spec, judge.calendar
    default = first_open_partition(ctx, spec, calendar, history, as_of)
    if wanted is None:
        return default
    require_partition(calendar, wanted, "--from", later=1)
    first = max(calendar.shift(as_of, 1), calendar.first)
    if not first <= wanted <= default:
        raise ModelError(
            f"an event cannot take effect at {wanted}",
            where=f"{spec.name}, --from",
            remedy=f"from {first} (the model was trained as of {as_of}) to {default} (the first "
            "partition that nobody scored yet)",
        )
    return wanted
