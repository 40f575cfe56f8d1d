"""Governance: what people decide about models. Approve a held candidate, roll a champion back.

Both append to the champion history; aliases and card follow (`follow_up`). Neither can override
the gate: only versions with a passed report are ever in force.
"""

from finance_assets.errors import ModelError
from finance_assets.lakehouse.windows import Calendar, shift_month
from finance_assets.ml.frames import split_as_of
from finance_assets.ml.identity import verified
from finance_assets.ml.registry import Version
from finance_assets.ml.spec import ModelSpec
from finance_assets.steps.arguments import require_partition
from finance_assets.steps.cards import write_card
from finance_assets.steps.champion_history import (
    ChampionEvent,
    ChampionHistory,
    Event,
    champion_history_contract,
)
from finance_assets.steps.champions import (
    Crowning,
    crown,
    first_open_partition,
    history_of,
    mirror,
    unlost,
)
from finance_assets.steps.decision_log import (
    Decision,
    Outcome,
    log_decision,
    newest_on,
    read_decisions,
)
from finance_assets.steps.evaluation import contest, evaluation_inputs
from finance_assets.steps.judging import as_decision, judge
from finance_assets.steps.model_contracts import candidate_contract
from finance_assets.steps.people import acting_user, is_same_person
from finance_assets.steps.step import StepContext


def approve(
    ctx: StepContext,
    spec: ModelSpec,
    calendar: Calendar,
    version: str,
    *,
    reason: str,
    effective_from: str | None = None,
    expect: str | None = None,
) -> ChampionEvent:
    """Make a held candidate champion, from the first partition that nobody scored yet.

    It is judged once more, against today's champion and today's data: what was held for long may
    not be good enough any more.

    Raises:
        ModelError: it is not held, its files were altered, it does not pass today, the approver
            trained it, or the champion is not the expected one.
        LostRaceError: somebody else changed the champion meanwhile; nothing was written.
    """
    history = history_of(ctx, spec).trusted()
    _require(spec, history, reason, expect)
    held = _held(ctx, spec, history, version)
    candidate = ctx.registry.version(spec.name, version)
    by = _second_person(ctx, spec, candidate, held)
    split = split_as_of(calendar, spec, held.as_of)
    one = contest(ctx, spec, split, history, candidate)
    if one.identity is None or one.model_sha256 != held.model_sha256:
        raise ModelError(
            "its files are not those that the gate judged",
            where=f"{spec.name} v{version}",
            remedy="do not use it; restore them from a backup, or train anew",
        )
    report = judge(ctx, spec, one, evaluation_inputs(spec, calendar))
    outcome = Outcome.held if report.is_passed else Outcome.turned_down
    log_decision(ctx, spec, as_decision(ctx, one, report, outcome))
    if not report.is_passed:
        raise ModelError(
            f"judged anew, it does not pass any more: {', '.join(report.failed_criteria)}",
            where=f"{spec.name} v{version} against champion v{report.champion_version}",
            remedy="train a candidate on today's data; a failed criterion cannot be overridden",
        )
    crowning = Crowning(
        event=Event.approved,
        identity=one.identity,
        as_of=held.as_of,
        dataset_version=held.dataset_version,
        trained_by=held.trained_by,
        report=report,
        decided_by=by,
        reason=reason.strip(),
    )
    start = _start(ctx, spec, calendar, history, held.as_of, effective_from)
    return crown(ctx, spec, crowning, start, history)


def roll_back(
    ctx: StepContext,
    spec: ModelSpec,
    calendar: Calendar,
    *,
    reason: str,
    to: str | None = None,
    effective_from: str | None = None,
    expect: str | None = None,
) -> ChampionEvent:
    """Put an earlier champion in force again: the one before today's, or version `to`.

    It holds from the first partition that nobody scored yet, or from `effective_from`.

    Raises:
        ModelError: there is no earlier champion, `to` never was one, its files are not what
            became champion, or the champion is not the expected one.
        LostRaceError: somebody else changed the champion meanwhile; nothing was written.
    """
    history = history_of(ctx, spec).trusted()
    _require(spec, history, reason, expect)
    now = history.newest
    target = history.of_version(to) if to else history.previous
    where = f"{spec.name}, {champion_history_contract(spec.name).table}"
    if to and target is None:
        raise ModelError(
            f"v{to} was never champion",
            where=where,
            remedy="only a version that passed the gate can be in force; see "
            f"`finance-assets history {spec.name}`",
        )
    if now is None or target is None or target.identity == now.identity:
        raise ModelError(
            f"there is nothing to roll back to (champion: "
            f"{'v' + now.model_version if now else 'none'})",
            where=where,
            remedy="--to names another version that was champion; see "
            f"`finance-assets history {spec.name}`",
        )
    # A champion that cannot be loaded is no remedy.
    verified(ctx.registry, spec.name, target.identity)
    crowning = Crowning(
        event=Event.rolled_back,
        identity=target.identity,
        as_of=target.as_of,
        dataset_version=target.dataset_version,
        trained_by=target.trained_by,
        report=target.report,
        decided_by=acting_user(ctx),
        reason=reason.strip(),
    )
    start = _start(ctx, spec, calendar, history, target.as_of, effective_from)
    return crown(ctx, spec, crowning, start, history)


def follow_up(ctx: StepContext, spec: ModelSpec, event: ChampionEvent) -> list[str]:
    """Aliases, then the cards of both versions; what fails is reported, the event stays.

    Returns:
        What failed, and will follow with the next decision.
    """

    def cards() -> None:
        for number in filter(None, (event.model_version, event.replaces)):
            write_card(ctx, spec, ctx.registry.version(spec.name, number))

    def tags() -> None:
        version = ctx.registry.version(spec.name, event.model_version)
        said = {"approved_by": event.decided_by, "approval_reason": event.reason}
        ctx.registry.set_tags(version, said)

    problems = [unlost(ctx, "MLflow's aliases", lambda: mirror(ctx, spec))]
    if event.event == Event.approved:
        problems.append(unlost(ctx, "The tags of the approval", tags))
    problems.append(unlost(ctx, "The model card", cards))
    return [problem for problem in problems if problem]


def _require(spec: ModelSpec, history: ChampionHistory, reason: str, expect: str | None) -> None:
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


def _held(ctx: StepContext, spec: ModelSpec, history: ChampionHistory, version: str) -> Decision:
    """The decision that holds a version.

    Raises:
        ModelError: it is not held.
    """
    last = newest_on(read_decisions(ctx.lakehouse, spec), version)
    crowned = history.of_version(version)
    is_crowned = (
        crowned is not None and last is not None and (crowned.model_sha256 == last.model_sha256)
    )
    if last is not None and last.outcome == Outcome.held and not is_crowned:
        return last
    found = "nobody judged it"
    if last is not None:
        criteria = f": {last.failed_criteria}" if last.failed_criteria else ""
        found = f"the gate's decision was «{last.outcome}{criteria}»"
    if is_crowned:
        found = "it became champion already"
    raise ModelError(
        f"only a candidate that is held for approval can be approved; {found}",
        where=f"{spec.name} v{version}",
        remedy=f"see `finance-assets history {spec.name}`; a failed criterion cannot be overridden",
    )


def _second_person(ctx: StepContext, spec: ModelSpec, candidate: Version, held: Decision) -> str:
    """Who approves, if they did not train the version, by any record of who did.

    Raises:
        ModelError: they did.
    """
    by, table = acting_user(ctx), candidate_contract(spec).table
    rows = ctx.lakehouse.history(table).rows(
        "trained_by", f"model_version = '{int(candidate.number)}'"
    )
    trainers = {held.trained_by, candidate.tags.get("trained_by", "")}
    trainers |= {str(row["trained_by"]) for row in rows}
    if any(is_same_person(by, trainer) for trainer in trainers):
        raise ModelError(
            f"{by} trained this version and cannot approve it",
            where=f"{spec.name} v{candidate.number}",
            remedy="ask a second person, who logs in as themselves",
        )
    return by


def _start(
    ctx: StepContext,
    spec: ModelSpec,
    calendar: Calendar,
    history: ChampionHistory,
    as_of: str,
    wanted: str | None,
) -> str:
    """The partition from which the event holds.

    Raises:
        SettingsError: the wanted one is no partition.
        ModelError: it is before the model could know of it, or after the first one that nobody
            scored yet.
    """
    default = first_open_partition(ctx, spec, history, as_of)
    if wanted is None:
        return default
    require_partition(calendar, wanted, "--from", later=1)
    first = max(shift_month(as_of, 1), calendar.first)
    if not first <= wanted <= default:
        raise ModelError(
            f"an event cannot take effect at {wanted}",
            where=f"{spec.name}, --from",
            remedy=f"from {first} (the model was trained as of {as_of}) to {default} (the first "
            "partition that nobody scored yet)",
        )
    return wanted
