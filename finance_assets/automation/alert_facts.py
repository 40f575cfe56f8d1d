"""Facts for alerts: failed runs, what the gate turned down, overdue deliveries, a broken chain.

Read from the tables where they can be read without an engine, else from what runs stated in
Dagster's event log; runs are in Dagster's log in any case.
"""

from collections.abc import Callable, Collection

import dagster as dg

from finance_assets.assets.history_check import NAME as INTACT
from finance_assets.assets.metadata import asset_key
from finance_assets.automation.alerts import AlertFacts, Held, Rejection
from finance_assets.automation.facts import is_readable
from finance_assets.automation.run_failures import failed_runs, news_since
from finance_assets.automation.stated import stated, stated_summaries
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.decision_log import (
    Outcome,
    decision_contract,
    newest_on,
    read_decisions,
)
from finance_assets.monitoring.triage import Action
from finance_assets.step.use_case import UseCase
from finance_assets.steps.monitoring import Summary, stored_summaries


def alert_facts(
    instance: dg.DagsterInstance, lakehouse: Lakehouse, use_case: UseCase
) -> AlertFacts:
    """What is so of a use case now, as far as somebody has to know."""
    table = champion_history_contract(use_case.name).table
    runs = failed_runs(instance, use_case)
    if is_readable(lakehouse):
        return AlertFacts(
            use_case.name,
            failed_runs=runs,
            rejections=_rejections(lakehouse, use_case),
            overdue=_overdue(use_case, lambda key: lakehouse.history(key).ledgers()),
            history_table=table,
            history_problems=read_history(lakehouse, use_case.name).problems,
            holds=_holds(stored_summaries(lakehouse, use_case.model)),
        )
    return AlertFacts(
        use_case.name,
        failed_runs=runs,
        rejections=_stated_rejections(instance, use_case),
        overdue=_overdue(
            use_case, lambda key: instance.get_materialized_partitions(asset_key(key))
        ),
        history_table=table,
        history_problems=_stated_problems(instance, table),
        holds=_holds(stated_summaries(instance, use_case)),
    )


def _holds(summaries: dict[str, Summary]) -> tuple[Held, ...]:
    """The partitions that wait for a person: to look, or to bring the champion before back."""
    return tuple(
        Held(partition, said.verdict, "; ".join(said.evidence), action=said.action)
        for partition, said in sorted(summaries.items())
        if said.action in (Action.hold, Action.roll_back)
    )


def _overdue(
    use_case: UseCase, published: Callable[[str], Collection[str]]
) -> dict[str, tuple[str, ...]]:
    """The partitions of each source that should have come by now, and did not."""
    found = {}
    for step in use_case.steps:
        if step.source is not None:
            missing = use_case.calendar.overdue(set(published(step.key)))
            found[step.key] = tuple(p for p in missing if step.source.is_expected(p))
    return found


def _rejections(lakehouse: Lakehouse, use_case: UseCase) -> tuple[Rejection, ...]:
    """The candidates that lately did not become champion; nobody is told of what is over."""
    decisions = read_decisions(lakehouse, use_case.model)
    since = news_since().isoformat()
    found = []
    for version in dict.fromkeys(decision.candidate_version for decision in decisions):
        newest = newest_on(decisions, version)
        if newest and newest.outcome != Outcome.promoted and newest.recorded_at >= since:
            found.append(
                Rejection(
                    newest.as_of,
                    newest.outcome,
                    newest.candidate_version,
                    newest.failed_criteria,
                    newest.run_id,
                )
            )
    return tuple(found)


def _stated_rejections(instance: dg.DagsterInstance, use_case: UseCase) -> tuple[Rejection, ...]:
    key = asset_key(decision_contract(use_case.model).table)
    facts = stated(instance, key, instance.get_materialized_partitions(key))
    return tuple(
        Rejection(as_of, str(said["decision"]), str(said["candidate_version"]), "")
        for as_of, said in sorted(facts.items())
        if said["decision"] != Outcome.promoted
    )


def _stated_problems(instance: dg.DagsterInstance, table: str) -> tuple[str, ...]:
    """What the newest check of the history found."""
    check = dg.AssetCheckKey(asset_key(table), INTACT)
    records = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    evaluation = records[0].event.dagster_event if records and records[0].event else None
    result = evaluation.asset_check_evaluation_data if evaluation else None
    problems = result.metadata.get("problems") if result is not None else None
    found = problems.value if problems is not None else ()
    return tuple(str(one) for one in found) if isinstance(found, list) else ()
