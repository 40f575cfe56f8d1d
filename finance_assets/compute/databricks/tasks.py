"""Tasks: steps and a window as the task of a Databricks run, in each compute shape. Pure.

Submitting and watching it is runs.py's business.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from finance_assets.errors import SettingsError
from finance_assets.lakehouse.windows import Window
from finance_assets.settings import DatabricksSettings, Settings, Shape
from finance_assets.steps.step import Kind, Step

if TYPE_CHECKING:
    from databricks.sdk.service.jobs import JobEnvironment, SubmitTask

PACKAGE, ENTRY_POINT, ENVIRONMENT = "finance_assets", "finance-assets-step", "steps"

# Seconds after which Databricks stops a task: a stuck one must not be paid for until Monday.
TIMEOUTS = {
    Kind.ingest: 3600,
    Kind.table: 7200,
    Kind.training: 14400,
    Kind.evaluation: 7200,
    Kind.decision: 1800,
    Kind.scoring: 7200,
    Kind.monitoring: 3600,
}


def step_parameters(
    steps: Sequence[Step], window: Window, run_id: str, settings: Settings
) -> list[str]:
    """The entry point's command line; it holds no secret."""
    keys = [part for step in steps for part in ("--step", step.key)]
    pairs = [part for pair in remote_settings(settings) for part in ("--set", pair)]
    return [*keys, "--first", window.first, "--last", window.last, "--run-id", run_id, *pairs]


def remote_settings(settings: Settings) -> list[str]:
    """The settings that a task needs, as NAME=VALUE."""
    chosen = {
        "env": settings.env,
        "engine": "cluster",
        "catalog": settings.catalog,
        "schema_prefix": settings.schema_prefix,
        "storage": settings.databricks.storage,
        "landing": settings.landing,
        "archive": settings.archive,
        "archive_days": settings.archive_days,
        "git_sha": settings.code_sha,
        "mlflow_tracking_uri": settings.mlflow_tracking_uri or "databricks",
        "mlflow_registry_uri": settings.mlflow_registry_uri,
        "mlflow_experiment_prefix": settings.mlflow_experiment_prefix,
        "mlflow_model_prefix": settings.mlflow_model_prefix,
        "mlflow_ui_url": settings.mlflow_ui_url,
        "search": str(settings.search).lower(),
    }
    return [f"{name}={value}" for name, value in chosen.items() if value]


def submit_task(
    steps: Sequence[Step], parameters: list[str], wheel: str, settings: DatabricksSettings
) -> "SubmitTask":
    """The task of a one-time run."""
    from databricks.sdk.service.jobs import SubmitTask

    record: dict[str, Any] = {
        "task_key": steps[0].key.replace(".", "_") if len(steps) == 1 else "steps",
        "python_wheel_task": {
            "package_name": PACKAGE,
            "entry_point": ENTRY_POINT,
            "parameters": parameters,
        },
        "timeout_seconds": sum(TIMEOUTS[step.kind] for step in steps),
        **compute_fields(wheel, settings),
    }
    return SubmitTask.from_dict(record)


def compute_fields(wheel: str, settings: DatabricksSettings) -> dict[str, Any]:
    """What a task says about its compute.

    Raises:
        SettingsError: the shape needs a cluster id, and there is none.
    """
    if settings.shape is Shape.serverless:
        return {"environment_key": ENVIRONMENT}
    libraries = [{"whl": wheel}]
    if settings.shape is Shape.job_cluster:
        return {"new_cluster": new_cluster(settings), "libraries": libraries}
    if settings.cluster_id is None:
        raise SettingsError(
            "the shape existing_cluster needs a cluster",
            where="FINANCE_ASSETS_DATABRICKS_CLUSTER_ID",
            remedy="set it, or use another FINANCE_ASSETS_DATABRICKS_SHAPE",
        )
    return {"existing_cluster_id": settings.cluster_id, "libraries": libraries}


def new_cluster(settings: DatabricksSettings) -> dict[str, Any]:
    """A cluster that lives for one run."""
    availability = "SPOT_WITH_FALLBACK" if settings.is_spot else "ON_DEMAND"
    cluster: dict[str, Any] = {
        "spark_version": settings.spark_version,
        "node_type_id": settings.node_type_id,
        "data_security_mode": "SINGLE_USER",
        "autoscale": {"min_workers": settings.min_workers, "max_workers": settings.max_workers},
        "aws_attributes": {"availability": availability, "first_on_demand": 1},
        "custom_tags": {"project": PACKAGE},
    }
    if settings.policy_id:
        cluster["policy_id"] = settings.policy_id
    return cluster


def environments(wheel: str, settings: DatabricksSettings) -> "list[JobEnvironment] | None":
    """The serverless environment of a run; none for clusters."""
    from databricks.sdk.service.compute import Environment
    from databricks.sdk.service.jobs import JobEnvironment

    if settings.shape is not Shape.serverless:
        return None
    spec = Environment(environment_version=settings.environment_version, dependencies=[wheel])
    return [JobEnvironment(environment_key=ENVIRONMENT, spec=spec)]
