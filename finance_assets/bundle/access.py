"""Access: who may replace, run and see what a target deploys, and whether that can be changed
without editing the bundle.
"""

from collections.abc import Iterator
from typing import Any

from finance_assets.bundle.variables import resolve

PRINCIPALS = ("user_name", "group_name", "service_principal_name", "principal")
# What the CLI takes at the top level of a target; others belong to single resources.
LEVELS = ("CAN_MANAGE", "CAN_VIEW", "CAN_RUN")
SHARED = ("/Workspace/Shared", "/Shared")


def access_problems(bundle: dict[str, Any], target: str) -> Iterator[str]:
    """What lets people in, or locks them out."""
    resolved = resolve(bundle, target)
    if resolved.get("mode") == "production":
        yield from _production(resolved)
    for entry in resolved.get("permissions", []):
        if entry.get("level") not in LEVELS:
            yield f"permissions: {entry.get('level')} is no level for a whole bundle ({LEVELS})"
    for kind in ("schemas", "volumes"):
        for key, resource in resolved.get("resources", {}).get(kind, {}).items():
            names = [grant.get("principal") for grant in resource.get("grants", [])]
            if len(names) != len(set(names)):
                yield f"{kind}.{key}: one principal is granted to twice, of {names}"
    yield from (f"{where}: {who} is no variable" for where, who in _literals(bundle, target))


def _production(resolved: dict[str, Any]) -> Iterator[str]:
    if "run_as" not in resolved:
        yield "production has no run_as: it would run as whoever deployed it"
    if not resolved.get("permissions"):
        yield "production declares no permissions"
    yield from _ungranted(resolved)
    root = str(resolved.get("workspace", {}).get("root_path", ""))
    principal = str(resolved.get("run_as", {}).get("service_principal_name", ""))
    if root.startswith(SHARED):
        yield f"every user of the workspace could replace the wheel in {root}"
    elif not principal or f"/Users/{principal}/" not in root:
        yield f"root_path {root!r} is not in the folder of {principal or 'the service principal'}"


def _ungranted(resolved: dict[str, Any]) -> Iterator[str]:
    for key, schema in resolved.get("resources", {}).get("schemas", {}).items():
        if not schema.get("grants"):
            yield f"schemas.{key}: nobody but its owner may use it: grants are missing"


def _literals(bundle: dict[str, Any], target: str) -> Iterator[tuple[str, str]]:
    """Groups and principals that are written out instead of being variables."""
    chosen = bundle["targets"][target] or {}
    places = {
        "run_as": chosen.get("run_as", bundle.get("run_as", {})),
        "permissions": chosen.get("permissions", bundle.get("permissions", [])),
        "resources": [bundle.get("resources", {}), chosen.get("resources", {})],
    }
    for where, value in places.items():
        for who in _principals(value):
            if not who.startswith("${"):
                yield where, who


def _principals(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key in PRINCIPALS and isinstance(part, str):
                yield part
            else:
                yield from _principals(part)
    elif isinstance(value, list):
        for part in value:
            yield from _principals(part)
