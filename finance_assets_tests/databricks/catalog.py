"""Unity Catalog and the workspace's folders: what there is, and who may do what.

A principal has only what was granted; a volume is there only once it was made; an MLflow
experiment needs its parent folder. Stricter than an administrator's workspace, never kinder.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from finance_assets.compute.databricks.rights import VOLUMES
from finance_assets_tests.databricks.errors import ApiError

ME = "somebody@example.com"
# Who sends the request that is being answered.
CALLER: ContextVar[str] = ContextVar("CALLER", default=ME)
HOMES = ("/Shared", f"/Users/{ME}")
PARENTS = {"schemas": "catalogs", "volumes": "schemas", "registered_models": "schemas"}


@dataclass
class Catalog:
    """Unity Catalog's objects by kind and full name, and the privileges of the one principal."""

    volumes_root: Path
    objects: dict[str, dict[str, dict]] = field(default_factory=dict)
    granted: dict[str, set[str]] = field(default_factory=dict)
    read_only: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """A workspace as an administrator prepared it: catalog, schema and volumes."""
        self.reset()

    def reset(self) -> None:
        """As it was in the beginning; volumes keep their files."""
        self.granted = {"main": {"USE_CATALOG", "CREATE_SCHEMA"}}
        self.read_only.clear()
        self.objects = {"catalogs": {"main": {"name": "main", "owner": "admins"}}}
        self.create("schemas", {"catalog_name": "main", "name": "finance_assets"})
        for name in VOLUMES:
            place = {"catalog_name": "main", "schema_name": "finance_assets"}
            self.create("volumes", {**place, "name": name})

    def known(self, kind: str) -> dict[str, dict]:
        """Objects of a kind by full name."""
        return self.objects.setdefault(kind, {})

    def create(self, kind: str, body: dict) -> dict:
        """Make an object, where its parent is and the right is given."""
        parts = [body.get("catalog_name"), body.get("schema_name"), body["name"]]
        parent, name = (".".join(p for p in some if p) for some in (parts[:-1], parts))
        if kind in PARENTS and parent not in self.known(PARENTS[kind]):
            raise ApiError(404, f"{PARENTS[kind][:-1].upper()}_DOES_NOT_EXIST", parent)
        if kind == "schemas" and "CREATE_SCHEMA" not in self.granted.get(parent, set()):
            raise ApiError(403, "PERMISSION_DENIED", f"no CREATE SCHEMA on {parent}")
        if name in self.known(kind):
            raise ApiError(409, "RESOURCE_ALREADY_EXISTS", f"{kind} {name} exists")
        self.known(kind)[name] = {**body, "full_name": name, "owner": ME}
        self.granted.setdefault(name, set()).add("ALL_PRIVILEGES")
        if kind == "volumes":
            self.volumes_root.joinpath(*parts).mkdir(parents=True, exist_ok=True)
        return self.known(kind)[name]

    def get(self, kind: str, name: str) -> dict:
        """An object."""
        if name not in self.known(kind):
            raise ApiError(404, "NOT_FOUND", f"{kind} {name}")
        return self.known(kind)[name]

    def delete(self, kind: str, name: str) -> dict:
        """Take an object away."""
        self.get(kind, name)
        del self.known(kind)[name]
        return {}

    def privileges(self, name: str) -> dict:
        """Effective privileges on an object, those of its parents among them."""
        parts = name.split(".")
        above = [".".join(parts[: i + 1]) for i in range(len(parts))]
        found = sorted({p for place in above for p in self.granted.get(place, set())})
        given = {"principal": ME, "privileges": [{"privilege": p} for p in found]}
        return {"privilege_assignments": [given]}

    def require_volume(self, path: str, *, write: bool) -> None:
        """Refuse a path on a volume that there is not, or may not be written to."""
        parts = PurePosixPath(path).parts
        if parts[1] != "Volumes":
            return
        name = ".".join(parts[2:5])
        if name not in self.known("volumes"):
            raise ApiError(404, "NOT_FOUND", f"Volume {name} does not exist.")
        if write and name in self.read_only:
            raise ApiError(403, "PERMISSION_DENIED", f"no WRITE VOLUME on {name}")


def require_home(path: str) -> None:
    """Refuse a folder that a person may not make: outside of their own and the shared one."""
    plain = path.removeprefix("/Workspace")
    if not any(f"{plain}/".startswith(f"{home}/") for home in HOMES):
        raise ApiError(403, "PERMISSION_DENIED", f"you may not write to {path}")
