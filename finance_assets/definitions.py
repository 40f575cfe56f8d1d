"""The code location: `build_defs(overrides)` assembles it, `defs` is what Dagster loads."""

import warnings

import dagster as dg

from finance_assets.assets.build import build_assets, build_journals
from finance_assets.assets.history_check import build_history_check
from finance_assets.assets.resources import EngineResource, mlflow_run
from finance_assets.automation.alert_sensor import build_alert_sensor
from finance_assets.automation.conditions import build_automation_sensor
from finance_assets.automation.jobs import build_jobs
from finance_assets.automation.landing_sensor import build_landing_sensor
from finance_assets.automation.maintenance import (
    build_maintenance_job,
    build_maintenance_schedule,
)
from finance_assets.automation.schedules import build_schedule
from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.garbage import collect_rarely
from finance_assets.settings import Compute, Environment, get_settings
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import all_use_cases

SENSORS = (build_landing_sensor, build_retraining_sensor, build_alert_sensor)


def build_defs(
    *,
    resource_overrides: dict[str, object] | None = None,
    use_cases: dict[str, UseCase] | None = None,
) -> dg.Definitions:
    """Every use case's assets, jobs, schedules and sensors.

    Steps of a run share one process and one session: local engines start once per run.
    """
    with warnings.catch_warnings():
        # Partitioned checks and mappings to partitions that do not exist are marked beta or
        # preview; dagster is pinned exactly, and the tests run them.
        for category in (dg.BetaWarning, dg.PreviewWarning):
            warnings.simplefilter("ignore", category)
        return _assemble(resource_overrides or {}, list((use_cases or all_use_cases()).values()))


def _assemble(resource_overrides: dict[str, object], chosen: list[UseCase]) -> dg.Definitions:
    settings = get_settings()
    is_deployed = settings.env is not Environment.dev
    is_remote = settings.compute is Compute.databricks
    maintenance = build_maintenance_job(chosen)
    jobs = {use_case.name: build_jobs(use_case) for use_case in chosen}
    return dg.Definitions(
        assets=[
            *(asset for use_case in chosen for asset in build_assets(use_case)),
            *(spec for use_case in chosen for spec in build_journals(use_case)),
        ],
        asset_checks=[build_history_check(use_case) for use_case in chosen],
        jobs=[*(job for built in jobs.values() for job in built), maintenance],
        schedules=[
            *(build_schedule(u, jobs[u.name][0], is_deployed) for u in chosen),
            build_maintenance_schedule(maintenance, chosen[0].calendar.timezone, is_deployed),
        ],
        sensors=[
            *(build(use_case) for use_case in chosen for build in SENSORS),
            build_automation_sensor(is_deployed),
        ],
        resources={
            "engine": EngineResource(),
            "mlflow": mlflow_run,
            **resource_overrides,
        },
        # On Databricks steps only wait: side by side, each in a process of its own.
        executor=dg.multiprocess_executor if is_remote else dg.in_process_executor,
    )


collect_rarely()
defs = build_defs()
