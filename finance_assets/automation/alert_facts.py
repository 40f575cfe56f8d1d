"""Facts for alerts: failed runs, what the gate turned down, overdue deliveries, a broken chain.

Read from the tables where they can be read without an engine, else from what runs stated in
Dagster's event log; runs are in Dagster's log in any case. Each kind of fact is gathered on its
own: one that cannot be read keeps nobody from hearing of the others.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import dagster as dg

from finance_assets.assets.history_check import NAME as INTACT
from finance_assets.assets.metadata import asset_key, stated_champion
from finance_assets.automation.alerts import AlertFacts, Held, Rejection
from finance_assets.automation.facts import history_now, is_readable, restated_now
from finance_assets.automation.run_failures import failed_runs, news_since
from finance_assets.automation.stated import said_of, stated_summaries
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.contracts import triage_contract
from finance_assets.model_life.decision_log import (
    Outcome,
    decision_contract,
    newest_on,
    read_decisions,
)
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets.step.use_case import UseCase
from finance_assets.steps.monitoring import Summary, stored_summaries

# How each kind of fact is found out, by the name of its field.
Sources: TypeAlias = Mapping[str, Callable[[], Any]]


def alert_facts(
    instance: dg.DagsterInstance, lakehouse: Lakehouse, use_case: UseCase
) -> AlertFacts:
    """What is so of a use case now, as far as somebody has to know."""
    table = champion_history_contract(use_case.name).table
    if is_readable(lakehouse):
        sources = _of_tables(instance, lakehouse, use_case)
    else:
        sources = _of_events(instance, use_case)
    found, unknown = {}, {}
    for kind, gather in sources.items():
        try:
            found[kind] = gather()
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody has to know
            unknown[kind.replace("_", " ")] = f"{type(error).__name__}: {error}"
    return AlertFacts(use_case.name, history_table=table, unknown=unknown, **found)


def _of_tables(instance: dg.DagsterInstance, lakehouse: Lakehouse, use_case: UseCase) -> Sources:
    def problems() -> tuple[str, ...]:
        now = history_now(instance, lakehouse, use_case)
        return tuple(dict.fromkeys((*now.problems, *_stated_problems(instance, use_case))))

    def holds() -> tuple[Held, ...]:
        history = read_history(lakehouse, use_case.name)
        digest = history.newest.model_sha256 if history.newest else ""
        summaries = stored_summaries(lakehouse, use_case.model)
        told = {p: said for p, said in summaries.items() if said.verdict != Verdict.restated_data}
        triages = lakehouse.history(triage_contract(use_case.model).table)
        return (
            *(
                replace(held, run_id=_run_of(triages, held.partition))
                for held in _holds(told, lambda said: said.champion_sha256 == digest)
            ),
            *_restated(max(summaries, default=""), restated_now(lakehouse, use_case, history)),
        )

    return {
        "failed_runs": lambda: failed_runs(instance, use_case),
        "rejections": lambda: _rejections(lakehouse, use_case),
        "overdue": lambda: _overdue(use_case, lambda key: lakehouse.history(key).ledgers()),
        "history_problems": problems,
        "holds": holds,
    }


def _of_events(instance: dg.DagsterInstance, use_case: UseCase) -> Sources:
    def holds() -> tuple[Held, ...]:
        now = str(stated_champion(instance, use_case.name).get("champion_version", ""))
        return _holds(
            stated_summaries(instance, use_case), lambda said: said.champion_version == now
        )

    return {
        "failed_runs": lambda: failed_runs(instance, use_case),
        "rejections": lambda: _stated_rejections(instance, use_case),
        "overdue": lambda: _overdue(
            use_case, lambda key: instance.get_materialized_partitions(asset_key(key))
        ),
        "history_problems": lambda: _stated_problems(instance, use_case),
        "holds": holds,
    }


def _holds(
    summaries: Mapping[str, Summary], is_in_force: Callable[[Summary], bool]
) -> tuple[Held, ...]:
    """The partitions that wait for a person: to look, or to bring another champion back.

    Once another champion is in force, nobody is asked to roll back from the one before.
    """
    return tuple(
        Held(
            partition,
            said.verdict,
            "; ".join(said.evidence),
            action=said.action,
            champion_version=said.champion_version,
            better_version=said.better_version,
        )
        for partition, said in sorted(summaries.items())
        if said.action == Action.hold or (said.action == Action.roll_back and is_in_force(said))
    )


def _run_of(history: TableHistory, partition: str) -> str:
    """The run that last changed a partition; empty if none did."""
    found = history.publication_of(partition)
    return found.run_id if found else ""


def _restated(partition: str, sentences: tuple[str, ...]) -> tuple[Held, ...]:
    """What the champion rests on changed: told at once, whatever partition is measured next."""
    if not sentences:
        return ()
    return (Held(partition, str(Verdict.restated_data), "; ".join(sentences)),)


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
    history = read_history(lakehouse, use_case.name)
    since = news_since().isoformat()
    found = []
    for version in dict.fromkeys(decision.candidate_version for decision in decisions):
        newest, crowned = newest_on(decisions, version), history.of_version(version)
        if newest is None or newest.outcome == Outcome.promoted or newest.recorded_at < since:
            continue
        # Approving it leaves the decision that held it as it was.
        if crowned is None or crowned.model_sha256 != newest.model_sha256:
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
    """The same, of what runs stated lately."""
    found = said_of(instance, decision_contract(use_case.model).table)
    since = news_since().timestamp()
    return tuple(
        Rejection(as_of, str(said.facts["decision"]), str(said.facts["candidate_version"]), "")
        for as_of, said in sorted(found.items())
        if said.facts["decision"] != Outcome.promoted and said.at >= since
    )


def _stated_problems(instance: dg.DagsterInstance, use_case: UseCase) -> tuple[str, ...]:
    """What the newest check of the history found broken."""
    table = champion_history_contract(use_case.name).table
    check = dg.AssetCheckKey(asset_key(table), INTACT)
    records = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    evaluation = records[0].event.dagster_event if records and records[0].event else None
    result = evaluation.asset_check_evaluation_data if evaluation else None
    problems = result.metadata.get("problems") if result is not None else None
    found = problems.value if problems is not None else ()
    return tuple(str(one) for one in found) if isinstance(found, list) else ()
