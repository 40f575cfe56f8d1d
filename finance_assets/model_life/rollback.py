"""Rollback: an earlier champion is put in force again, by a person who says why."""

from finance_assets.errors import ModelError
from finance_assets.ml.identity import reader
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import (
    ChampionEvent,
    ChampionHistory,
    Event,
    champion_history_contract,
)
from finance_assets.model_life.crowning import Crowning, crown, history_of
from finance_assets.model_life.effects import require_decidable, start_of
from finance_assets.model_life.judging import Judge
from finance_assets.model_life.people import acting_user
from finance_assets.model_life.usable import usable
from finance_assets.step.declaration import StepContext


def roll_back(
    ctx: StepContext,
    judge: Judge,
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
            became champion, features of it have no column, or the champion is not the expected one.
        LostRaceError: somebody else changed the champion meanwhile; nothing was written.
    """
    spec = judge.spec
    history = history_of(ctx, spec).trusted()
    require_decidable(spec, history, reason, expect)
    target = _target(spec, history, to)
    # A champion that cannot be loaded, or lacks its columns, is no remedy.
    usable(reader(ctx.registry, spec.name), spec, target)
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
    start = start_of(ctx, judge, history, target.as_of, effective_from)
    return crown(ctx, spec, crowning, start, history)


def _target(spec: ModelSpec, history: ChampionHistory, to: str | None) -> ChampionEvent:
    """The event of the earlier champion.

    Raises:
        ModelError: there is none, or `to` never was champion.
    """
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
    return target
