"""Variables: a bundle's YAML with its includes and `${…}` references resolved for one target.

As much of the bundle's language as ours uses; the Databricks CLI remains the reference.
"""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

REFERENCE = re.compile(r"\$\{([^}]+)\}")

# What only a workspace knows; any text stands for it here.
OF_THE_WORKSPACE = {
    "workspace.current_user.userName": "somebody@example.com",
    "workspace.current_user.short_name": "somebody",
    "workspace.file_path": "/Workspace/files",
    "workspace.root_path": "/Workspace/root",
    "bundle.git.commit": "0123456789ab",
}


class BundleError(Exception):
    """The bundle cannot be read or resolved; the message says where and why."""


def load_bundle(root: Path) -> dict[str, Any]:
    """databricks.yml with everything it includes.

    Raises:
        BundleError: a file is missing, is no YAML, or defines what another one defines.
    """
    bundle = _read(root / "databricks.yml")
    for pattern in bundle.get("include", []):
        found = sorted(root.glob(pattern))
        if not found:
            raise BundleError(f"databricks.yml: include {pattern!r} matches no file")
        for path in found:
            _merge(bundle, _read(path), path.name)
    return bundle


def resolve(bundle: dict[str, Any], target: str) -> dict[str, Any]:
    """The bundle as it is for a target: overrides merged, every reference replaced.

    Raises:
        BundleError: the target is not declared, or a reference leads nowhere.
    """
    if target not in bundle.get("targets", {}):
        raise BundleError(f"there is no target {target!r}")
    chosen = bundle["targets"][target] or {}
    values = dict(OF_THE_WORKSPACE)
    values["bundle.target"] = target
    values["bundle.name"] = bundle["bundle"]["name"]
    declared = bundle.get("variables", {})
    for name, variable in declared.items():
        value = chosen.get("variables", {}).get(name, variable.get("default"))
        if value is None:
            raise BundleError(f"target {target}: variable {name} has no value")
        values[f"var.{name}"] = value
    for name in chosen.get("variables", {}):
        if name not in declared:
            raise BundleError(f"target {target}: variable {name} is not declared")
    whole = deepcopy({k: v for k, v in bundle.items() if k not in ("targets", "variables")})
    for key in ("mode", "run_as", "permissions", "workspace", "presets"):
        if key in chosen:
            whole[key] = deepcopy(chosen[key])
    return dict(_replaced(whole, values, target, 0))


def _replaced(value: Any, values: dict[str, Any], where: str, depth: int) -> Any:
    if depth > 20:
        raise BundleError(f"{where}: references go round in a circle")
    if isinstance(value, dict):
        return {k: _replaced(v, values, f"{where}.{k}", depth) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, values, f"{where}[{i}]", depth) for i, v in enumerate(value)]
    if not isinstance(value, str) or not REFERENCE.search(value):
        return value

    def look_up(match: re.Match[str]) -> str:
        name = match.group(1)
        if name.startswith("resources."):
            return name
        if name not in values:
            raise BundleError(f"{where}: ${{{name}}} leads nowhere")
        return str(values[name])

    return _replaced(REFERENCE.sub(look_up, value), values, where, depth + 1)


def _merge(bundle: dict[str, Any], part: dict[str, Any], name: str) -> None:
    for kind, resources in part.get("resources", {}).items():
        known = bundle.setdefault("resources", {}).setdefault(kind, {})
        for key, resource in resources.items():
            if key in known:
                raise BundleError(f"{name}: {kind}.{key} is defined twice")
            known[key] = resource


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, TypeError, ValueError) as error:
        raise BundleError(f"{path.name}: {error}") from error
