"""Presets: what a target's mode does to names and schedules, as the Databricks CLI does it.

Development mode puts `dev_<you>_` in front of schemas and registered models, `[dev <you>]` in front
of jobs, and pauses schedules. Volumes keep their names, as their schema is the developer's own.
"""

import re
from typing import Any

PREFIXED = ("schemas", "registered_models")


def apply_presets(bundle: dict[str, Any], short_name: str) -> None:
    """Rename and pause what the target's mode and presets say, in place."""
    is_development = bundle.get("mode") == "development"
    given = bundle.get("presets", {})
    prefix = given.get("name_prefix", f"[dev {short_name}] " if is_development else "")
    resources = bundle.get("resources", {})
    for job in resources.get("jobs", {}).values():
        job["name"] = f"{prefix}{job['name']}"
        if is_development and "schedule" in job:
            job["schedule"]["pause_status"] = "PAUSED"
    for kind in PREFIXED:
        for resource in resources.get(kind, {}).values():
            resource["name"] = f"{normalised(prefix)}{resource['name']}"


def normalised(prefix: str) -> str:
    """`[dev jane] ` as part of a name: `dev_jane_`."""
    return re.sub(r"[^a-z0-9]+", "_", prefix.strip().replace("[", "").lower())
