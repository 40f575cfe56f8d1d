"""The landing sensor: what was delivered, or corrected, is run by itself, with what follows."""

from dataclasses import replace

import dagster as dg

from finance_assets.assets.metadata import asset_key
from finance_assets.automation.facts import is_readable
from finance_assets.automation.landing import Files, Landing
from finance_assets.automation.runs import (
    CAUSE_TAG,
    NO_RETRIES,
    PARTITION_TAG,
    in_flight,
    newest_ended,
)
from finance_assets.automation.work import LastRun, Work, next_work
from finance_assets.compute.runner import open_lakehouse
from finance_assets.settings import get_settings
from finance_assets.step.names import pipeline_job_name
from finance_assets.step.use_case import UseCase

REASON_TAG = "finance_assets/reason"


def build_landing_sensor(use_case: UseCase) -> dg.SensorDefinition:
    """Requests the pipeline of a partition whose delivery landed, or rests on what changed.

    It runs by default where there is a landing folder: the shipped samples are run by hand.
    """
    settings = get_settings()
    status, files = dg.DefaultSensorStatus, Files()

    @dg.sensor(
        name=f"{use_case.name}_landing_sensor",
        job_name=pipeline_job_name(use_case),
        minimum_interval_seconds=settings.sensor_interval_seconds,
        default_status=status.RUNNING if settings.landing else status.STOPPED,
        description="Watches the landing folder and the tables; runs the oldest partition whose "
        "delivery is new or was corrected, or that rests on one that changed.",
    )
    def _sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _asked(context.instance, use_case, files)

    return _sensor


def _asked(
    instance: dg.DagsterInstance, use_case: UseCase, files: Files
) -> dg.RunRequest | dg.SkipReason:
    """The run of the oldest partition that has to be run, or why none has to."""
    settings = get_settings()
    lakehouse = open_lakehouse(settings)
    if not is_readable(lakehouse):
        return dg.SkipReason(
            "deliveries and tables lie in the workspace, which Dagster does not see: "
            "the schedule runs what is due"
        )
    landing = Landing(use_case, lakehouse, settings, files)
    pending = landing.pending()
    busy = in_flight(instance, use_case, use_case.pipeline_steps) if pending else []
    work = next_work(
        pending,
        lambda partition: _last_run(instance, use_case, landing, partition),
        [run.run_id for run in busy],
    )
    if not isinstance(work, Work):
        return dg.SkipReason(work.reason)
    return dg.RunRequest(
        run_key=f"{use_case.name}:{work.key}",
        partition_key=work.partition,
        asset_selection=[asset_key(key) for key in work.steps] or None,
        tags={
            "use_case": use_case.name,
            **NO_RETRIES,
            CAUSE_TAG: work.cause,
            REASON_TAG: work.reason[:200],
        },
    )


def _last_run(
    instance: dg.DagsterInstance, use_case: UseCase, landing: Landing, partition: str
) -> LastRun | None:
    run = newest_ended(instance, {PARTITION_TAG: partition}, pipeline_job_name(use_case))
    if run is None:
        return None
    return replace(run, is_stored=landing.is_stored(run.run_id, partition))
