"""Sensors: thin. They gather facts and act on a pure decision."""

import dagster as dg

from finance_assets.automation.facts import gather_facts
from finance_assets.automation.retraining_runs import (
    by_sensor,
    cause_of,
    refusal,
    run_key,
)
from finance_assets.automation.runs import CAUSE_TAG, in_flight, newest_ended
from finance_assets.monitoring.retraining import (
    RetrainingRequest,
    decide_retraining,
)
from finance_assets.settings import get_settings
from finance_assets.step.names import retraining_job_name
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
        return wanted_retraining(context.instance, use_case)

    return _sensor


def wanted_retraining(
    instance: dg.DagsterInstance, use_case: UseCase, *, by_person: bool = False
) -> dg.RunRequest | dg.SkipReason:
    """The run that is wanted now, or why none is.

    What failed is not tried again by itself, but where a person runs the use case again.
    """
    # Before the facts, so that a run that ends meanwhile is not asked for once more.
    running = in_flight(instance, use_case)
    decision = decide_retraining(gather_facts(instance, use_case), use_case.model.retraining)
    if not isinstance(decision, RetrainingRequest):
        return dg.SkipReason(decision.reason)
    if running:
        return dg.SkipReason(
            f"{decision.reason}: waiting for run {running[0].run_id[:8]} of "
            f"{running[0].job_name} to end first"
        )
    cause = cause_of(use_case, decision)
    tried = newest_ended(instance, {CAUSE_TAG: cause})
    if tried is not None and tried.has_failed and not by_person:
        return dg.SkipReason(refusal(use_case, decision, tried))
    return dg.RunRequest(
        run_key=run_key(cause, tried),
        partition_key=decision.as_of,
        tags=by_sensor(use_case, decision),
    )
