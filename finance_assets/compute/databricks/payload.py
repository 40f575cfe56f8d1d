"""The payload: this package as a wheel, with the use cases that live in packages of one's own;
uploaded once for each state of the code.

One wheel holds all of it, so that whatever installs it (serverless, clusters, the bundle) needs
to know of one file. The same sources give the same bytes, and the folder on the volume is named
by their digest: what is there already is never sent again. Its version names its content as well:
pip leaves alone what it has in the same version, on a cluster that lives on. It asks for the
libraries of requirements.lock, so that a task runs with what was tested.
"""

import hashlib
import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.compute.databricks.workspace import patiently
from finance_assets.errors import SettingsError
from finance_assets.settings import DatabricksSettings
from finance_assets.use_cases import packed_folders

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ROOT = Path(__file__).parents[3]


def uploaded_wheel(
    client: "WorkspaceClient", settings: DatabricksSettings, packages: tuple[str, ...]
) -> str:
    """Path of the wheel on the volume, after it was sent if need be.

    Args:
        client: of the workspace.
        settings: the volume, and the wheel if one is given.
        packages: of use cases that are not in this package.

    Raises:
        SettingsError: there is nothing to build it from, or the given one lacks a use case.
    """
    if settings.wheel is not None:
        _require_use_cases(settings.wheel, packages)
    wheel = settings.wheel or build_wheel(packages)
    return _upload(client, settings, wheel, _digest(wheel))


def _require_use_cases(wheel: Path, packages: tuple[str, ...]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for package in packages:
        if not any(name.startswith(package.replace(".", "/") + "/") for name in names):
            raise SettingsError(
                f"{wheel.name} does not hold the use cases of {package}",
                where="FINANCE_ASSETS_DATABRICKS_WHEEL, FINANCE_ASSETS_USE_CASES",
                remedy="build it with `finance-assets bundle wheel`",
            )


def _upload(
    client: "WorkspaceClient", settings: DatabricksSettings, wheel: Path, digest: str
) -> str:
    from databricks.sdk.errors import NotFound

    folder = f"{settings.volume}/wheels/{digest[:16]}"
    target = f"{folder}/{wheel.name}"
    try:
        patiently(settings, lambda: client.files.get_metadata(target))
    except NotFound:
        patiently(settings, lambda: client.files.create_directory(folder))
        content = wheel.read_bytes()
        patiently(settings, lambda: _send(client, target, content))
    return target


def _send(client: "WorkspaceClient", target: str, content: bytes) -> None:
    import io

    client.files.upload(target, io.BytesIO(content), overwrite=True)


@lru_cache
def build_wheel(packages: tuple[str, ...] = ()) -> Path:
    """Build the wheel of this checkout, once in a process.

    Args:
        packages: of use cases that are not in this package; their code goes along.

    Raises:
        DeclarationError: one of the packages is not to be found.
        SettingsError: the package is not run from a checkout, so there is nothing to build.
    """
    if not (ROOT / "pyproject.toml").exists():
        raise SettingsError(
            "there is no checkout to build the wheel from",
            where=str(ROOT),
            remedy="set FINANCE_ASSETS_DATABRICKS_WHEEL to a wheel of this package",
        )
    packed = packed_folders(packages)
    # A letter first: of digits alone, pip would strip zeros.
    return _built(packed, f"+c{_digest(_built(packed))[:16]}")


def _built(packed: dict[str, Path], suffix: str = "") -> Path:
    from hatchling.builders.wheel import WheelBuilder

    folder = tempfile.mkdtemp(prefix="finance_assets_wheel_")
    # It goes with this very process, also with one that Dagster spawns for a run: `atexit` would
    # not be called there.
    Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=0)
    builder = WheelBuilder(str(ROOT), config=_project(packed, suffix))
    return Path(next(builder.build(directory=folder, versions=["standard"])))


def _project(packed: dict[str, Path], suffix: str) -> dict[str, object]:
    """pyproject.toml with the locked dependencies, with a suffix to its version, and with further
    folders to put into the wheel, by their place in it.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project["project"]["version"] += suffix
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project["project"]["dependencies"] = locked(project["project"]["dependencies"], lock)
    target = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    own = set(target["packages"])
    target["force-include"] = {str(at): name for name, at in packed.items() if name not in own}
    return project


def locked(dependencies: Sequence[str], lock: str) -> list[str]:
    """The dependencies as the lines of a lock pin them, each for the Pythons that it is for.

    Only these: what they need in turn, such as the clients of Databricks, the runtime brings.

    Raises:
        SettingsError: the lock does not pin one of them.
    """
    pinned: dict[str, list[str]] = {}
    for line in lock.splitlines():
        name, is_pin, _ = line.partition("==")
        if is_pin:
            pinned.setdefault(name, []).append(line)
    names = [re.split(r"[^A-Za-z0-9-]", dependency, maxsplit=1)[0] for dependency in dependencies]
    missing = [name for name in names if name not in pinned]
    if missing:
        raise SettingsError(
            f"{', '.join(missing)} is not locked",
            where=str(ROOT / "requirements.lock"),
            remedy="make lock",
        )
    return [line for name in names for line in pinned[name]]


def _digest(wheel: Path) -> str:
    return hashlib.sha256(wheel.read_bytes()).hexdigest()
