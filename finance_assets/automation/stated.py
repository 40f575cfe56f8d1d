"""Stated facts: what runs said of partitions in Dagster's event log, the newest of each."""

from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg

from finance_assets.assets.metadata import BY_PARTITION, asset_key
from finance_assets.codec import of_record
from finance_assets.model_life.contracts import drift_contract
from finance_assets.step.declaration import Facts
from finance_assets.step.use_case import UseCase
from finance_assets.steps.monitoring import Summary

EVENTS_AT_ONCE = 500


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
    key = asset_key(table)
    return _newest(instance, key, instance.get_materialized_partitions(key))


def stated(
    instance: dg.DagsterInstance, key: dg.AssetKey, wanted: Collection[str]
) -> dict[str, Facts]:
    """The facts of each wanted partition, as its newest materialisation states them."""
    return {partition: said.facts for partition, said in _newest(instance, key, wanted).items()}


def measured_since(instance: dg.DagsterInstance, table: str, other: str) -> frozenset[str]:
    """The partitions of a table that were materialised after those of another one."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    ours, theirs = (
        instance.event_log_storage.get_latest_storage_id_by_partition(asset_key(name), kind)
        for name in (table, other)
    )
    return frozenset(p for p, number in ours.items() if number > theirs.get(p, -1))


def _newest(
    instance: dg.DagsterInstance, key: dg.AssetKey, wanted: Collection[str]
) -> dict[str, Said]:
    """Reads on until all were found, or there are no more events."""
    found: dict[str, Said] = {}
    cursor: str | None = None
    while not set(wanted) <= set(found):
        page = instance.fetch_materializations(key, limit=EVENTS_AT_ONCE, cursor=cursor)
        for record in page.records:
            event = record.asset_materialization
            value = event.metadata.get(BY_PARTITION) if event else None
            if value is not None and isinstance(value.value, dict):
                for partition, facts in value.value.items():
                    found.setdefault(partition, Said(facts, record.timestamp))
        if not page.has_more:
            break
        cursor = page.cursor
    return found
