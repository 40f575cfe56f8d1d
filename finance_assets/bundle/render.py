"""Render: each use case's steps as a job of the bundle, and the flow that runs them all. Pure.

A task depends on those that make the same partition of its inputs; what it reads of earlier
partitions was made by earlier runs. The YAML is committed, and a test proves it current.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from finance_assets.bundle.storage import is_shared, layers_of, render_experiment, render_storage
from finance_assets.bundle.variables import BundleError, variables_of
from finance_assets.calendar import DUE
from finance_assets.compute.databricks import api
from finance_assets.compute.databricks.task_settings import of_bundle
from finance_assets.compute.databricks.tasks import (
    ENVIRONMENT,
    PACKAGE,
    QUEUE,
    TaskCompute,
    environments,
    new_cluster,
    on_compute,
    parameters,
    stored_payload,
    task_key,
)
from finance_assets.settings import Shape
from finance_assets.step.declaration import Step
from finance_assets.step.names import pipeline_job_name
from finance_assets.step.use_case import UseCase

FLOW = "main_pipeline"
PARTITION = "{{job.parameters.partition}}"
HEADER = """# Rendered from the asset graph and databricks.yml by `finance-assets bundle render`.
# Do not edit: `bundle check` compares.
"""

WHEEL = "../dist/*.whl"
STORAGE_FILE = "resources/storage.yml"


def same_partition_inputs(step: Step) -> list[str]:
    """Keys of the steps whose very partition a step reads."""
    return [item.key for item in step.inputs if item.reads_own_partition]


def render_task(use_case: UseCase, step: Step) -> api.Task:
    """A step as a task of the job, wherever it runs."""
    line = parameters(
        [step],
        PARTITION,
        "{{job.run_id}}",
        of_bundle(),
        "--triggered",
        "{{job.trigger.time.iso_datetime}}",
    )
    needed = [use_case.step(key) for key in same_partition_inputs(step)]
    return stored_payload(step, line, needed)


def render_compute(use_case: UseCase, compute: TaskCompute) -> api.JobCompute:
    """What the job of a target adds: where its tasks run."""
    where = on_compute(compute, is_cluster_shared=True)
    tasks: list[api.TaskWhere] = [
        {"task_key": task_key([step]), **where} for step in use_case.steps
    ]
    if compute.shape is Shape.serverless:
        return {"environments": environments(compute), "tasks": tasks}
    if compute.shape is Shape.existing_cluster:
        return {"tasks": tasks}
    cluster: api.JobCluster = {"job_cluster_key": ENVIRONMENT, "new_cluster": new_cluster(compute)}
    return {"job_clusters": [cluster], "tasks": tasks}


def target_compute(bundle: dict[str, Any], target: str) -> TaskCompute:
    """The compute that a target's variable `shape` asks for, by the bundle's references.

    Raises:
        BundleError: there is no such shape.
    """
    values = variables_of(bundle, target)
    shape = values.get("var.shape")
    if shape not in set(Shape):
        raise BundleError(f"target {target}: {shape!r} is no shape ({', '.join(Shape)})")
    return TaskCompute(
        shape=Shape(str(shape)),
        wheel=WHEEL,
        environment_version="${var.environment_version}",
        cluster_id="${var.cluster_id}",
        spark_version="${var.spark_version}",
        node_type_id="${var.node_type_id}",
        policy_id="${var.policy_id}" if values.get("var.policy_id") else None,
        min_workers="${var.min_workers}",
        max_workers="${var.max_workers}",
        availability="${var.availability}",
    )


def render_job(use_case: UseCase) -> api.Job:
    """The job of a use case: its schedule, and a task for each step."""
    about = f"{use_case.title} One partition, from delivery to drift."
    tasks = [render_task(use_case, step) for step in use_case.steps]
    head = _head(pipeline_job_name(use_case), about, use_case=use_case.name)
    schedule: api.Schedule = {
        "quartz_cron_expression": use_case.calendar.quartz,
        "timezone_id": use_case.calendar.timezone,
        "pause_status": "${var.schedule_status}",
    }
    return {**head, "schedule": schedule, "tasks": tasks}


def render_flow(use_cases: Sequence[UseCase]) -> api.Flow:
    """The job that runs those of all use cases, side by side.

    It has no schedule: each use case's job runs by the calendar of its own.
    """
    about = "Every use case: one partition of each, the one that is due unless it is named."
    return {**_head(FLOW, about), "tasks": [_run_job(use_case) for use_case in use_cases]}


def _run_job(use_case: UseCase) -> api.Task:
    name = pipeline_job_name(use_case)
    return {
        "task_key": name,
        "description": use_case.title,
        "run_job_task": {
            "job_id": f"${{resources.jobs.{name}.id}}",
            "job_parameters": {"partition": PARTITION},
        },
        "timeout_seconds": sum(step.kind.traits.timeout_seconds for step in use_case.steps),
        # Its tasks try again themselves.
        "max_retries": 0,
    }


def _head(name: str, description: str, **tags: str) -> api.JobHead:
    """What every job says: one run at a time, tags, the partition, whom to tell."""
    return {
        "name": f"{name} (${{bundle.target}})",
        "description": description,
        "max_concurrent_runs": 1,
        "queue": QUEUE,
        "tags": {
            "project": PACKAGE,
            **tags,
            "cost_centre": "${var.cost_centre}",
            "shape": "${var.shape}",
        },
        "parameters": [{"name": "partition", "default": DUE}],
        "email_notifications": {
            "on_failure": "${var.notification_addresses}",
            "on_duration_warning_threshold_exceeded": "${var.notification_addresses}",
        },
        "health": {
            "rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 14400}]
        },
    }


def job_file(name: str) -> str:
    """The committed file of a job, in the checkout."""
    return f"resources/{name}.job.yml"


def render(use_case: UseCase, bundle: dict[str, Any]) -> str:
    """The committed file of a use case: its job, where that runs in each target, its experiment."""
    name = pipeline_job_name(use_case)
    experiment = render_experiment(use_case)
    targets = {
        target: {
            "resources": {
                "jobs": {name: render_compute(use_case, target_compute(bundle, target))},
                **(experiment if is_shared(bundle, target) else {}),
            }
        }
        for target in bundle.get("targets", {})
    }
    return _text({"resources": {"jobs": {name: render_job(use_case)}}, "targets": targets})


def render_all(use_cases: Sequence[UseCase], bundle: dict[str, Any]) -> dict[str, str]:
    """Every committed file by its name: a job for each use case, the flow, the storage.

    Raises:
        BundleError: a target asks for compute that does not exist.
    """
    jobs = {job_file(pipeline_job_name(u)): render(u, bundle) for u in use_cases}
    flow = _text({"resources": {"jobs": {FLOW: render_flow(use_cases)}}})
    storage = _text(render_storage(layers_of(use_cases), bundle))
    return {**jobs, job_file(FLOW): flow, STORAGE_FILE: storage}


def _text(record: Mapping[str, object]) -> str:
    # No anchors: the CLI reads them, people stumble over them.
    plain = json.loads(json.dumps(record))
    return HEADER + yaml.safe_dump(plain, sort_keys=False, width=100, allow_unicode=True)
