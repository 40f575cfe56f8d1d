"""Facts for alerts: failed runs, what the gate turned down, overdue deliveries, a broken chain.

Read from the tables where they can be read without an engine, else from what runs stated in
Dagster's event log; runs are in Dagster's log in any case. Each kind of fact is gathered on its
own: one that cannot be read keeps nobody from hearing of the others.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import dagster as dg

from finance_assets.assets.metadata import asset_key, stated_champion
from finance_assets.automation.alerts import AlertFacts, Held, Uncrowned
from finance_assets.automation.deliveries import (
    Delivered,
    delivered_as_stated,
    delivered_by_log,
)
from finance_assets.automation.facts import history_now, is_readable, restated_now
from finance_assets.automation.run_failures import failed_runs, news_since
from finance_assets.automation.stated import Said, said_of, stated_problems
from finance_assets.calendar import Calendar
from finance_assets.codec import of_record
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.contracts import drift_contract, triage_contract
from finance_assets.model_life.decision_log import (
    Outcome,
    decision_contract,
    newest_on,
    read_decisions,
)
from finance_assets.model_life.verdicts import Summary, stored_summaries
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets.step.coming import overdue
from finance_assets.step.use_case import UseCase

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
            unknown[kind] = f"{type(error).__name__}: {error}"
    return AlertFacts(use_case.name, history_table=table, unknown=unknown, **found)


def _of_tables(instance: dg.DagsterInstance, lakehouse: Lakehouse, use_case: UseCase) -> Sources:
    def problems() -> tuple[str, ...]:
        now = history_now(instance, lakehouse, use_case)
        return tuple(dict.fromkeys((*now.problems, *stated_problems(instance, use_case))))

    def holds() -> tuple[Held, ...]:
        history = read_history(lakehouse, use_case.name)
        digest = history.newest.model_sha256 if history.newest else ""
        summaries = stored_summaries(lakehouse, use_case.model)
        triages = lakehouse.history(triage_contract(use_case.model).table)
        return (
            *_holds(
                use_case.calendar,
                summaries,
                lambda said: said.champion_sha256 == digest,
                lambda partition: _run_of(triages, partition),
            ),
            *_restated(max(summaries, default=""), restated_now(lakehouse, use_case, history)),
        )

    return {
        "failed_runs": lambda: failed_runs(instance, use_case),
        "candidates": lambda: _uncrowned(lakehouse, use_case),
        "overdue": lambda: _overdue(
            use_case,
            lambda key: lakehouse.history(key).ledgers(),
            delivered_by_log(lakehouse, use_case),
        ),
        "history_problems": problems,
        "holds": holds,
    }


def _of_events(instance: dg.DagsterInstance, use_case: UseCase) -> Sources:
    def holds() -> tuple[Held, ...]:
        said = said_of(instance, drift_contract(use_case.model).table)
        champion = str(stated_champion(instance, use_case.name).get("champion_version", ""))
        summaries = {partition: of_record(Summary, one.facts) for partition, one in said.items()}
        return (
            *_holds(
                use_case.calendar,
                summaries,
                lambda found: found.champion_version == champion,
                lambda partition: str(said[partition].facts.get("run_id", "")),
            ),
            *_stated_restated(said, champion),
        )

    return {
        "failed_runs": lambda: failed_runs(instance, use_case),
        "candidates": lambda: _stated_uncrowned(instance, use_case),
        "overdue": lambda: _overdue(
            use_case,
            lambda key: instance.get_materialized_partitions(asset_key(key)),
            delivered_as_stated(instance, use_case),
        ),
        "history_problems": lambda: stated_problems(instance, use_case),
        "holds": holds,
    }


def _holds(
    calendar: Calendar,
    summaries: Mapping[str, Summary],
    is_in_force: Callable[[Summary], bool],
    run_of: Callable[[str], str],
) -> tuple[Held, ...]:
    """The partitions that wait for a person: to look, or to bring another champion back.

    Once another champion is in force, nobody is asked to roll back from the one before. What was
    restated is no matter of a partition.
    """
    told = {p: said for p, said in summaries.items() if said.verdict != Verdict.restated_data}
    return tuple(
        Held(
            partition,
            said.verdict,
            "; ".join(said.evidence),
            run_id=run_of(partition),
            action=said.action,
            champion_version=said.champion_version,
            better_version=said.better_version,
            is_growing=calendar.has(partition) and not calendar.is_settled(partition),
        )
        for partition, said in sorted(told.items())
        if said.action == Action.hold or (said.action == Action.roll_back and is_in_force(said))
    )


def _run_of(history: TableHistory, partition: str) -> str:
    """The run that last changed a partition; empty if none did."""
    found = history.publication_of(partition)
    return found.run_id if found else ""


def _stated_restated(said: Mapping[str, Said], champion: str) -> tuple[Held, ...]:
    """What today's champion rests on that was changed, as the run that looked last has it.

    A partition of which nobody was judged says nothing of it.
    """
    looked = {p: one for p, one in said.items() if one.facts.get("champion_version") == champion}
    if not champion or not looked:
        return ()
    partition = max(looked, key=lambda one: looked[one].at)
    facts = looked[partition].facts
    # The first versions of this package stated it as the evidence of that verdict only.
    told = facts.get("evidence") if facts.get("verdict") == Verdict.restated_data else ()
    sentences = facts.get("restated", told)
    known = sentences if isinstance(sentences, list | tuple) else ()
    return _restated(partition, tuple(map(str, known)))


def _restated(partition: str, sentences: tuple[str, ...]) -> tuple[Held, ...]:
    """What the champion rests on changed: told at once, whatever partition is measured next."""
    if not sentences:
        return ()
    return (Held(partition, str(Verdict.restated_data), "; ".join(sentences)),)


def _overdue(
    use_case: UseCase, published: Callable[[str], Collection[str]], delivered: Delivered
) -> dict[str, tuple[str, ...]]:
    """The partitions of each source that should have come by now, and did not, or not all."""
    return {
        step.key: overdue(step, use_case.calendar, published(step.key), delivered.get(step.key))
        for step in use_case.steps
        if step.source is not None
    }


def _uncrowned(lakehouse: Lakehouse, use_case: UseCase) -> tuple[Uncrowned, ...]:
    """The candidates that did not become champion, lately or still waiting for a person."""
    decisions = read_decisions(lakehouse, use_case.model)
    history = read_history(lakehouse, use_case.name)
    champion_as_of = history.newest.as_of if history.newest else ""
    since = news_since().isoformat()
    found = []
    for version in dict.fromkeys(decision.candidate_version for decision in decisions):
        newest, crowned = newest_on(decisions, version), history.of_version(version)
        # Approving it leaves the decision that held it as it was.
        if newest is None or (crowned and crowned.model_sha256 == newest.model_sha256):
            continue
        one = Uncrowned(
            newest.as_of, newest.outcome, version, newest.failed_criteria, newest.run_id
        )
        if _is_news(one, newest.recorded_at >= since, champion_as_of):
            found.append(one)
    return tuple(found)


def _stated_uncrowned(instance: dg.DagsterInstance, use_case: UseCase) -> tuple[Uncrowned, ...]:
    """The same, of what runs stated."""
    champion = stated_champion(instance, use_case.name)
    champion_as_of, crowned = str(champion.get("as_of", "")), champion.get("crowned", ())
    said_of_all = said_of(instance, decision_contract(use_case.model).table)
    since = news_since().timestamp()
    found = []
    for as_of, said in sorted(said_of_all.items()):
        one = Uncrowned(
            as_of,
            str(said.facts["decision"]),
            str(said.facts["candidate_version"]),
            # The first versions of this package stated neither.
            str(said.facts.get("failed_criteria", "")),
            str(said.facts.get("run_id", "")),
        )
        # Approving it leaves what was decided as it was.
        is_crowned = isinstance(crowned, list | tuple) and one.version in crowned
        if not is_crowned and _is_news(one, said.at >= since, champion_as_of):
            found.append(one)
    return tuple(found)


def _is_news(one: Uncrowned, is_recent: bool, champion_as_of: str) -> bool:
    """Whether people are told of a candidate: nobody is told of what is over.

    What is held is not over by the time alone, but by a champion that learned as much or more.
    """
    is_waiting = one.outcome == Outcome.held and one.as_of > champion_as_of
    return one.outcome != Outcome.promoted and (is_recent or is_waiting)
