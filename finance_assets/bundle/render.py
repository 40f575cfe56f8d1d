"""Render: a use case's steps as the job `main_pipeline` of the bundle. Pure.

A task depends on those that make the same partition of its inputs; what it reads of earlier
partitions was made by earlier runs. The YAML is committed, and a test proves it current.
"""

import json
from typing import Any

import yaml

from finance_assets.bundle.variables import BundleError, variables_of
from finance_assets.calendar import DUE
from finance_assets.compute.databricks.task_settings import SCHEMA, of_bundle
from finance_assets.compute.databricks.tasks import (
    ENVIRONMENT,
    PACKAGE,
    TaskCompute,
    environments,
    new_cluster,
    on_compute,
    parameters,
    payload,
    task_key,
)
from finance_assets.settings import Shape
from finance_assets.step.declaration import Kind, Step
from finance_assets.step.use_case import UseCase

JOB = "main_pipeline"
HEADER = """# Rendered from the asset graph and databricks.yml by `finance-assets bundle render`.
# Do not edit: `bundle check` compares.
"""

WHEEL = "../dist/*.whl"

# Trying again helps where the trouble was the cluster's; a refused delivery stays refused, and
# what the gate decided once it decides again.
RETRIES = {Kind.ingest: 2, Kind.table: 2, Kind.scoring: 2, Kind.monitoring: 2, Kind.training: 1}
RETRY_MILLIS = 60_000

VOLUMES = {
    "staging": "Rows that are audited before they are published",
    "landing": "Deliveries as they come",
    "runs": "Wheels, and the messages between Dagster and its runs",
}
BOTH = ["READ_VOLUME", "WRITE_VOLUME"]


def same_partition_inputs(step: Step) -> list[str]:
    """Keys of the steps whose very partition a step reads."""
    return [item.key for item in step.inputs if item.reads_own_partition]


def render_task(use_case: UseCase, step: Step) -> dict[str, Any]:
    """A step as a task of the job, wherever it runs."""
    needed = [task_key([use_case.step(key)]) for key in same_partition_inputs(step)]
    line = parameters(
        [step],
        "{{job.parameters.partition}}",
        "{{job.run_id}}",
        of_bundle(),
        "--triggered",
        "{{job.trigger.time.iso_datetime}}",
    )
    task: dict[str, Any] = {
        **payload([step], line),
        "description": step.contract.description,
        "max_retries": RETRIES.get(step.kind, 0),
    }
    if task["max_retries"]:
        task["min_retry_interval_millis"] = RETRY_MILLIS
    if needed:
        task["depends_on"] = [{"task_key": key} for key in needed]
    return task


def render_compute(use_case: UseCase, compute: TaskCompute) -> dict[str, Any]:
    """What the job of a target adds: where its tasks run."""
    where = on_compute(compute, is_cluster_shared=True)
    tasks = [{"task_key": task_key([step]), **where} for step in use_case.steps]
    if compute.shape is Shape.serverless:
        return {"environments": environments(compute), "tasks": tasks}
    if compute.shape is Shape.existing_cluster:
        return {"tasks": tasks}
    cluster = {"job_cluster_key": ENVIRONMENT, "new_cluster": new_cluster(compute)}
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


def render_job(use_case: UseCase) -> dict[str, Any]:
    """The job: parameters, schedule, alerts, and a task for each step."""
    return {
        "name": f"{JOB} {use_case.name} (${{bundle.target}})",
        "description": f"{use_case.title} One partition, from delivery to drift.",
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "tags": {
            "project": PACKAGE,
            "use_case": use_case.name,
            "cost_centre": "${var.cost_centre}",
            "shape": "${var.shape}",
        },
        "parameters": [{"name": "partition", "default": DUE}],
        "schedule": {
            "quartz_cron_expression": use_case.calendar.quartz,
            "timezone_id": use_case.calendar.timezone,
            "pause_status": "${var.schedule_status}",
        },
        "email_notifications": {
            "on_failure": "${var.notification_addresses}",
            "on_duration_warning_threshold_exceeded": "${var.notification_addresses}",
        },
        "health": {
            "rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 14400}]
        },
        "tasks": [render_task(use_case, step) for step in use_case.steps],
    }


def render(use_case: UseCase, bundle: dict[str, Any]) -> str:
    """The committed file: the job as a bundle resource, and where it runs in each target."""
    targets = {
        target: {"resources": {"jobs": {JOB: render_compute(use_case, found)}}}
        for target in bundle.get("targets", {})
        for found in [target_compute(bundle, target)]
    }
    return _text({"resources": {"jobs": {JOB: render_job(use_case)}}, "targets": targets})


def render_storage(layers: list[str], bundle: dict[str, Any]) -> str:
    """The committed file of schemas, volumes and grants: what the steps need to be there.

    Grants are for shared targets: in development you own what you deploy.
    """
    place = {"catalog_name": "${var.catalog}"}
    schemas = {layer: {**place, "name": layer, "comment": f"Tables: {layer}"} for layer in layers}
    schemas[PACKAGE] = {**place, "name": PACKAGE, "comment": f"Volumes and models of {PACKAGE}"}
    volumes = {
        name: {**place, "schema_name": SCHEMA, "name": name, "comment": comment}
        for name, comment in VOLUMES.items()
    }
    targets = {
        target: {"resources": _grants(layers)}
        for target, chosen in bundle.get("targets", {}).items()
        if (chosen or {}).get("mode") != "development"
    }
    return _text({"resources": {"schemas": schemas, "volumes": volumes}, "targets": targets})


def _grants(layers: list[str]) -> dict[str, Any]:
    def to(who: str, *privileges: str) -> dict[str, Any]:
        return {"principal": f"${{var.{who}}}", "privileges": list(privileges)}

    schemas = {layer: {"grants": [to("readers", "USE_SCHEMA", "SELECT")]} for layer in layers}
    schemas[PACKAGE] = {
        "grants": [
            to("orchestrator", "USE_SCHEMA"),
            to("deliverers", "USE_SCHEMA"),
            to("readers", "USE_SCHEMA", "EXECUTE"),
        ]
    }
    volumes = {
        "landing": {"grants": [to("deliverers", *BOTH)]},
        "runs": {"grants": [to("orchestrator", *BOTH)]},
    }
    return {"schemas": schemas, "volumes": volumes}


def _text(record: dict[str, Any]) -> str:
    # No anchors: the CLI reads them, people stumble over them.
    plain = json.loads(json.dumps(record))
    return HEADER + yaml.safe_dump(plain, sort_keys=False, width=100, allow_unicode=True)
