"""Facts for the retraining sensor: what data, candidates, champion and drift a use case has.

Read from the tables where they can be read without an engine. Tables of a catalog cannot, and
their facts are those that runs stated in Dagster's event log. What follows from the facts is
decided in monitoring/retraining.py.
"""

from collections.abc import Collection
from typing import Any

import dagster as dg

from finance_assets.assets.metadata import BY_PARTITION, asset_key
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.frames import first_as_of
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.contracts import drift_contract
from finance_assets.model_life.decision_log import decision_contract, read_decisions
from finance_assets.monitoring.retraining import DriftFinding, RetrainingFacts
from finance_assets.step.use_case import UseCase
from finance_assets.steps.monitoring import stored_summaries

EVENTS_AT_ONCE = 500


def facts_of_tables(lakehouse: Lakehouse, use_case: UseCase) -> RetrainingFacts:
    """What the tables say; they lie in folders, so that no engine is needed."""
    spec = use_case.model
    newest = read_history(lakehouse, use_case.name).newest
    return _facts(
        use_case,
        features=lakehouse.history(spec.features.table).recorded(),
        labels=lakehouse.history(spec.labels.table).recorded(),
        decided={decision.as_of for decision in read_decisions(lakehouse, spec)},
        champion=newest.model_version if newest else None,
        drift=stored_summaries(lakehouse, spec),
    )


def facts_of_events(instance: dg.DagsterInstance, use_case: UseCase) -> RetrainingFacts:
    """What the runs stated: every partition of a table as its newest materialisation has it."""
    spec = use_case.model
    history = asset_key(champion_history_contract(use_case.name).table)
    known = _stated(instance, history, {use_case.name}).get(use_case.name, {})
    drift = asset_key(drift_contract(spec).table)
    return _facts(
        use_case,
        features=instance.get_materialized_partitions(asset_key(spec.features.table)),
        labels=instance.get_materialized_partitions(asset_key(spec.labels.table)),
        decided=instance.get_materialized_partitions(asset_key(decision_contract(spec).table)),
        champion=known.get("champion_version") or None,
        drift=_stated(instance, drift, instance.get_materialized_partitions(drift)),
    )


def _facts(
    use_case: UseCase,
    *,
    features: Collection[str],
    labels: Collection[str],
    decided: Collection[str],
    champion: str | None,
    drift: dict[str, dict[str, Any]],
) -> RetrainingFacts:
    """The facts; ready is what the outcomes are known of, and will not grow any more."""
    spec, calendar = use_case.model, use_case.calendar
    first = first_as_of(calendar, spec)
    ready = {
        p
        for p in labels
        if p >= first
        and calendar.has(p)
        and calendar.shift(p, -spec.label_lag) in features
        and calendar.is_settled(p)
    }
    findings = tuple(
        DriftFinding(
            partition,
            facts["verdict"],
            facts["champion_version"],
            tuple(name for name in facts["drifted"].split(",") if name),
            answered_as_of=calendar.shift(partition, spec.label_lag),
        )
        for partition, facts in sorted(drift.items())
        if facts["champion_version"]
    )
    return RetrainingFacts(first, frozenset(ready), frozenset(decided), champion, findings)


def _stated(
    instance: dg.DagsterInstance, key: dg.AssetKey, wanted: Collection[str]
) -> dict[str, dict[str, Any]]:
    """The facts of each wanted partition, as its newest materialisation states them.

    Reads on until all were found, or there are no more events.
    """
    facts: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while not set(wanted) <= set(facts):
        found = instance.fetch_materializations(key, limit=EVENTS_AT_ONCE, cursor=cursor)
        for record in found.records:
            event = record.asset_materialization
            stated = event.metadata.get(BY_PARTITION) if event else None
            if stated is not None and isinstance(stated.value, dict):
                for partition, values in stated.value.items():
                    facts.setdefault(partition, values)
        if not found.has_more:
            break
        cursor = found.cursor
    return facts
