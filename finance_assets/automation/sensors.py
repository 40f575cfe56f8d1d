"""Sensors: thin. They gather facts from Dagster's event log and act on a pure decision."""

from typing import Any

import dagster as dg

from finance_assets.assets.metadata import BY_PARTITION, asset_key
from finance_assets.automation.jobs import retraining_job_name
from finance_assets.lakehouse.windows import shift_month
from finance_assets.ml.frames import first_as_of
from finance_assets.monitoring.retraining import (
    DriftFinding,
    RetrainingFacts,
    RetrainingRequest,
    decide_retraining,
)
from finance_assets.settings import get_settings
from finance_assets.steps.champion_history import champion_history_contract
from finance_assets.steps.decision_log import decision_contract
from finance_assets.steps.model_contracts import drift_contract
from finance_assets.steps.use_case import UseCase

EVENTS_READ = 500


def build_retraining_sensor(use_case: UseCase) -> dg.SensorDefinition:
    """Requests the first champion, and an answer to drift, once each."""

    @dg.sensor(
        name=f"{use_case.name}_retraining_sensor",
        job_name=retraining_job_name(use_case),
        minimum_interval_seconds=get_settings().sensor_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Watches drift; requests training, evaluation and promotion as of the next "
        "partition, or the first champion.",
    )
    def _sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        calendar = use_case.calendar
        decision = decide_retraining(
            gather_facts(context.instance, use_case),
            {p: shift_month(p, 1) for p in calendar.partitions()},
        )
        if isinstance(decision, RetrainingRequest):
            return dg.RunRequest(
                run_key=f"{use_case.name}:{decision.key}",
                partition_key=decision.as_of,
                tags={"retraining_reason": decision.reason, "use_case": use_case.name},
            )
        return dg.SkipReason(decision.reason)

    return _sensor


def gather_facts(instance: dg.DagsterInstance, use_case: UseCase) -> RetrainingFacts:
    """What the event log says about the use case's data, decisions and drift."""
    spec, calendar = use_case.model, use_case.calendar
    features = instance.get_materialized_partitions(asset_key(spec.features.table))
    labels = instance.get_materialized_partitions(asset_key(spec.labels.table))
    first = first_as_of(calendar, spec)
    ready = {
        p
        for p in calendar.partitions()
        if p >= first and p in labels and shift_month(p, -1) in features
    }
    decided = _by_partition(instance, decision_contract(spec).table)
    drift = _by_partition(instance, drift_contract(spec).table)
    findings = tuple(
        DriftFinding(
            partition,
            facts["verdict"],
            facts["champion_version"],
            tuple(name for name in facts["drifted"].split(",") if name),
        )
        for partition, facts in sorted(drift.items())
        if facts["champion_version"]
    )
    known = _by_partition(instance, champion_history_contract(use_case.name).table).get(
        use_case.name, {}
    )
    champion = known.get("champion_version") or None
    return RetrainingFacts(first, frozenset(ready), frozenset(decided), champion, findings)


def _by_partition(instance: dg.DagsterInstance, table: str) -> dict[str, dict[str, Any]]:
    """The facts of each partition, as its newest materialisation states them."""
    facts: dict[str, dict[str, Any]] = {}
    records = instance.fetch_materializations(asset_key(table), limit=EVENTS_READ).records
    for record in records:
        materialization = record.asset_materialization
        stated = materialization.metadata.get(BY_PARTITION) if materialization else None
        if stated is not None and isinstance(stated.value, dict):
            for partition, values in stated.value.items():
                facts.setdefault(partition, values)
    return facts
