"""Schedules: the pipeline of a partition, when the calendar says that its delivery is due."""

from typing import Any

import dagster as dg

from finance_assets.step.use_case import UseCase


def build_schedule(use_case: UseCase, pipeline_job: Any, is_running: bool) -> Any:
    """The schedule of the pipeline; it runs by default only where `is_running`."""
    calendar, status = use_case.calendar, dg.DefaultScheduleStatus

    @dg.schedule(
        name=f"{pipeline_job.name}_schedule",
        job=pipeline_job,
        cron_schedule=calendar.cron,
        execution_timezone=calendar.timezone,
        default_status=status.RUNNING if is_running else status.STOPPED,
        description="Runs the partition that is due.",
    )
    def _schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        tick = context.scheduled_execution_time
        partition = calendar.scheduled(tick)
        if partition is None:
            return dg.SkipReason(f"the calendar has no partition that is due at {tick}")
        # By tick, not by partition: one that grows is run again each day.
        return dg.RunRequest(run_key=f"{partition}@{tick.isoformat()}", partition_key=partition)

    return _schedule
