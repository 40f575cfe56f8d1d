"""Sensors: thin. They gather facts and act on a pure decision."""

import dagster as dg

from finance_assets.automation.facts import gather_facts
from finance_assets.automation.retraining_runs import by_sensor, run_key
from finance_assets.automation.runs import end_left_behind, in_flight
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
        end_left_behind(context.instance, get_settings())
        decision = decide_retraining(
            gather_facts(context.instance, use_case), use_case.model.retraining
        )
        if isinstance(decision, RetrainingRequest):
            running = in_flight(context.instance, use_case, use_case.model_steps)
            if running:
                return dg.SkipReason(
                    f"{decision.reason}: waiting for run {running[0].run_id[:8]}, which trains "
                    "a candidate already"
                )
            return dg.RunRequest(
                run_key=run_key(context.instance, f"{use_case.name}:{decision.key}"),
                partition_key=decision.as_of,
                tags=by_sensor(use_case, decision),
            )
        return dg.SkipReason(decision.reason)

    return _sensor
