"""Artifacts: copies of what MLflow keeps of a run or a registered version.

Which versions there are is registry.py's business; what their files must be, model_files.py's.
"""

import os
import shutil
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Artifacts:
    """What lies in the store at `tracking_uri`. Nothing is asked of it before the first call.

    What is copied is there as long as this object, and is not copied again but for a reason.

    Raises:
        MlflowException, OSError: what is asked for is not there, or the store does not answer.
    """

    tracking_uri: str
    registry_uri: str | None = None

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client, with the process pointed at the same store."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        import mlflow

        _require_database(self.tracking_uri)
        mlflow.set_tracking_uri(self.tracking_uri)
        if self.registry_uri:
            mlflow.set_registry_uri(self.registry_uri)
        elif not self.tracking_uri.startswith("databricks"):
            # Another registry of this process may have pointed mlflow elsewhere.
            mlflow.set_registry_uri(self.tracking_uri)
        return mlflow.MlflowClient()

    def of_version(self, name: str, number: str) -> Path:
        """The folder of a registered version's model."""
        uri = f"models:/{name}/{number}"
        return self._kept(uri, partial(self._copied, uri))

    def of_run(self, run_id: str, place: str) -> Path:
        """A file or folder of a run.

        Not by MLflow's own `runs:/`: that searches all models of the experiment as well, and calls
        whatever goes wrong missing.
        """
        return self._kept(f"{run_id}/{place}", partial(self._copied_of_run, run_id, place))

    def forget(self, run_id: str, place: str) -> None:
        """Copy a folder of a run anew when it is asked for next: something was added."""
        self._known.pop(f"{run_id}/{place}", None)

    @contextmanager
    def believed(self) -> Iterator[None]:
        """A block that looks at copies. What is wrong with one may be mended before the next look,
        which gets another.
        """
        try:
            yield
        except Exception:
            self._known.clear()
            raise

    def _kept(self, name: str, copied: Callable[[], Path]) -> Path:
        """The copy by a name; made anew if somebody cleaned up the machine's temporary files."""
        known = self._known.get(name)
        if known is None or not known.exists():
            known = self._known[name] = copied()
        return known

    def _copied_of_run(self, run_id: str, place: str) -> Path:
        uri = _append_to(self._root(run_id), place)
        try:
            return self._copied(uri)
        except Exception as error:
            # Each kind of store has words of its own for what is not there.
            if self._has(run_id, place):
                raise
            raise FileNotFoundError(f"No such artifact of the run: {place}") from error

    def _has(self, run_id: str, place: str) -> bool:
        folder, _, _ = place.rpartition("/")
        listed = self.client.list_artifacts(run_id, folder or None)
        return place in {one.path for one in listed}

    def _root(self, run_id: str) -> str:
        """Where the artifacts of a run lie."""
        if run_id not in self._roots:
            self._roots[run_id] = _of_profile(
                str(self.client.get_run(run_id).info.artifact_uri), self.tracking_uri
            )
        return self._roots[run_id]

    def _copied(self, uri: str) -> Path:
        import mlflow

        self.client  # noqa: B018 - points mlflow at the store
        Path(self._copies).mkdir(exist_ok=True)
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=mkdtemp(dir=self._copies)))

    @cached_property
    def _known(self) -> dict[str, Path]:
        """The copies by the name of what they are of."""
        return {}

    @cached_property
    def _roots(self) -> dict[str, str]:
        """Where the artifacts lie of runs that were asked for before."""
        return {}

    @cached_property
    def _copies(self) -> str:
        """The folder of all copies. MLflow by itself makes one for each, and leaves it for ever."""
        folder = mkdtemp(prefix="finance_assets_")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder


def _append_to(root: str, place: str) -> str:
    """The URI of a place below another URI, which may end with a query."""
    from mlflow.utils.uri import append_to_uri_path

    return str(append_to_uri_path(root, place))


def _of_profile(uri: str, tracking_uri: str) -> str:
    """The URI with the profile that knows the workspace, where it is one of a workspace."""
    from mlflow.utils.uri import add_databricks_profile_info_to_artifact_uri

    return str(add_databricks_profile_info_to_artifact_uri(uri, tracking_uri))


def _require_database(uri: str) -> None:
    """Look into a store that is a file: MLflow asks one that is damaged for minutes before it says.

    Raises:
        sqlite3.DatabaseError: it is no database.
    """
    path = Path(uri.removeprefix(SQLITE))
    if uri.startswith(SQLITE) and path.is_file():
        # One that others hold is MLflow's to wait for.
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, timeout=0)) as store:
            store.execute("PRAGMA schema_version")
