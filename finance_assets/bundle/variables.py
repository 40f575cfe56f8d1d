"""Variables: a bundle's YAML with its includes and `${…}` references resolved for one target.

As much of the bundle's language as ours uses; the Databricks CLI remains the reference.
"""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from finance_assets.bundle.presets import apply_presets

# libyaml's loader where PyYAML was built with it: ten times as fast as the one in Python.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
REFERENCE = re.compile(r"\$\{([^}]+)\}")
OF_TARGETS = ("mode", "run_as", "permissions", "workspace", "presets")
# Lists whose entries a target overrides one by one, and the key that tells them apart.
MERGED_BY = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "environments": "environment_key",
}

# What only a workspace knows; any text stands for it here.
OF_THE_WORKSPACE = {
    "workspace.current_user.userName": "somebody@example.com",
    "workspace.current_user.short_name": "somebody",
    "workspace.file_path": "/Workspace/files",
    "workspace.root_path": "/Workspace/root",
    "workspace.host": "https://workspace.example.com",
    "bundle.git.commit": "0123456789ab",
}


class BundleError(Exception):
    """The bundle cannot be read or resolved; the message says where and why."""


def load_bundle(root: Path) -> dict[str, Any]:
    """databricks.yml with everything it includes.

    Raises:
        BundleError: a file is missing, is no YAML, or defines what another one defines.
    """
    bundle = read_file(root / "databricks.yml")
    for pattern in bundle.get("include", []):
        found = sorted(root.glob(pattern))
        if not found:
            raise BundleError(f"databricks.yml: include {pattern!r} matches no file")
        for path in found:
            _merge(bundle, read_file(path), path.name)
    return bundle


def resolve(bundle: dict[str, Any], target: str) -> dict[str, Any]:
    """The bundle as it is for a target: overrides merged, names as the workspace will show them,
    every reference replaced.

    Raises:
        BundleError: the target is not declared, or a reference leads nowhere.
    """
    if target not in bundle.get("targets", {}):
        raise BundleError(f"there is no target {target!r}")
    chosen = bundle["targets"][target] or {}
    values = {**OF_THE_WORKSPACE, "bundle.target": target, "bundle.name": bundle["bundle"]["name"]}
    values |= variables_of(bundle, target)
    whole = deepcopy({k: v for k, v in bundle.items() if k not in ("targets", "variables")})
    whole |= deepcopy({key: chosen[key] for key in OF_TARGETS if key in chosen})
    whole["resources"] = _overlaid(whole.get("resources", {}), chosen.get("resources", {}), "")
    for kind, found in whole["resources"].items():
        for key, resource in found.items():
            if "name" not in resource:
                raise BundleError(f"target {target}: {kind}.{key} is overridden, and not declared")
    resolved = dict(_replaced(whole, values, target, 0))
    apply_presets(resolved, str(values["workspace.current_user.short_name"]))
    names = {
        f"resources.{kind}.{key}.name": resource["name"]
        for kind, found in resolved["resources"].items()
        for key, resource in found.items()
    }
    names |= {f"resources.jobs.{key}.id": number for key, number in job_ids(resolved).items()}
    return dict(_replaced(resolved, names, target, 0, is_last=True))


def job_ids(bundle: dict[str, Any]) -> dict[str, int]:
    """What stands for the ids that a workspace gives to the jobs, by key."""
    return {key: number for number, key in enumerate(bundle["resources"].get("jobs", {}), 1)}


def require_packages(bundle: dict[str, Any], packages: tuple[str, ...]) -> None:
    """Refuse a bundle whose tasks would look for other use cases than those that are rendered.

    Raises:
        BundleError: in a target the variable `use_cases` is not the setting.
    """
    for target in bundle.get("targets", {}):
        told = str(variables_of(bundle, target).get("var.use_cases", ""))
        if {name.strip() for name in told.split(",")} - {""} != set(packages):
            raise BundleError(
                f"target {target}: the variable use_cases is {told!r}, and the setting "
                f"FINANCE_ASSETS_USE_CASES {','.join(packages)!r}: they must name the same packages"
            )


def variables_of(bundle: dict[str, Any], target: str) -> dict[str, Any]:
    """`var.<name>` and value of every variable for a target, references not replaced yet.

    Raises:
        BundleError: a variable has no value, or the target sets one that is not declared.
    """
    chosen = (bundle["targets"][target] or {}).get("variables", {})
    declared = bundle.get("variables", {})
    for name in chosen:
        if name not in declared:
            raise BundleError(f"target {target}: variable {name} is not declared")
    values = {}
    for name, variable in declared.items():
        values[f"var.{name}"] = chosen.get(name, variable.get("default"))
        if values[f"var.{name}"] is None:
            raise BundleError(f"target {target}: variable {name} has no value")
    return values


def _replaced(
    value: Any, values: dict[str, Any], where: str, depth: int, *, is_last: bool = False
) -> Any:
    """With references replaced; those to resources wait for the last round."""
    if depth > 20:
        raise BundleError(f"{where}: references go round in a circle")
    if isinstance(value, dict):
        return {
            k: _replaced(v, values, f"{where}.{k}", depth, is_last=is_last)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [
            _replaced(v, values, f"{where}[{i}]", depth, is_last=is_last)
            for i, v in enumerate(value)
        ]
    if not isinstance(value, str):
        return value

    def look_up(name: str) -> Any:
        if name.startswith("resources.") and not is_last:
            return f"${{{name}}}"
        if name not in values:
            raise BundleError(f"{where}: ${{{name}}} leads nowhere")
        return values[name]

    # A reference alone keeps its value's type.
    alone = REFERENCE.fullmatch(value)
    found = look_up(alone.group(1)) if alone else REFERENCE.sub(lambda m: str(look_up(m[1])), value)
    return found if found == value else _replaced(found, values, where, depth + 1, is_last=is_last)


def _overlaid(value: Any, override: Any, key: str) -> Any:
    """A target's override on top of what is declared for all targets."""
    if isinstance(value, dict) and isinstance(override, dict):
        keys = [*value, *(k for k in override if k not in value)]
        return {
            k: _overlaid(value[k], override[k], k)
            if k in value and k in override
            else override.get(k, value.get(k))
            for k in keys
        }
    if isinstance(value, list) and isinstance(override, list) and key in MERGED_BY:
        name = MERGED_BY[key]
        known = {entry[name]: entry for entry in value}
        for entry in override:
            known[entry[name]] = _overlaid(known.get(entry[name], {}), entry, "")
        return list(known.values())
    return override


def _merge(bundle: dict[str, Any], part: dict[str, Any], name: str) -> None:
    for kind, resources in part.get("resources", {}).items():
        known = bundle.setdefault("resources", {}).setdefault(kind, {})
        for key, resource in resources.items():
            if key in known:
                raise BundleError(f"{name}: {kind}.{key} is defined twice")
            known[key] = resource
    for target, override in part.get("targets", {}).items():
        if target not in bundle.get("targets", {}):
            raise BundleError(f"{name}: there is no target {target!r}")
        bundle["targets"][target] = _overlaid(bundle["targets"][target] or {}, override, "")


def read_file(path: Path) -> dict[str, Any]:
    """Read a YAML file.

    Raises:
        BundleError: it is missing or holds something else.
    """
    try:
        return dict(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER))
    except (OSError, yaml.YAMLError, TypeError, ValueError) as error:
        raise BundleError(f"{path.name}: {error}") from error
