"""Tasks: steps, or a command, as the task of a Databricks run, in each compute shape. Pure.

The one description of a task's payload: Dagster's runs and the bundle's job are made of it, and
differ only in where values come from (settings, or the bundle's variables).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from finance_assets.commands.command import Command
from finance_assets.compute.databricks.api import (
    Cluster,
    Environment,
    Library,
    Queue,
    Submission,
    Task,
    Where,
)
from finance_assets.errors import SettingsError
from finance_assets.settings import DatabricksSettings, Shape
from finance_assets.step.declaration import Step

PACKAGE, ENTRY_POINT, ENVIRONMENT = "finance_assets", "finance-assets-step", "steps"
RETRY_MILLIS = 60_000
# A run beyond the workspace's limit waits, and does not fail.
QUEUE: Queue = {"enabled": True}
# What a stored job's task says, and a one-time run's cannot: the API takes no retries there
# (whoever asked asks again), it is the only task, and its cluster is shared with none.
TASKS_OF_JOBS = frozenset(
    {"max_retries", "min_retry_interval_millis", "depends_on", "job_cluster_key"}
)
# What a stored job says, and a one-time run does not: when it runs and who is told is Dagster's
# business there, and the API takes no tags.
JOBS_ALONE = frozenset(
    {
        *("description", "max_concurrent_runs", "parameters", "schedule", "tags"),
        *("email_notifications", "health", "job_clusters"),
    }
)


@dataclass(frozen=True)
class TaskCompute:
    """What a task runs on: a shape, and the values that the shape needs.

    In the bundle the values are references to variables, so numbers may be text.
    """

    shape: Shape
    wheel: str
    environment_version: str
    cluster_id: str | None
    spark_version: str
    node_type_id: str
    policy_id: str | None
    min_workers: int | str
    max_workers: int | str
    availability: str


def compute_of(settings: DatabricksSettings, wheel: str) -> TaskCompute:
    """The compute that the settings ask for.

    Raises:
        SettingsError: the shape needs a cluster id, and there is none.
    """
    if settings.shape is Shape.existing_cluster and not settings.cluster_id:
        raise SettingsError(
            "the shape existing_cluster needs a cluster",
            where="FINANCE_ASSETS_DATABRICKS_CLUSTER_ID",
            remedy="set it, or use another FINANCE_ASSETS_DATABRICKS_SHAPE",
        )
    return TaskCompute(
        shape=settings.shape,
        wheel=wheel,
        environment_version=settings.environment_version,
        cluster_id=settings.cluster_id,
        spark_version=settings.spark_version,
        node_type_id=settings.node_type_id,
        policy_id=settings.policy_id,
        min_workers=settings.min_workers,
        max_workers=settings.max_workers,
        availability="SPOT_WITH_FALLBACK" if settings.is_spot else "ON_DEMAND",
    )


def parameters(
    steps: Sequence[Step], first: str, run_id: str, pairs: list[str], *more: str
) -> list[str]:
    """The entry point's command line; it holds no secret. `pairs` are NAME=VALUE of settings."""
    keys = [part for step in steps for part in ("--step", step.key)]
    given = [part for pair in pairs for part in ("--set", pair)]
    return [*keys, "--first", first, *more, "--run-id", run_id, *given]


def payload(steps: Sequence[Step], command_line: list[str]) -> Task:
    """What a task runs, what it is for, and for how long it may take."""
    limit = sum(step.kind.traits.timeout_seconds for step in steps)
    description = (
        steps[0].contract.description if len(steps) == 1 else ", ".join(step.key for step in steps)
    )
    return _payload(task_key(steps), description, command_line, limit)


def stored_payload(step: Step, command_line: list[str], needed: Sequence[Step]) -> Task:
    """The same as a task of a stored job, which tries again and waits for others.

    Args:
        step: what the task does.
        command_line: of the entry point.
        needed: the steps whose tasks have to succeed first.
    """
    task = payload([step], command_line)
    task["max_retries"] = step.kind.traits.retries
    if step.kind.traits.retries:
        task["min_retry_interval_millis"] = RETRY_MILLIS
    if needed:
        task["depends_on"] = [{"task_key": task_key([other])} for other in needed]
    return task


def command_payload(
    command: Command[Any],
    use_cases: Sequence[str],
    run_id: str,
    pairs: list[str],
    submitter: str | None,
) -> Task:
    """The task of a command on use cases. `submitter`: whom it has to act as."""
    names = [part for name in use_cases for part in ("--use-case", name)]
    given = [part for pair in pairs for part in ("--set", pair)]
    # A workspace would fill in {{…}}, wherever it stands. In JSON it stands in texts only.
    arguments = json.dumps(command.to_record()).replace("{{", "{\\u007b")
    line = ["--command", command.name, *names, "--arguments", arguments]
    acting = ["--submitter", submitter] if submitter else []
    line += [*acting, "--run-id", run_id, *given]
    limit = command.limit_seconds * len(use_cases)
    return _payload(command.name, f"{command.name}: {', '.join(use_cases)}", line, limit)


def _payload(key: str, description: str, command_line: list[str], limit_seconds: int) -> Task:
    return {
        "task_key": key,
        "description": description,
        "python_wheel_task": {
            "package_name": PACKAGE,
            "entry_point": ENTRY_POINT,
            "parameters": command_line,
        },
        "timeout_seconds": limit_seconds,
    }


def task_key(steps: Sequence[Step]) -> str:
    """`<layer>_<entity>`; several steps together are `steps`."""
    return steps[0].key.replace(".", "_") if len(steps) == 1 else "steps"


def on_compute(compute: TaskCompute, *, is_cluster_shared: bool = False) -> Where:
    """What a task says about its compute. `is_cluster_shared`: with the other tasks of its job.

    Serverless retries failed tasks by itself, beside and beyond `max_retries`, unless told not to.
    """
    if compute.shape is Shape.serverless:
        return {"environment_key": ENVIRONMENT, "disable_auto_optimization": True}
    libraries: list[Library] = [{"whl": compute.wheel}]
    if compute.shape is Shape.existing_cluster:
        return {"existing_cluster_id": compute.cluster_id, "libraries": libraries}
    if is_cluster_shared:
        return {"job_cluster_key": ENVIRONMENT, "libraries": libraries}
    return {"new_cluster": new_cluster(compute), "libraries": libraries}


def one_time_run(name: str, task: Task, compute: TaskCompute) -> Submission:
    """A run of one task, as it is submitted; the task is told which wheel was sent for it."""
    sent = ("--wheel", wheel_version(compute.wheel))
    return {
        "run_name": name,
        "tasks": [{**with_arguments(task, *sent), **on_compute(compute)}],
        "environments": environments(compute),
        "queue": QUEUE,
    }


def with_arguments(task: Task, *more: str) -> Task:
    """The task with more at the end of its command line."""
    wheel = task["python_wheel_task"]
    return {**task, "python_wheel_task": {**wheel, "parameters": [*wheel["parameters"], *more]}}


def wheel_version(path: str) -> str:
    """The version in a wheel's file name: `<package>-<version>-<tags>.whl`."""
    return PurePosixPath(path).name.split("-")[1]


def new_cluster(compute: TaskCompute) -> Cluster:
    """A cluster that lives for one run."""
    cluster: Cluster = {
        "spark_version": compute.spark_version,
        "node_type_id": compute.node_type_id,
        "data_security_mode": "SINGLE_USER",
        "autoscale": {"min_workers": compute.min_workers, "max_workers": compute.max_workers},
        "aws_attributes": {"availability": compute.availability, "first_on_demand": 1},
        "custom_tags": {"project": PACKAGE},
    }
    if compute.policy_id:
        cluster["policy_id"] = compute.policy_id
    return cluster


def environments(compute: TaskCompute) -> list[Environment]:
    """The serverless environment of a run; none for clusters."""
    if compute.shape is not Shape.serverless:
        return []
    return [
        {
            "environment_key": ENVIRONMENT,
            "spec": {
                "environment_version": compute.environment_version,
                "dependencies": [compute.wheel],
            },
        }
    ]
