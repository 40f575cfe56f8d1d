"""Maintenance: one job of the code location that maintains every table, once a week."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg

from finance_assets.calendar import Frequency
from finance_assets.commands.maintain import Maintain, Maintenance
from finance_assets.compute.commands import run_command
from finance_assets.compute.runner import open_context
from finance_assets.settings import Compute, get_settings
from finance_assets.step.use_case import UseCase

JOB = "maintenance"


def build_maintenance_job(use_cases: Sequence[UseCase]) -> dg.JobDefinition:
    """The job: one op for each use case, as one that fails must not stop the others."""

    @dg.job(name=JOB, description="Merges small files, deletes what no version names, checkpoints.")
    def _maintenance() -> None:
        for use_case in use_cases:
            _op(use_case)()

    return _maintenance


def build_maintenance_schedule(job: Any, timezone: str, is_running: bool) -> dg.ScheduleDefinition:
    """Once a week, at its beginning; it runs by default only where `is_running`."""
    status = dg.DefaultScheduleStatus
    return dg.ScheduleDefinition(
        name=f"{JOB}_schedule",
        job=job,
        cron_schedule=Frequency.weekly.boundaries,
        execution_timezone=timezone,
        default_status=status.RUNNING if is_running else status.STOPPED,
        description="Maintains every table.",
    )


def op_name(use_case: UseCase) -> str:
    """Name of the op that maintains a use case's tables."""
    return f"maintain_{use_case.name}"


def _op(use_case: UseCase) -> dg.OpDefinition:
    @dg.op(
        name=op_name(use_case),
        description=f"Maintains the tables of {use_case.name}.",
        required_resource_keys={"engine"},
        out=dg.Out(dg.Nothing),
    )
    def _maintain(context: dg.OpExecutionContext) -> None:
        done = _maintained(context, use_case)
        context.add_output_metadata({one.table: asdict(one) for one in done.tables})
        if done.problems:
            raise dg.Failure("; ".join(done.problems), allow_retries=False)

    return _maintain


def _maintained(context: dg.OpExecutionContext, use_case: UseCase) -> Maintenance:
    """Maintain the tables where they are, and tell what was done."""
    settings, report = get_settings(), context.log.info
    if settings.compute is Compute.databricks:
        [done] = run_command(Maintain(), [use_case], report)
        return done
    # The run's own session: a second one would take seconds.
    session = context.resources.engine.session
    ctx = open_context(settings, session, run_id=context.run_id, report=report)
    return Maintain().run(ctx, use_case)
