"""Places: whether what the job's tasks are told to use is there, in a target as it is resolved.

Schemas, volumes, models and experiments; names are compared as the workspace will show them.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from finance_assets.step.use_case import UseCase

# Folders in which a principal can make one; nobody but an administrator can in the root.
HOMES = ("/Users/", "/Shared/")


def place_problems(bundle: dict[str, Any], job: dict[str, Any], use_case: UseCase) -> Iterator[str]:
    """What the tasks are told to use and nobody makes."""
    resources = bundle.get("resources", {})
    schemas = {
        f"{schema['catalog_name']}.{schema['name']}"
        for schema in resources.get("schemas", {}).values()
    }
    volumes = {
        f"{volume['catalog_name']}.{volume['schema_name']}.{volume['name']}"
        for volume in resources.get("volumes", {}).values()
    }
    for volume in sorted(volumes):
        if volume.rpartition(".")[0] not in schemas:
            yield f"volume {volume} lies in a schema that the target does not have"
    told: dict[tuple[str, str], str] = {}
    for task in job.get("tasks", []):
        for pair in settings_of(task).items():
            told.setdefault(pair, task["task_key"])
    by_name: dict[str, list[str]] = {}
    for name, value in told:
        by_name.setdefault(name, []).append(value)
    yield from (f"tasks differ in {name}: {v}" for name, v in by_name.items() if len(v) > 1)
    settings = {name: values[0] for name, values in by_name.items()}
    yield from _tables(settings, schemas, use_case)
    yield from _volumes(settings, volumes)
    yield from _models(settings, schemas, resources)
    yield from _experiments(settings, bundle)
    yield from _unseen(settings, bundle, use_case)


def settings_of(task: dict[str, Any]) -> dict[str, str]:
    """The settings on a task's command line, by name."""
    given = task.get("python_wheel_task", {}).get("parameters", [])
    pairs = [value for name, value in zip(given, given[1:], strict=False) if name == "--set"]
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _tables(settings: dict[str, str], schemas: set[str], use_case: UseCase) -> Iterator[str]:
    catalog = settings.get("catalog", "")
    if not catalog:
        if settings.get("storage", "").startswith("/Volumes/"):
            yield "there is no catalog, and tables cannot lie in a volume"
        return
    for layer in dict.fromkeys(step.contract.layer for step in use_case.steps):
        name = f"{catalog}.{settings.get('schema_prefix', '')}{layer}"
        if name not in schemas:
            yield f"nobody makes the schema {name} of layer {layer}"


def _volumes(settings: dict[str, str], volumes: set[str]) -> Iterator[str]:
    for name in ("storage", "landing"):
        parts = PurePosixPath(settings.get(name, "")).parts
        if parts[:2] == ("/", "Volumes") and ".".join(parts[2:5]) not in volumes:
            yield f"{name}: nobody makes the volume {'.'.join(parts[2:5])}"


def _models(
    settings: dict[str, str], schemas: set[str], resources: dict[str, Any]
) -> Iterator[str]:
    prefix = settings.get("mlflow_model_prefix", "")
    if prefix.removesuffix(".") not in schemas:
        yield f"nobody makes the schema of the models, {prefix}"
    for key in resources.get("registered_models", {}):
        yield f"registered model {key}: the first training makes it, under the name it then finds"


def _experiments(settings: dict[str, str], bundle: dict[str, Any]) -> Iterator[str]:
    prefix = settings.get("mlflow_experiment_prefix", "")
    if not prefix.startswith(HOMES) or not prefix.endswith("/"):
        yield (
            f"experiments: {prefix!r} is no folder that a task can make (/Users/<who>/…/), and an "
            "experiment needs one"
        )
    elif bundle.get("mode") == "production" and prefix.startswith("/Shared/"):
        yield f"experiments: every user of the workspace may write to {prefix}"


def _unseen(settings: dict[str, str], bundle: dict[str, Any], use_case: UseCase) -> Iterator[str]:
    """In production, runs that nobody but their trainer may see: nobody could approve a model."""
    declared = bundle.get("resources", {}).get("experiments", {}).values()
    name = f"{settings.get('mlflow_experiment_prefix', '')}{use_case.name}"
    if bundle.get("mode") != "production":
        return
    found = [experiment for experiment in declared if experiment["name"] == name]
    if not any(experiment.get("permissions") for experiment in found):
        yield f"experiments: nobody but its maker may see {name}, as no permissions are declared"
