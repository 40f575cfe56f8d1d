"""Checks of data and rights: clock, catalog, schemas, volumes, experiments, model registry."""

import io
import time
import uuid
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath

from finance_assets.compute.databricks.examination import Ailment, Check, Examination
from finance_assets.compute.databricks.rights import VOLUMES

# Signed tokens and upload links are refused when clocks differ by minutes.
MAX_SKEW_SECONDS = 60
ALL = "ALL_PRIVILEGES"
FOLDER = "set FINANCE_ASSETS_MLFLOW_EXPERIMENT_PREFIX to /Users/<you>/finance_assets/"
IN_GROUP = "deploy the bundle, and see that you are in the group of your role"
PREREQUISITES = "docs/databricks/prerequisites.md has the commands"


def clock(subject: Examination) -> str:
    """Our clock is the workspace's."""
    path = "/api/2.0/preview/scim/v2/Me"
    answer = subject.client.api_client.do("GET", path, response_headers=["date"])
    told = dict(answer).get("date")  # type: ignore[arg-type]
    if not told:
        return "the workspace does not say what time it is"
    skew = time.time() - parsedate_to_datetime(str(told)).timestamp()
    if abs(skew) > MAX_SKEW_SECONDS:
        raise Ailment(
            f"our clock is {skew:+.0f} s from the workspace's",
            "set the clock (NTP) of this machine",
        )
    return f"{skew:+.0f} s from the workspace's"


def catalog(subject: Examination) -> str:
    """The catalog is there, and may be used."""
    name = subject.settings.catalog
    if not name:
        return "none: tables lie in folders, which only tests do on Databricks"
    _require("catalogs", name, f"CREATE CATALOG {name}; {PREREQUISITES}", subject)
    owner = subject.client.catalogs.get(name).owner
    if owner not in subject.principals:
        _require_rights(subject, "catalog", name, {"USE_CATALOG"})
    return name


def schemas(subject: Examination) -> str:
    """Every layer has a schema in which our role may do its work, or that we may make."""
    if not subject.settings.catalog:
        return "none needed without a catalog"
    steps = [step for use_case in subject.use_cases for step in use_case.steps]
    for layer in dict.fromkeys(step.contract.layer for step in steps):
        name = f"{subject.settings.catalog}.{subject.settings.schema_prefix}{layer}"
        _table_schema(subject, name, set(subject.role.on_layer(layer)))
    return ", ".join(dict.fromkeys(step.contract.layer for step in steps))


def _table_schema(subject: Examination, name: str, needed: set[str]) -> None:
    from databricks.sdk.errors import NotFound

    try:
        owner = subject.client.schemas.get(name).owner
    except NotFound as error:
        above = str(subject.settings.catalog)
        may = subject.privileges("catalog", above)
        is_maker = "CREATE_TABLE" in needed
        if (is_maker and may & {"CREATE_SCHEMA", ALL}) or _owns_catalog(subject, above):
            return
        raise Ailment(
            f"the schema {name} does not exist, and we may not make it",
            f"deploy the bundle, or: CREATE SCHEMA {name}; {PREREQUISITES}",
        ) from error
    if owner not in subject.principals:
        _require_rights(subject, "schema", name, needed)


def _owns_catalog(subject: Examination, name: str) -> bool:
    return subject.client.catalogs.get(name).owner in subject.principals


def _require_rights(subject: Examination, kind: str, name: str, needed: set[str]) -> None:
    found = subject.privileges(kind, name)
    missing = set() if ALL in found else needed - found
    if missing:
        rights = ", ".join(sorted(right.replace("_", " ") for right in missing))
        raise Ailment(
            f"{name} grants neither to us nor to our groups: {rights}",
            f"GRANT {rights} ON {kind.upper()} {name} TO `<principal>`",
        )


def _require(kind: str, name: str, remedy: str, subject: Examination) -> None:
    from databricks.sdk.errors import NotFound, PermissionDenied

    ask = {
        "catalogs": subject.client.catalogs.get,
        "schemas": subject.client.schemas.get,
        "volumes": subject.client.volumes.read,
    }
    try:
        ask[kind](name)
    except (NotFound, PermissionDenied) as error:
        raise Ailment(f"there is no {kind[:-1]} {name}, or not for us", remedy) from error


def volumes(subject: Examination) -> str:
    """The volumes of runs, staging and landing are there."""
    found = []
    for place in _places(subject):
        parts = PurePosixPath(place).parts
        if len(parts) < 5:
            raise Ailment(
                f"{place} names no volume", "use /Volumes/<catalog>/<schema>/<volume>[/folder]"
            )
        name = ".".join(parts[2:5])
        _require("volumes", name, f"CREATE VOLUME {name}; {PREREQUISITES}", subject)
        found.append(name)
    return ", ".join(dict.fromkeys(found))


def _places(subject: Examination) -> list[str]:
    landing = str(subject.settings.landing or "")
    places = [subject.databricks.volume, subject.databricks.storage, landing]
    return [place for place in places if place.startswith("/Volumes")]


def write_access(subject: Examination) -> str:
    """A file can be written to the volumes of runs and staging, read back, and removed."""
    from databricks.sdk.errors import NotFound, PermissionDenied

    files = subject.client.files
    places = [p for p in _places(subject) if p != str(subject.settings.landing or "")]
    for place in places:
        probe = f"{place}/doctor-{uuid.uuid4().hex}"
        try:
            files.upload(probe, io.BytesIO(b"well"))
            answer = files.download(probe).contents
            read = answer.read() if answer else b""
            files.delete(probe)
        except (PermissionDenied, NotFound) as error:
            raise Ailment(f"{place} cannot be written to: {error}", _own(subject, place)) from error
        if read != b"well":
            raise Ailment(
                f"{place} does not give back what was written", "see the volume's storage"
            )
    return ", ".join(places)


def _own(subject: Examination, place: str) -> str:
    """What to do where a role cannot write: take its own volume, unless this is one."""
    parts, own = place.split("/")[2:5], subject.role.writes
    if parts[-1] in VOLUMES and parts[-1] not in own:
        return (
            "set FINANCE_ASSETS_DATABRICKS_VOLUME and FINANCE_ASSETS_DATABRICKS_STORAGE to your "
            f"role's volume, {' or '.join(own)}"
        )
    return f"GRANT READ VOLUME, WRITE VOLUME ON VOLUME {'.'.join(parts)} TO `<principal>`"


def experiments(subject: Examination) -> str:
    """The experiments are there and may be seen, or their folder is there or can be made."""
    from databricks.sdk.errors import NotFound, PermissionDenied

    prefix = subject.settings.mlflow_experiment_prefix
    if not prefix.startswith("/"):
        raise Ailment(f"{prefix!r} is no folder of the workspace", FOLDER)
    has_all = True
    for use_case in subject.use_cases:
        name = f"{prefix}{use_case.name}"
        try:
            subject.client.experiments.get_by_name(name)
        except PermissionDenied as error:
            raise Ailment(f"{name} may not be seen by us", IN_GROUP) from error
        except NotFound as error:
            # Whoever trains makes what is missing.
            if "CREATE_MODEL" not in subject.role.home:
                raise Ailment(f"there is no experiment {name}", IN_GROUP) from error
            has_all = False
    return (
        f"{prefix}<use case>" if has_all else _experiment_folder(subject, prefix.rpartition("/")[0])
    )


def _experiment_folder(subject: Examination, folder: str) -> str:
    from databricks.sdk.errors.base import DatabricksError
    from databricks.sdk.service.workspace import ObjectType

    try:
        subject.client.workspace.mkdirs(folder)
        kind = subject.client.workspace.get_status(folder).object_type
    except DatabricksError as error:
        raise Ailment(f"{folder} cannot be made: {error}", FOLDER) from error
    if kind is not ObjectType.DIRECTORY:
        raise Ailment(f"{folder} is no folder", FOLDER)
    return folder


def registry(subject: Examination) -> str:
    """Models can be registered, or read: by three names in Unity Catalog."""
    settings = subject.settings
    if settings.mlflow_registry_uri != "databricks-uc":
        return f"models go to {settings.mlflow_registry_uri or 'the tracking server'}"
    prefix = settings.mlflow_model_prefix
    if prefix.count(".") != 2 or not prefix.endswith("."):
        raise Ailment(
            f"{prefix!r} is not `<catalog>.<schema>.`, and Unity Catalog wants three names",
            "set FINANCE_ASSETS_MLFLOW_MODEL_PREFIX",
        )
    name = prefix.removesuffix(".")
    _require("schemas", name, f"CREATE SCHEMA {name}; {PREREQUISITES}", subject)
    if subject.client.schemas.get(name).owner not in subject.principals:
        _require_rights(subject, "schema", name, set(subject.role.home))
    return f"{prefix}<use case>"


DATA_CHECKS: dict[str, Check] = {
    "clock": clock,
    "catalog": catalog,
    "schemas": schemas,
    "volumes": volumes,
    "write access": write_access,
    "experiments": experiments,
    "model registry": registry,
}
