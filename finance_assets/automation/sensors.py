"""Sensors: thin. They gather facts and act on a pure decision."""

import dagster as dg

from finance_assets.automation.facts import facts_of_events, facts_of_tables
from finance_assets.automation.jobs import retraining_job_name
from finance_assets.compute.runner import open_lakehouse
from finance_assets.monitoring.retraining import (
    RetrainingFacts,
    RetrainingRequest,
    decide_retraining,
)
from finance_assets.settings import Compute, get_settings
from finance_assets.step.use_case import UseCase


def build_retraining_sensor(use_case: UseCase) -> dg.SensorDefinition:
    """Requests the first champion, and an answer to drift, once each."""

    @dg.sensor(
        name=f"{use_case.name}_retraining_sensor",
        job_name=retraining_job_name(use_case),
        minimum_interval_seconds=get_settings().sensor_interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Watches drift; requests training, evaluation and promotion as of the "
        "partition in which the outcomes of what drifted are known, or the first champion.",
    )
    def _sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        decision = decide_retraining(gather_facts(context.instance, use_case))
        if isinstance(decision, RetrainingRequest):
            return dg.RunRequest(
                run_key=f"{use_case.name}:{decision.key}",
                partition_key=decision.as_of,
                tags={"retraining_reason": decision.reason, "use_case": use_case.name},
            )
        return dg.SkipReason(decision.reason)

    return _sensor


def gather_facts(instance: dg.DagsterInstance, use_case: UseCase) -> RetrainingFacts:
    """What is known of the use case's data, decisions and drift, from where it can be read."""
    settings = get_settings()
    if settings.compute is Compute.local and settings.catalog is None:
        return facts_of_tables(open_lakehouse(settings), use_case)
    return facts_of_events(instance, use_case)
