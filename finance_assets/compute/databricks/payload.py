"""The payload: this package as a wheel, uploaded once for each state of the code.

The same sources give the same bytes, and the folder on the volume is named by their digest: what
is there already is never sent again.
"""

import hashlib
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.compute.databricks.workspace import patiently
from finance_assets.errors import SettingsError
from finance_assets.settings import DatabricksSettings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ROOT = Path(__file__).parents[3]


def uploaded_wheel(client: "WorkspaceClient", settings: DatabricksSettings) -> str:
    """Path of the wheel on the volume, after it was sent if need be."""
    wheel = settings.wheel or build_wheel()
    return _upload(client, settings, wheel, _digest(wheel))


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
def build_wheel() -> Path:
    """Build the wheel of this checkout, once in a process.

    Raises:
        SettingsError: the package is not run from a checkout, so there is nothing to build.
    """
    if not (ROOT / "pyproject.toml").exists():
        raise SettingsError(
            "there is no checkout to build the wheel from",
            where=str(ROOT),
            remedy="set FINANCE_ASSETS_DATABRICKS_WHEEL to a wheel of this package",
        )
    from hatchling.builders.wheel import WheelBuilder

    folder = tempfile.mkdtemp(prefix="finance_assets_wheel_")
    return Path(next(WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"])))


def _digest(wheel: Path) -> str:
    return hashlib.sha256(wheel.read_bytes()).hexdigest()
