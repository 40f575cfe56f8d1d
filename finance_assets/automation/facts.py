"""Facts for the sensors: what data, candidates, champion and drift a use case has.

Read from the tables where they can be read without an engine. Tables of a catalog cannot, and
their facts are those that runs stated in Dagster's event log. Runs, and who asked for them, are in
Dagster's log in any case. What follows from the facts is decided in monitoring/retraining.py.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import cache, partial

import dagster as dg

from finance_assets.assets.history_check import UNTRUSTED
from finance_assets.assets.metadata import asset_key, stated_champion, stated_history
from finance_assets.automation.answers import people_asked, said_by
from finance_assets.automation.deliveries import (
    Delivered,
    broken_off,
    delivered_as_stated,
    delivered_by_log,
)
from finance_assets.automation.made import why_not_made
from finance_assets.automation.stated import (
    judged_since,
    made_since,
    measured_since,
    stated_problems,
    stated_summaries,
)
from finance_assets.compute.runner import open_lakehouse, open_registry
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.splits import first_as_of
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import ChampionHistory, Event
from finance_assets.model_life.contracts import drift_contract, triage_contract
from finance_assets.model_life.decision_log import decision_contract, read_decisions
from finance_assets.model_life.performance_log import first_recorded
from finance_assets.model_life.restated import restated_since
from finance_assets.model_life.verdicts import Summary, stored_summaries
from finance_assets.monitoring.retraining_facts import DriftFinding, RetrainingFacts
from finance_assets.settings import Compute, get_settings
from finance_assets.step.declaration import Facts, Kind
from finance_assets.step.lineage import read_inputs
from finance_assets.step.use_case import UseCase


def is_readable(lakehouse: Lakehouse) -> bool:
    """Whether this process can read the tables: they are here, and need no engine."""
    return get_settings().compute is Compute.local and not lakehouse.home.needs_engine


def gather_facts(instance: dg.DagsterInstance, use_case: UseCase) -> RetrainingFacts:
    """What is known of the use case's data, decisions and drift, from where it can be read."""
    lakehouse = open_lakehouse(get_settings())
    if is_readable(lakehouse):
        history = history_now(instance, lakehouse, use_case)
        facts = facts_of_tables(lakehouse, use_case, history)
        triages = lakehouse.history(triage_contract(use_case.model).table)
        said_at = partial(said_by, instance, triages)
    else:
        facts = facts_of_events(instance, use_case)
        said_at = partial(judged_since, instance, use_case)
    if not facts.holds:
        return facts
    held, since = facts.holds, facts.answered_from
    told = [replace(f, said_at=said_at(f.partition)) if f in held else f for f in facts.findings]
    answering = [p for p in use_case.calendar.partitions() if p >= since]
    answers = people_asked(instance, use_case, answering)
    return replace(facts, findings=tuple(told), answers=answers)


def history_now(
    instance: dg.DagsterInstance, lakehouse: Lakehouse, use_case: UseCase
) -> ChampionHistory:
    """The champion history as the tables have it, compared with what Dagster was told of it."""
    said = stated_history(instance, use_case.name)
    return read_history(lakehouse, use_case.name, {"Dagster": said} if said else {})


def facts_of_tables(
    lakehouse: Lakehouse, use_case: UseCase, history: ChampionHistory
) -> RetrainingFacts:
    """What the tables say; they lie in folders, so that no engine is needed.

    Of a history that cannot be trusted, only that.
    """
    spec = use_case.model
    newest, labels = history.newest, lakehouse.history(spec.labels.table)
    lost_at = "" if history.problems else history.lost_at
    facts = _facts(
        use_case,
        features=lakehouse.history(spec.features.table).recorded(),
        labels=labels.recorded(),
        delivered=delivered_by_log(lakehouse, use_case),
        decided={d.as_of for d in read_decisions(lakehouse, spec) if d.recorded_at > lost_at},
        drift=stored_summaries(lakehouse, spec),
    )
    made = {p: labels.publication_of(p) or labels.in_force(p) for p in facts.ready}
    facts = replace(
        facts,
        made_by={p: found.run_id for p, found in made.items() if found},
        history_problems=history.problems,
        lost_at=lost_at,
    )
    if newest is None or history.problems:
        return facts
    return replace(
        facts,
        champion_version=newest.model_version,
        champion_digest=newest.digest,
        champion_as_of=newest.as_of,
        champion_from=newest.effective_from,
        is_baseline=newest.is_baseline,
        measured=_measured(lakehouse, use_case, [p for p in facts.ready if p > newest.as_of]),
        restated=restated_now(lakehouse, use_case, history),
        put_back_at=_put_back_at(lakehouse, use_case, history),
    )


def restated_now(
    lakehouse: Lakehouse, use_case: UseCase, history: ChampionHistory
) -> tuple[str, ...]:
    """What today's champion rests on that was changed since, in sentences."""
    champion, calendar = history.newest, use_case.calendar
    if champion is None:
        return ()
    registry = open_registry(get_settings())
    return restated_since(lakehouse, registry, calendar, use_case.model, history, champion)


def facts_of_events(instance: dg.DagsterInstance, use_case: UseCase) -> RetrainingFacts:
    """What the runs stated: every partition of a table as its newest materialisation has it."""
    spec = use_case.model
    known = stated_champion(instance, use_case.name)
    drift, effective_from = drift_contract(spec).table, str(known.get("effective_from", ""))
    said = stated_summaries(instance, use_case)
    lost_at = str(known.get("lost_at", ""))
    facts = _facts(
        use_case,
        features=instance.get_materialized_partitions(asset_key(spec.features.table)),
        labels=instance.get_materialized_partitions(asset_key(spec.labels.table)),
        delivered=delivered_as_stated(instance, use_case),
        decided=made_since(instance, decision_contract(spec).table, lost_at),
        drift=said,
    )
    is_put_back = known.get("event") == Event.rolled_back
    return replace(
        facts,
        champion_version=str(known.get("champion_version", "")) or None,
        champion_digest=_digest_of(known),
        history_problems=stated_problems(instance, use_case, UNTRUSTED),
        champion_as_of=str(known.get("as_of", "")),
        champion_from=effective_from,
        is_baseline=bool(known.get("is_baseline")),
        # What was materialised without a verdict was not measured.
        measured=measured_since(instance, drift, spec.labels.table) & said.keys(),
        put_back_at=use_case.calendar.shift(effective_from, -1) if is_put_back else "",
        lost_at=lost_at,
    )


def _digest_of(known: Facts) -> str:
    """The digest of the event that crowned today's champion."""
    # The first versions of this package stated that of the newest event, which was the same.
    stated = str(known.get("statement", "")).partition(":")[2]
    return str(known.get("champion_digest", stated))


def _facts(
    use_case: UseCase,
    *,
    features: Collection[str],
    labels: Collection[str],
    delivered: Delivered,
    decided: Collection[str],
    drift: dict[str, Summary],
) -> RetrainingFacts:
    """The facts without a champion; ready is what the outcomes are known of, and will not grow."""
    spec, calendar = use_case.model, use_case.calendar
    first, parts = first_as_of(calendar, spec), broken_off(calendar, delivered)
    ready = {
        p
        for p in labels
        if p >= first
        and calendar.has(p)
        and calendar.shift(p, -spec.label_lag) in features
        and calendar.is_settled(p)
        and p not in parts
    }
    findings = tuple(
        DriftFinding(
            partition,
            found.verdict,
            found.action,
            found.champion_version,
            found.moved,
            answered_as_of=calendar.shift(partition, spec.label_lag),
        )
        for partition, found in sorted(drift.items())
        if found.champion_version
    )
    cooled = calendar.shift(max(decided), spec.retraining.cool_down + 1) if decided else ""
    return RetrainingFacts(
        first_as_of=first,
        ready=frozenset(ready),
        decided=frozenset(decided),
        champion_version=None,
        findings=findings,
        cooled_as_of=cooled,
    )


def _measured(lakehouse: Lakehouse, use_case: UseCase, among: Collection[str]) -> frozenset[str]:
    """The partitions whose verdict is there, as it was made on just what the tables hold now."""
    if not among:
        return frozenset()
    [step] = [step for step in use_case.pipeline_steps if step.kind is Kind.monitoring]
    window = use_case.calendar.window(min(among), max(among))
    now = read_inputs(lakehouse, step.inputs, window).made_from
    history_of = cache(lakehouse.history)
    history = history_of(step.key)
    # A verdict that does not say what it was made from may be of other data.
    made = {p for p in among if (one := history.in_force(p)) and p in one.made_from}
    return frozenset(p for p in made if not why_not_made(use_case, step, p, now[p], history_of))


def _put_back_at(lakehouse: Lakehouse, use_case: UseCase, history: ChampionHistory) -> str:
    """The newest partition that was known when a person put the champion back; empty if none did.

    Known is what had been scored and measured by then, whoever scores it again since.
    """
    newest = history.newest
    if newest is None or newest.event != Event.rolled_back:
        return ""
    measured = first_recorded(lakehouse, use_case.model)
    known = [partition for partition, at in measured.items() if at <= newest.recorded_at]
    return max([*known, use_case.calendar.shift(newest.effective_from, -1)])
