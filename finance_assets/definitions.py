"""The code location: `build_defs(overrides)` assembles it, `defs` is what Dagster loads."""

import warnings
from typing import Any

import dagster as dg

from finance_assets.assets.build import build_assets, build_journals
from finance_assets.assets.history_check import build_history_check
from finance_assets.assets.resources import EngineResource, mlflow_run
from finance_assets.automation.jobs import build_jobs
from finance_assets.automation.schedules import build_schedule
from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.settings import Compute, Environment, get_settings
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import ALL


def build_defs(
    *, resource_overrides: dict[str, Any] | None = None, use_cases: dict[str, UseCase] | None = None
) -> dg.Definitions:
    """Every use case's assets, jobs, schedules and sensors.

    Steps of a run share one process and one session: local engines start once per run.
    """
    with warnings.catch_warnings():
        # Partitioned checks and mappings to partitions that do not exist are marked beta or
        # preview; dagster is pinned exactly, and the tests run them.
        for category in (dg.BetaWarning, dg.PreviewWarning):
            warnings.simplefilter("ignore", category)
        return _assemble(resource_overrides or {}, list((use_cases or ALL).values()))


def _assemble(resource_overrides: dict[str, Any], chosen: list[UseCase]) -> dg.Definitions:
    settings = get_settings()
    is_deployed = settings.env is not Environment.dev
    is_remote = settings.compute is Compute.databricks
    jobs = {use_case.name: build_jobs(use_case) for use_case in chosen}
    return dg.Definitions(
        assets=[
            *(asset for use_case in chosen for asset in build_assets(use_case)),
            *(spec for use_case in chosen for spec in build_journals(use_case)),
        ],
        asset_checks=[build_history_check(use_case) for use_case in chosen],
        jobs=[job for built in jobs.values() for job in built],
        schedules=[build_schedule(u, jobs[u.name][0], is_deployed) for u in chosen],
        sensors=[build_retraining_sensor(use_case) for use_case in chosen],
        resources={
            "engine": EngineResource(),
            "mlflow": mlflow_run,
            **resource_overrides,
        },
        # On Databricks steps only wait: side by side, each in a process of its own.
        executor=dg.multiprocess_executor if is_remote else dg.in_process_executor,
    )


defs = build_defs()
