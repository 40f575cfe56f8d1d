"""Check: everything about the bundle that can be known without a workspace and without the CLI.

For each target: variables resolve, jobs are what the API takes, what they name exists, and the
tasks are the steps. Each problem is a sentence that says where.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from finance_assets.bundle.access import access_problems
from finance_assets.bundle.places import place_problems, settings_of
from finance_assets.bundle.render import FLOW, PARTITION, same_partition_inputs
from finance_assets.bundle.variables import (
    REFERENCE,
    BundleError,
    job_ids,
    load_bundle,
    resolve,
)
from finance_assets.compute.databricks.task_settings import TASK_SETTINGS
from finance_assets.compute.databricks.tasks import task_key
from finance_assets.step.names import pipeline_job_name
from finance_assets.step.use_case import UseCase

SECRETS = (
    re.compile(r"dapi[0-9a-f]{8,}"),
    re.compile(r"(?i)(password|secret|token|client_secret)\s*[:=]\s*['\"]?[A-Za-z0-9+/_-]{12,}"),
    re.compile(r"AKIA[0-9A-Z]{16}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
)
# What builds a wheel whose version follows from its content.
BUILD = "finance-assets bundle wheel"
TASK_KINDS = ("python_wheel_task", "notebook_task", "spark_python_task", "run_job_task")


def check_bundle(
    root: Path, use_cases: Sequence[UseCase], only: Collection[str] | None = None
) -> dict[str, list[str]]:
    """The problems of each target; an empty list is a target without any.

    Problems that concern the files as a whole are listed under `files`.

    Args:
        root: folder of databricks.yml.
        use_cases: every one that there is.
        only: names of those whose jobs are compared with their steps; all by default.
    """
    try:
        bundle = load_bundle(root)
    except BundleError as error:
        return {"files": [str(error)]}
    found: dict[str, list[str]] = {"files": list(_secrets(root))}
    compared = [use_case for use_case in use_cases if only is None or use_case.name in only]
    for target in bundle.get("targets", {}):
        try:
            resolved = resolve(bundle, target)
            found[target] = [
                *_problems(resolved, root),
                *_of_use_cases(resolved, compared),
                *_flow(resolved, use_cases),
                *access_problems(bundle, target),
            ]
        except BundleError as error:
            found[target] = [str(error)]
    return found


def _problems(bundle: dict[str, Any], root: Path) -> Iterator[str]:
    """What is wrong whatever the use cases are."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, artifact in bundle.get("artifacts", {}).items():
        # Another way gives each content the same version, and a cluster keeps the first.
        if artifact.get("type") == "whl" and artifact.get("build") != BUILD:
            yield f"{name}: is not built by `{BUILD}`"
    for name, job in bundle.get("resources", {}).get("jobs", {}).items():
        yield from (f"{name}: {problem}" for problem in _job(job, bundle, root, project))


def _of_use_cases(bundle: dict[str, Any], use_cases: Sequence[UseCase]) -> Iterator[str]:
    """Where a use case has no job, or one that is not its steps."""
    jobs = bundle.get("resources", {}).get("jobs", {})
    for use_case in use_cases:
        name = pipeline_job_name(use_case)
        if name not in jobs:
            yield f"there is no job {name}"
            continue
        yield from (f"{name}: {problem}" for problem in _graph(jobs[name], use_case))
        places = place_problems(bundle, jobs[name], use_case)
        yield from (f"{name}: {problem}" for problem in places)


def _flow(bundle: dict[str, Any], use_cases: Sequence[UseCase]) -> Iterator[str]:
    """Where the flow does not run every use case's job, once and with its partition."""
    jobs = bundle.get("resources", {}).get("jobs", {})
    if FLOW not in jobs:
        yield f"there is no job {FLOW}"
        return
    names = {number: key for key, number in job_ids(bundle).items()}
    ran = []
    for task in jobs[FLOW].get("tasks", []):
        run = task.get("run_job_task", {})
        ran.append(names.get(run.get("job_id"), "no job"))
        if run.get("job_parameters", {}).get("partition") != PARTITION:
            yield f"{FLOW}: the partition does not reach {ran[-1]}"
    wanted = [pipeline_job_name(use_case) for use_case in use_cases]
    if sorted(ran) != sorted(wanted):
        yield f"{FLOW}: runs {sorted(ran)}, and the use cases' jobs are {sorted(wanted)}"


def _job(
    job: dict[str, Any], bundle: dict[str, Any], root: Path, project: dict[str, Any]
) -> Iterator[str]:
    yield from _unknown_fields(job)
    environments = {e["environment_key"]: e for e in job.get("environments", [])}
    for key, environment in environments.items():
        for dependency in environment.get("spec", {}).get("dependencies", []):
            yield from _dependency(key, dependency, bundle)
    keys = [task["task_key"] for task in job.get("tasks", [])]
    computes = {*environments, *(c["job_cluster_key"] for c in job.get("job_clusters", []))}
    for task in job.get("tasks", []):
        problems = [*_task(task, keys, computes), *_payload(task, root, project)]
        for library in task.get("libraries", []):
            problems += _dependency("libraries", library.get("whl", ""), bundle)
        yield from (f"{task['task_key']}: {problem}" for problem in problems)
    told = job.get("email_notifications", {})
    if "on_failure" not in told:
        yield "nobody is told when it fails"
    for event, addresses in told.items():
        for address in addresses:
            if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(address)):
                yield f"email_notifications.{event}: {address!r} is no address"


def _task(task: dict[str, Any], keys: list[str], computes: set[str]) -> Iterator[str]:
    if keys.count(task["task_key"]) > 1:
        yield "the key is there twice"
    for needed in task.get("depends_on", []):
        if needed["task_key"] not in keys:
            yield f"depends on {needed['task_key']}, which is no task"
    for field, kind in (("environment_key", "environment"), ("job_cluster_key", "job cluster")):
        if field in task and task[field] not in computes:
            yield f"there is no {kind} {task[field]}"
    if "environment_key" in task and task.get("disable_auto_optimization") is not True:
        yield "has no disable_auto_optimization: serverless would retry it by itself, and be paid"
    for field in ("timeout_seconds", "max_retries"):
        if field not in task:
            yield f"has no {field}"


def _unknown_fields(job: dict[str, Any]) -> Iterator[str]:
    """What databricks-sdk's typed settings do not take over: unknown fields and wrong types."""
    from databricks.sdk.service.jobs import JobSettings

    try:
        taken = JobSettings.from_dict(job).as_dict()
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        yield f"is not what the API takes: {error!r}"
        return
    yield from _lost(job, taken, "")


def _lost(given: Any, taken: Any, where: str) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(taken, dict):
        for key, value in given.items():
            if key not in taken and value not in (None, [], {}):
                yield f"{where}{key} is no field the API knows, or its value none it takes"
            elif key in taken:
                yield from _lost(value, taken[key], f"{where}{key}.")
    elif isinstance(given, list) and isinstance(taken, list):
        for index, (one, other) in enumerate(zip(given, taken, strict=False)):
            yield from _lost(one, other, f"{where}{index}.")


def _dependency(key: str, dependency: str, bundle: dict[str, Any]) -> Iterator[str]:
    """A wheel that the bundle uploads must be one that it builds."""
    if dependency.endswith(".whl") and not dependency.startswith(("/Volumes/", "/Workspace/")):
        built = [a for a in bundle.get("artifacts", {}).values() if a.get("type") == "whl"]
        if not built or not dependency.startswith("../dist/"):
            yield f"{key}: {dependency} is built by no artifact"


def _payload(task: dict[str, Any], root: Path, project: dict[str, Any]) -> Iterator[str]:
    kinds = [kind for kind in TASK_KINDS if kind in task]
    if len(kinds) != 1:
        yield f"has {len(kinds)} of {', '.join(TASK_KINDS)}"
    if "python_wheel_task" in task:
        wheel = task["python_wheel_task"]
        if wheel["entry_point"] not in project["scripts"]:
            yield f"the package has no entry point {wheel['entry_point']}"
        if wheel["package_name"].replace("_", "-") != project["name"]:
            yield f"the wheel is {project['name']}, not {wheel['package_name']}"
        if not any(PARTITION in p for p in wheel.get("parameters", [])):
            yield "the partition does not reach it"
        given = set(settings_of(task))
        wanted = {setting.name for setting in TASK_SETTINGS}
        if given != wanted:
            yield f"its settings are not those of Dagster's tasks: {sorted(given ^ wanted)}"
    if "notebook_task" in task:
        path = root / "resources" / task["notebook_task"]["notebook_path"]
        if not (path.exists() or path.with_suffix(".py").exists()):
            yield f"there is no notebook {task['notebook_task']['notebook_path']}"


def _graph(job: dict[str, Any], use_case: UseCase) -> Iterator[str]:
    """Where tasks and steps differ."""
    tasks = {task["task_key"]: task for task in job.get("tasks", [])}
    steps = {task_key([step]): step for step in use_case.steps}
    yield from (f"no task for the step {key}" for key in steps if key not in tasks)
    yield from (f"no step for the task {key}" for key in tasks if key not in steps)
    for key, step in steps.items():
        needed = {task_key([use_case.step(name)]) for name in same_partition_inputs(step)}
        found = {d["task_key"] for d in tasks.get(key, {}).get("depends_on", [])}
        if key in tasks and needed != found:
            yield f"{key} depends on {sorted(found)}, its step on {sorted(needed)}"


def _secrets(root: Path) -> Iterator[str]:
    for path in [root / "databricks.yml", *sorted((root / "resources").glob("*.yml"))]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            plain = REFERENCE.sub("", line)
            if any(pattern.search(plain) for pattern in SECRETS):
                yield f"{path.name}, line {number}: looks like a secret"
