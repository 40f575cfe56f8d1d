"""Render: a use case's steps as the job `main_pipeline` of the bundle. Pure.

A task depends on those that make the same partition of its inputs; what it reads of earlier
partitions was made by earlier runs. The YAML is committed, and a test proves it current.
"""

from typing import Any

import yaml

from finance_assets.compute.databricks.tasks import ENTRY_POINT, PACKAGE, TIMEOUTS
from finance_assets.settings import Shape
from finance_assets.steps.step import Kind, Step
from finance_assets.steps.use_case import UseCase

JOB = "main_pipeline"
ENVIRONMENT = "steps"
HEADER = """# Rendered from the asset graph by `finance-assets bundle render`. Do not edit: a test
# compares this file with the steps.
"""

SHAPE = "# Compute: "
WHEEL = "../dist/*.whl"

# Trying again helps where the trouble was the cluster's; a refused delivery stays refused, and
# what the gate decided once it decides again.
RETRIES = {Kind.ingest: 2, Kind.table: 2, Kind.scoring: 2, Kind.monitoring: 2, Kind.training: 1}
RETRY_MILLIS = 60_000

SETTINGS = {
    "env": "${bundle.target}",
    "engine": "cluster",
    "catalog": "${var.catalog}",
    "schema_prefix": "${var.schema_prefix}",
    "storage": "${var.storage}",
    "landing": "${var.landing}",
    "git_sha": "${bundle.git.commit}",
    "mlflow_tracking_uri": "databricks",
    "mlflow_registry_uri": "databricks-uc",
    "mlflow_experiment_prefix": "${var.experiment_folder}/",
    "mlflow_model_prefix": "${var.catalog}.${var.schema}.",
}


def task_key(step: Step) -> str:
    """`silver.credit_statements` as a task's key."""
    return step.key.replace(".", "_")


def same_partition_inputs(step: Step) -> list[str]:
    """Keys of the steps whose very partition a step reads."""
    return [item.key for item in step.inputs if item.first_offset <= 0 <= item.last_offset]


def render_task(use_case: UseCase, step: Step, shape: Shape) -> dict[str, Any]:
    """A step as a task of the job."""
    needed = [task_key(use_case.step(key)) for key in same_partition_inputs(step)]
    parameters = ["--step", step.key, "--first", "{{job.parameters.partition}}"]
    parameters += ["--triggered", "{{job.trigger.time.iso_date}}", "--run-id", "{{job.run_id}}"]
    for name, value in SETTINGS.items():
        parameters += ["--set", f"{name}={value}"]
    task: dict[str, Any] = {
        "task_key": task_key(step),
        "description": step.contract.description,
        **_compute_of_task(shape),
        "python_wheel_task": {
            "package_name": PACKAGE,
            "entry_point": ENTRY_POINT,
            "parameters": parameters,
        },
        "timeout_seconds": TIMEOUTS[step.kind],
        "max_retries": RETRIES.get(step.kind, 0),
    }
    if task["max_retries"]:
        task["min_retry_interval_millis"] = RETRY_MILLIS
    if needed:
        task["depends_on"] = [{"task_key": key} for key in needed]
    return task


def _compute_of_task(shape: Shape) -> dict[str, Any]:
    if shape is Shape.serverless:
        return {"environment_key": ENVIRONMENT}
    where = {
        Shape.job_cluster: {"job_cluster_key": ENVIRONMENT},
        Shape.existing_cluster: {"existing_cluster_id": "${var.cluster_id}"},
    }
    return {**where[shape], "libraries": [{"whl": WHEEL}]}


def _compute_of_job(shape: Shape) -> dict[str, Any]:
    if shape is Shape.serverless:
        spec = {"environment_version": "${var.environment_version}", "dependencies": [WHEEL]}
        return {"environments": [{"environment_key": ENVIRONMENT, "spec": spec}]}
    if shape is Shape.existing_cluster:
        return {}
    cluster = {
        "spark_version": "${var.spark_version}",
        "node_type_id": "${var.node_type_id}",
        "data_security_mode": "SINGLE_USER",
        "autoscale": {"min_workers": 1, "max_workers": 4},
        "custom_tags": {"project": PACKAGE},
    }
    return {"job_clusters": [{"job_cluster_key": ENVIRONMENT, "new_cluster": cluster}]}


def render_job(use_case: UseCase, shape: Shape) -> dict[str, Any]:
    """The job: parameters, schedule, alerts, compute, and a task for each step."""
    return {
        "name": f"{JOB} {use_case.name} (${{bundle.target}})",
        "description": f"{use_case.title} One month, from delivery to drift.",
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "tags": {
            "project": PACKAGE,
            "use_case": use_case.name,
            "cost_centre": "${var.cost_centre}",
        },
        "parameters": [{"name": "partition", "default": "previous_month"}],
        "schedule": {
            "quartz_cron_expression": "0 0 6 3 * ?",
            "timezone_id": "UTC",
            "pause_status": "${var.schedule_status}",
        },
        "email_notifications": {
            "on_failure": ["${var.notification_address}"],
            "on_duration_warning_threshold_exceeded": ["${var.notification_address}"],
        },
        "health": {
            "rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 14400}]
        },
        **_compute_of_job(shape),
        "tasks": [render_task(use_case, step, shape) for step in use_case.steps],
    }


def render(use_case: UseCase, shape: Shape = Shape.serverless) -> str:
    """The committed file: the job as a bundle resource, for a shape of compute."""
    record = {"resources": {"jobs": {JOB: render_job(use_case, shape)}}}
    return f"{HEADER}{SHAPE}{shape}\n" + yaml.safe_dump(
        record, sort_keys=False, width=100, allow_unicode=True
    )


def shape_of(text: str) -> Shape:
    """The shape that a rendered file says it is for."""
    for line in text.splitlines():
        if line.startswith(SHAPE) and line.removeprefix(SHAPE) in set(Shape):
            return Shape(line.removeprefix(SHAPE))
    return Shape.serverless
