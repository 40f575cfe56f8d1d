"""Schedules: the monthly job, some days after the month's end, when the delivery is in."""

from typing import Any

import dagster as dg

from finance_assets.step.use_case import UseCase


def build_schedule(use_case: UseCase, monthly_job: Any, is_running: bool) -> Any:
    """The schedule of the monthly job; it runs by default only where `is_running`."""
    status = dg.DefaultScheduleStatus
    return dg.build_schedule_from_partitioned_job(
        monthly_job,
        name=f"{use_case.name}_monthly_schedule",
        day_of_month=3,
        hour_of_day=6,
        default_status=status.RUNNING if is_running else status.STOPPED,
    )
