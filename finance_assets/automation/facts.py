"""Facts for the sensors: what data, candidates, champion and drift a use case has.

Read from the tables where they can be read without an engine. Tables of a catalog cannot, and
their facts are those that runs stated in Dagster's event log. What follows from the facts is
decided in monitoring/retraining.py.
"""

from collections.abc import Collection
from dataclasses import replace

import dagster as dg

from finance_assets.assets.metadata import BY_PARTITION, asset_key
from finance_assets.codec import of_record
from finance_assets.compute.runner import open_lakehouse
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.frames import first_as_of
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.contracts import drift_contract
from finance_assets.model_life.decision_log import decision_contract, read_decisions
from finance_assets.monitoring.retraining import DriftFinding, RetrainingFacts
from finance_assets.settings import Compute, get_settings
from finance_assets.step.declaration import Facts
from finance_assets.step.use_case import UseCase
from finance_assets.steps.monitoring import Summary, stored_summaries

EVENTS_AT_ONCE = 500


def is_readable(lakehouse: Lakehouse) -> bool:
    """Whether this process can read the tables: they are here, and need no engine."""
    return get_settings().compute is Compute.local and not lakehouse.home.needs_engine


def gather_facts(instance: dg.DagsterInstance, use_case: UseCase) -> RetrainingFacts:
    """What is known of the use case's data, decisions and drift, from where it can be read."""
    lakehouse = open_lakehouse(get_settings())
    if is_readable(lakehouse):
        return facts_of_tables(lakehouse, use_case)
    return facts_of_events(instance, use_case)


def facts_of_tables(lakehouse: Lakehouse, use_case: UseCase) -> RetrainingFacts:
    """What the tables say; they lie in folders, so that no engine is needed."""
    spec = use_case.model
    newest = read_history(lakehouse, use_case.name).newest
    labels = lakehouse.history(spec.labels.table)
    facts = _facts(
        use_case,
        features=lakehouse.history(spec.features.table).recorded(),
        labels=labels.recorded(),
        decided={decision.as_of for decision in read_decisions(lakehouse, spec)},
        champion=newest.model_version if newest else None,
        digest=newest.digest if newest else "",
        drift=stored_summaries(lakehouse, spec),
        is_baseline=newest is not None and newest.is_baseline,
    )
    made = {p: labels.publication_of(p) or labels.in_force(p) for p in facts.ready}
    return replace(facts, made_by={p: found.run_id for p, found in made.items() if found})


def facts_of_events(instance: dg.DagsterInstance, use_case: UseCase) -> RetrainingFacts:
    """What the runs stated: every partition of a table as its newest materialisation has it."""
    spec = use_case.model
    history = asset_key(champion_history_contract(use_case.name).table)
    known = stated(instance, history, {use_case.name}).get(use_case.name, {})
    return _facts(
        use_case,
        features=instance.get_materialized_partitions(asset_key(spec.features.table)),
        labels=instance.get_materialized_partitions(asset_key(spec.labels.table)),
        decided=instance.get_materialized_partitions(asset_key(decision_contract(spec).table)),
        champion=str(known.get("champion_version", "")) or None,
        digest=str(known.get("statement", "")).partition(":")[2],
        drift=stated_summaries(instance, use_case),
        is_baseline=bool(known.get("is_baseline")),
    )


def _facts(
    use_case: UseCase,
    *,
    features: Collection[str],
    labels: Collection[str],
    decided: Collection[str],
    champion: str | None,
    digest: str,
    drift: dict[str, Summary],
    is_baseline: bool,
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
        champion_version=champion,
        findings=findings,
        is_baseline=is_baseline,
        champion_digest=digest,
        cooled_as_of=cooled,
    )


def stated_summaries(instance: dg.DagsterInstance, use_case: UseCase) -> dict[str, Summary]:
    """What the runs stated of each partition that was measured."""
    key = asset_key(drift_contract(use_case.model).table)
    facts = stated(instance, key, instance.get_materialized_partitions(key))
    return {partition: of_record(Summary, said) for partition, said in facts.items()}


def stated(
    instance: dg.DagsterInstance, key: dg.AssetKey, wanted: Collection[str]
) -> dict[str, Facts]:
    """The facts of each wanted partition, as its newest materialisation states them.

    Reads on until all were found, or there are no more events.
    """
    facts: dict[str, Facts] = {}
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
