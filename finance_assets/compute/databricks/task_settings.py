"""The settings that a task gets: one list for Dagster's runs and for the bundle's job.

A setting is either here or in ORCHESTRATOR_ONLY; a test proves it, so the two cannot diverge.
"""

from collections.abc import Callable
from dataclasses import dataclass

from finance_assets.settings import Settings

# The schema of volumes and registered models, and the one by which layers' names are known.
SCHEMA = "${resources.schemas.finance_assets.name}"


@dataclass(frozen=True)
class TaskSetting:
    """A setting of a task: its value where Dagster submits, and where the bundle deploys.

    `of` may give None or "": the task then keeps its default.
    """

    name: str
    of: Callable[[Settings], object]
    in_bundle: str


TASK_SETTINGS = (
    TaskSetting("env", lambda s: s.env, "${bundle.target}"),
    TaskSetting("engine", lambda s: "cluster", "cluster"),
    TaskSetting("catalog", lambda s: s.catalog, "${var.catalog}"),
    TaskSetting("schema_prefix", lambda s: s.schema_prefix, "${var.schema_prefix}"),
    TaskSetting(
        "storage", lambda s: s.databricks.storage, f"/Volumes/${{var.catalog}}/{SCHEMA}/staging"
    ),
    TaskSetting("landing", lambda s: s.landing, f"/Volumes/${{var.catalog}}/{SCHEMA}/landing"),
    TaskSetting(
        "archive", lambda s: s.archive, f"/Volumes/${{var.catalog}}/{SCHEMA}/staging/deliveries"
    ),
    TaskSetting("archive_days", lambda s: s.archive_days, "${var.archive_days}"),
    TaskSetting("git_sha", lambda s: s.code_sha, "${bundle.git.commit}"),
    TaskSetting(
        "mlflow_tracking_uri", lambda s: s.mlflow_tracking_uri or "databricks", "databricks"
    ),
    TaskSetting("mlflow_registry_uri", lambda s: s.mlflow_registry_uri, "databricks-uc"),
    TaskSetting(
        "mlflow_experiment_prefix",
        lambda s: s.mlflow_experiment_prefix,
        "${var.experiment_folder}/",
    ),
    TaskSetting(
        "mlflow_model_prefix", lambda s: s.mlflow_model_prefix, f"${{var.catalog}}.{SCHEMA}."
    ),
    TaskSetting("mlflow_ui_url", lambda s: s.mlflow_ui_url, "${workspace.host}"),
    TaskSetting("publish_attempts", lambda s: s.publish_attempts, "${var.publish_attempts}"),
    TaskSetting("search", lambda s: str(s.search).lower(), "${var.search}"),
    TaskSetting("use_cases", lambda s: ",".join(s.use_case_packages), "${var.use_cases}"),
    TaskSetting("last_partitions", lambda s: s.last_partitions, "${var.last_partitions}"),
)

# What a task has no use for: where Dagster keeps its state, how it looks and asks, whom it tells.
ORCHESTRATOR_ONLY = frozenset(
    {
        *("compute", "home", "sensor_interval_seconds"),
        *("alert_urls", "dagster_ui_url", "runbook_url"),
    }
)


def of_settings(settings: Settings) -> list[str]:
    """NAME=VALUE of every setting that has a value, for a run that Dagster submits."""
    values = ((setting.name, setting.of(settings)) for setting in TASK_SETTINGS)
    return [f"{name}={value}" for name, value in values if value]


def of_bundle() -> list[str]:
    """NAME=VALUE of every setting, with the bundle's references."""
    return [f"{setting.name}={setting.in_bundle}" for setting in TASK_SETTINGS]
