"""Governance: what people decide about models. Approve a held candidate, roll a champion back.

Both append to the promotion history and then let the aliases follow. Neither can override the
gate: only versions with a passed report are ever in force.
"""

from finance_assets.errors import ModelError
from finance_assets.ml.spec import ModelSpec
from finance_assets.steps.cards import write_card
from finance_assets.steps.model_contracts import prediction_contract
from finance_assets.steps.promotions import (
    END_OF_TIME,
    PROMOTIONS,
    Champion,
    Event,
    Promotion,
    champion_at,
    mirror_aliases,
    next_unscored,
    previous_champion,
    promoted_report,
    promotions,
    record,
)
from finance_assets.steps.step import StepContext


def approve(ctx: StepContext, spec: ModelSpec, version: str, *, by: str, reason: str) -> Promotion:
    """Make a held candidate champion, from the first partition that nobody scored yet.

    Raises:
        ModelError: it is not held, it was judged against another champion than today's, or the
            approver is who trained it.
    """
    where = f"{spec.name} v{version}"
    events = promotions(ctx.lakehouse, spec.name)
    about = [event for event in events if event.model_version == version]
    last = max(about, key=lambda event: event.recorded_at, default=None)
    if last is None or last.event != Event.held:
        found = f"its last event is «{last.event}»: {last.reason}" if last else "nobody judged it"
        raise ModelError(
            f"only a candidate that is held for approval can be approved; {found}",
            where=where,
            remedy="see `finance-assets history`; a failed criterion cannot be overridden",
        )
    trained = ctx.registry.version(spec.name, version)
    if trained.tags.get("trained_by", "") == by:
        raise ModelError(
            f"{by} trained this version and cannot approve it",
            where=where,
            remedy="ask a second person",
        )
    champion = champion_at(ctx.lakehouse, spec.name, END_OF_TIME)
    if (champion.version if champion else None) != last.report.champion_version:
        raise ModelError(
            f"it was judged against champion {last.report.champion_version}, and today's is "
            f"{champion.version if champion else None}",
            where=where,
            remedy="materialise evaluation and champion of its month again, then approve",
        )
    after = Champion(version, last.as_of_month)
    promotion = record(
        ctx,
        use_case=spec.name,
        event=Event.approved,
        report=last.report,
        as_of=last.as_of_month,
        effective_from=_from(ctx, spec, events),
        champion=after,
        dataset_version=last.dataset_version,
        decided_by=by,
        reason=reason,
    )
    ctx.registry.set_tags(trained, {"approved_by": by, "approval_reason": reason})
    mirror_aliases(ctx, spec.name)
    write_card(ctx, spec, trained)
    return promotion


def roll_back(
    ctx: StepContext,
    spec: ModelSpec,
    *,
    to: str | None,
    effective_from: str | None,
    by: str,
    reason: str,
) -> Promotion:
    """Put an earlier champion in force again: the one before today's, or `to`.

    It holds from the first partition that nobody scored yet, or from `effective_from`.

    Raises:
        ModelError: there is no champion, no earlier one, or `to` never was one.
    """
    events = promotions(ctx.lakehouse, spec.name)
    now = champion_at(ctx.lakehouse, spec.name, END_OF_TIME)
    target = to or (before.version if (before := previous_champion(events)) else None)
    if now is None or target is None or target == now.version:
        raise ModelError(
            f"there is nothing to roll back to (champion: v{now.version if now else None})",
            where=f"{spec.name}, {PROMOTIONS.table}",
            remedy="see `finance-assets history`; --to names another version that was champion",
        )
    report = promoted_report(ctx.lakehouse, spec.name, target)
    version = ctx.registry.version(spec.name, target)
    # A champion that cannot be loaded is no remedy.
    ctx.registry.model(version)
    as_of = version.tags["as_of"]
    promotion = record(
        ctx,
        use_case=spec.name,
        event=Event.rolled_back,
        report=report,
        as_of=as_of,
        effective_from=_from(ctx, spec, events, effective_from),
        champion=Champion(target, as_of),
        dataset_version=version.tags["dataset_version"],
        decided_by=by,
        reason=reason,
    )
    mirror_aliases(ctx, spec.name)
    write_card(ctx, spec, version)
    write_card(ctx, spec, ctx.registry.version(spec.name, now.version))
    return promotion


def _from(
    ctx: StepContext, spec: ModelSpec, events: list[Promotion], wanted: str | None = None
) -> str:
    """The first partition nobody scored yet, or the wanted one; never before a known event.

    Raises:
        ModelError: `wanted` lies before an event that would hold from there on anyway.
    """
    newest = max(event.effective_from for event in events)
    if wanted is not None and wanted < newest:
        raise ModelError(
            f"an event takes effect at {newest} already, so one from {wanted} on changes nothing",
            where=f"{spec.name}, {PROMOTIONS.table}",
            remedy=f"--from {newest} or later",
        )
    predictions = prediction_contract(spec)
    unscored = next_unscored(ctx.lakehouse, predictions.table, spec.month)
    return wanted or max(newest, unscored or newest)
