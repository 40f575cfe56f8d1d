"""Stated facts: what runs said of partitions in Dagster's event log, the newest of each."""

from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
)

from finance_assets.assets.history_check import NAME as INTACT
from finance_assets.assets.materializations import newest_of
from finance_assets.assets.metadata import asset_key, stated_facts, statements
from finance_assets.calendar import moment
from finance_assets.codec import of_record
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.contracts import drift_contract
from finance_assets.model_life.verdicts import Summary
from finance_assets.step.declaration import Facts
from finance_assets.step.use_case import UseCase


@dataclass(frozen=True)
class Said:
    """What was stated of a partition, and when (seconds since 1970)."""

    facts: Facts
    at: float


def stated_summaries(instance: dg.DagsterInstance, use_case: UseCase) -> dict[str, Summary]:
    """What the runs stated of each partition that was measured."""
    said = said_of(instance, drift_contract(use_case.model).table)
    return {partition: of_record(Summary, one.facts) for partition, one in said.items()}


def said_of(instance: dg.DagsterInstance, table: str) -> dict[str, Said]:
    """What was stated last of each partition of a table, and when."""
    said = {}
    for partition, record in newest_of(instance, asset_key(table)).items():
        facts = stated_facts(record, partition)
        if facts is not None:
            said[partition] = Said(facts, record.timestamp)
    return said


def judged_since(instance: dg.DagsterInstance, use_case: UseCase, partition: str) -> float:
    """When the verdict on a partition that stands now was stated first: runs that found just the
    same since said nothing new. Seconds since 1970; 0 if none is stated.
    """
    key = asset_key(drift_contract(use_case.model).table)
    wanted = dg.AssetRecordsFilter(key, asset_partitions=[partition])
    newest, since = None, 0.0
    for facts, at in statements(instance, wanted, partition):
        # Its evidence counts: whoever answered one finding has not answered another of its kind.
        summary = of_record(Summary, facts)
        newest = newest or summary
        if summary != newest:
            break
        since = at
    return since


def stated_problems(
    instance: dg.DagsterInstance, use_case: UseCase, kind: str = "problems"
) -> tuple[str, ...]:
    """What the newest check of the champion history found broken, or why it is not trusted.

    A check that a run has only planned found nothing yet.
    """
    table = champion_history_contract(use_case.name).table
    check, storage = dg.AssetCheckKey(asset_key(table), INTACT), instance.event_log_storage
    records = storage.get_asset_check_execution_history(
        check, limit=1, status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
    )
    event = records[0].event.dagster_event if records and records[0].event else None
    said = event.asset_check_evaluation_data if event else None
    if said is None or said.passed:
        return ()
    # The first versions of this package stated no other kind.
    problems = said.metadata.get(kind, said.metadata.get("problems"))
    found = problems.value if problems is not None else None
    if not isinstance(found, list | tuple):
        return (said.description or "its newest check failed",)
    return tuple(map(str, found))


def made_since(instance: dg.DagsterInstance, table: str, at: str) -> frozenset[str]:
    """The partitions of a table that were materialised after a time; ever, if it is empty."""
    key = asset_key(table)
    if not at:
        return frozenset(instance.get_materialized_partitions(key))
    since, newest = moment(at).timestamp(), newest_of(instance, key)
    return frozenset(p for p, record in newest.items() if record.timestamp > since)


def measured_since(instance: dg.DagsterInstance, table: str, other: str) -> frozenset[str]:
    """The partitions of a table that were materialised after those of another one."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    ours, theirs = (
        instance.event_log_storage.get_latest_storage_id_by_partition(asset_key(name), kind)
        for name in (table, other)
    )
    return frozenset(p for p, number in ours.items() if number > theirs.get(p, -1))
