"""Storage: what jobs and people need to be there, and who may do what with it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from finance_assets.codec import Json
from finance_assets.compute.databricks.rights import ROLES, VOLUMES
from finance_assets.compute.databricks.task_settings import SCHEMA
from finance_assets.compute.databricks.tasks import PACKAGE
from finance_assets.step.use_case import UseCase


def layers_of(use_cases: Iterable[UseCase]) -> list[str]:
    """Every layer that has a table, each of which needs a schema; in the order of the pipeline."""
    found = [step.contract.layer for use_case in use_cases for step in use_case.steps]
    return list(dict.fromkeys(found))


def render_storage(layers: list[str], bundle: dict[str, Any]) -> dict[str, Json]:
    """Schemas, volumes and grants: what steps and people need to be there.

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
        for target in bundle.get("targets", {})
        if is_shared(bundle, target)
    }
    return {"resources": {"schemas": schemas, "volumes": volumes}, "targets": targets}


def _grants(layers: list[str]) -> dict[str, Json]:
    """The grants of every role, by schema and by volume."""

    def to(privileges: Mapping[str, tuple[str, ...]]) -> dict[str, Json]:
        named = {f"${{var.{role}}}": list(given) for role, given in privileges.items() if given}
        return {"grants": [{"principal": who, "privileges": p} for who, p in named.items()]}

    schemas = {name: to({r: role.on_layer(name) for r, role in ROLES.items()}) for name in layers}
    schemas[PACKAGE] = to({r: role.home for r, role in ROLES.items()})
    volumes = {
        name: to({r: role.volumes.get(name, ()) for r, role in ROLES.items()}) for name in VOLUMES
    }
    return {"schemas": schemas, "volumes": volumes}


def render_experiment(use_case: UseCase) -> dict[str, Json]:
    """The experiment of a use case in a shared target: its runs, and who may see or add to them.

    Not in development, whose mode would give it another name than tasks are told.
    """
    permissions: list[Json] = [
        {"level": role.experiments, role.kind: f"${{var.{name}}}"}
        for name, role in ROLES.items()
        if role.experiments
    ]
    name = f"${{var.experiment_folder}}/{use_case.name}"
    return {"experiments": {use_case.name: {"name": name, "permissions": permissions}}}


def is_shared(bundle: dict[str, Any], target: str) -> bool:
    """Whether a target is more than its deployer's own: rights are declared only there."""
    return (bundle["targets"][target] or {}).get("mode") != "development"
