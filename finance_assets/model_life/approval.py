"""Approval: a second person lets a held candidate in. The gate cannot be overridden."""

from finance_assets.errors import ModelError
from finance_assets.ml.gate_report import GateReport
from finance_assets.ml.identity import Identity
from finance_assets.ml.model_files import Version
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import split_as_of
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory, Event
from finance_assets.model_life.contests import Contest, contest
from finance_assets.model_life.contracts import candidate_contract
from finance_assets.model_life.crowning import Crowning, crown, history_of
from finance_assets.model_life.decision_log import (
    Decision,
    Outcome,
    log_decision,
    newest_on,
    read_decisions,
)
from finance_assets.model_life.effects import require_decidable, start_of
from finance_assets.model_life.judging import Judge, as_decision
from finance_assets.model_life.people import acting_user, is_application, is_one_of
from finance_assets.step.declaration import StepContext


def approve(
    ctx: StepContext,
    judge: Judge,
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
            trained it or accepted a loss before it, or the champion is not the expected one.
        LostRaceError: somebody else changed the champion meanwhile; nothing was written.
    """
    spec = judge.spec
    history = history_of(ctx, spec).trusted()
    require_decidable(spec, history, reason, expect)
    held = _held(ctx, spec, history, version)
    candidate = ctx.registry.version(spec.name, version)
    by = _second_person(ctx, spec, candidate, held, history.acceptors)
    split = split_as_of(judge.calendar, spec, held.as_of)
    one = contest(ctx, spec, split, history, candidate)
    identity = _unaltered(spec, one, held)
    report = _passed(ctx, judge, one)
    crowning = Crowning(
        event=Event.approved,
        identity=identity,
        as_of=held.as_of,
        dataset_version=held.dataset_version,
        trained_by=held.trained_by,
        report=report,
        decided_by=by,
        reason=reason.strip(),
    )
    start = start_of(ctx, judge, history, held.as_of, effective_from)
    return crown(ctx, spec, crowning, start, history)


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


def _unaltered(spec: ModelSpec, one: Contest, held: Decision) -> Identity:
    """The candidate's identity.

    Raises:
        ModelError: its files are not those that the gate judged.
    """
    if one.identity is None or one.model_sha256 != held.model_sha256:
        raise ModelError(
            "its files are not those that the gate judged",
            where=f"{spec.name} v{held.candidate_version}",
            remedy="do not use it; restore them from a backup, or train anew",
        )
    return one.identity


def _passed(ctx: StepContext, judge: Judge, one: Contest) -> GateReport:
    """The report of judging it once more; the decision is logged either way.

    Raises:
        ModelError: it does not pass any more.
    """
    report = judge.judge(ctx, one)
    outcome = Outcome.held if report.is_passed else Outcome.turned_down
    log_decision(ctx, judge.spec, as_decision(ctx, one, report, outcome))
    if not report.is_passed:
        raise ModelError(
            f"judged anew, it does not pass any more: {', '.join(report.failed_criteria)}",
            where=f"{judge.spec.name} v{report.candidate_version} against champion "
            f"v{report.champion_version}",
            remedy="train a candidate on today's data; a failed criterion cannot be overridden",
        )
    return report


def _second_person(
    ctx: StepContext,
    spec: ModelSpec,
    candidate: Version,
    held: Decision,
    acceptors: tuple[str, ...],
) -> str:
    """Who approves, if they are a second person: one who did not train the version, by any record
    of who did, and did not accept the loss of the champion that it might not have beaten.

    Raises:
        ModelError: they are not.
    """
    by, table = acting_user(ctx), candidate_contract(spec).table
    rows = ctx.lakehouse.history(table).rows(
        "trained_by", f"model_version = '{int(candidate.number)}'"
    )
    if is_application(by):
        raise ModelError(
            f"{by} is a service principal, which anybody may stand behind; people approve",
            where=f"{spec.name} v{candidate.number}",
            remedy="approve with your own login, not with an application's",
        )
    trainers = {held.trained_by, candidate.tags.get("trained_by", "")}
    trainers |= {str(row["trained_by"]) for row in rows}
    is_trainer = is_one_of(by, trainers)
    if is_trainer or is_one_of(by, acceptors):
        did = "trained this version" if is_trainer else "accepted the champion history"
        raise ModelError(
            f"{by} {did} and cannot approve it",
            where=f"{spec.name} v{candidate.number}",
            remedy="ask a second person, who logs in as themselves",
        )
    return by
