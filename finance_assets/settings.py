"""Typed settings, read from the environment once and validated at the edge.

Everything that differs between a laptop and a workspace belongs here; thresholds and rules of
a use case do not (they live with the use case).
"""

import os
import re
import subprocess
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, PositiveInt, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from finance_assets.errors import SettingsError

# A number of days; None, written `forever`, is no end.
Days = Annotated[PositiveInt | None, BeforeValidator(lambda d: None if d == "forever" else d)]
PLAIN_PATH = re.compile(r"[!$&'()*+,\-./0-9:;=@A-Z\]^_a-z|~]*")

# What a new home's Dagster instance is configured with.
DAGSTER_YAML = Path(__file__).parent / "assets" / "dagster.yaml"


class Environment(StrEnum):
    """Where this deployment stands on its way to production."""

    dev = "dev"
    staging = "staging"
    prod = "prod"


class Engine(StrEnum):
    """What executes the Spark plans of a step: Sail, a local JVM, or the session that the
    process was given (a task on Databricks).
    """

    sail = "sail"
    spark = "spark"
    cluster = "cluster"


class Compute(StrEnum):
    """Where the steps of a Dagster run are executed."""

    local = "local"
    databricks = "databricks"


class Shape(StrEnum):
    """What kind of Databricks compute a step gets."""

    serverless = "serverless"
    job_cluster = "job_cluster"
    existing_cluster = "existing_cluster"


class DatabricksSettings(BaseSettings):
    """Where and how steps run on Databricks; the variable is FINANCE_ASSETS_DATABRICKS_<NAME>.

    Credentials are not settings: databricks-sdk's unified authentication finds host and
    credentials (environment, profile, OIDC) by itself. Times are seconds.
    """

    model_config = SettingsConfigDict(
        env_prefix="FINANCE_ASSETS_DATABRICKS_", env_file=".env", extra="ignore"
    )

    shape: Shape = Shape.serverless
    volume: str = "/Volumes/main/finance_assets/runs"
    storage: str = "/Volumes/main/finance_assets/staging"
    wheel: Path | None = None
    environment_version: str = "4"
    cluster_id: str | None = None
    spark_version: str = "18.3.x-scala2.13"
    node_type_id: str = "m5d.large"
    policy_id: str | None = None
    min_workers: int = 1
    max_workers: int = 4
    is_spot: bool = True
    poll_seconds: float = 5.0
    api_limit_seconds: int = 300
    cancel_limit_seconds: int = 120
    is_grouped: bool = False


class Settings(BaseSettings):
    """All settings; the environment variable is FINANCE_ASSETS_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="FINANCE_ASSETS_", env_file=".env", extra="ignore")

    env: Environment = Environment.dev
    engine: Engine = Engine.sail
    compute: Compute = Compute.local
    storage: Path | None = None
    catalog: str | None = None
    schema_prefix: str = ""
    home: Path = Path(".finance_assets")
    landing: Path | None = None
    archive: Path | None = None
    archive_days: Days = None
    git_sha: str | None = None
    mlflow_tracking_uri: str | None = None
    mlflow_registry_uri: str | None = None
    mlflow_experiment_prefix: str = ""
    mlflow_model_prefix: str = ""
    mlflow_ui_url: str = "http://127.0.0.1:5000"
    publish_attempts: int = 8
    sensor_interval_seconds: int = 30
    alert_urls: SecretStr = SecretStr("")
    dagster_ui_url: str = "http://127.0.0.1:3000"
    runbook_url: str = "docs/runbook/README.md"
    search: bool = False
    use_cases: str = ""
    last_partitions: str = ""

    @cached_property
    def root(self) -> Path:
        """`home`, absolute: Dagster and the engine may run with other working directories."""
        return self.home.expanduser().resolve()

    @property
    def use_case_packages(self) -> tuple[str, ...]:
        """Packages of use cases beside the shipped ones, each once, in the order of their names."""
        return tuple(sorted({name.strip() for name in self.use_cases.split(",")} - {""}))

    @property
    def calendar_ends(self) -> dict[str, str]:
        """Where calendars shall end, by use case: `last_partitions`, as `name=partition, …`."""
        pairs = (pair.partition("=") for pair in self.last_partitions.split(",") if pair.strip())
        return {name.strip(): last.strip() for name, _, last in pairs}

    def last_partition(self, use_case: str, declared: str) -> str:
        """Where the calendar of a use case ends: as set, for what came after data that ship."""
        return self.calendar_ends.get(use_case, declared)

    @property
    def lakehouse_root(self) -> Path:
        """Folder of the Delta tables: `<layer>/<entity>`."""
        return self.storage or self.root / "lakehouse"

    @property
    def archive_root(self) -> Path:
        """Folder of the accepted deliveries: as set, else beside what is staged, or under `home`.

        The home of a task on Databricks goes with its compute, so there it must be the volume.
        """
        if self.archive is not None:
            return self.archive.expanduser().resolve()
        return (self.storage or self.root) / "deliveries"

    @property
    def dagster_home(self) -> Path:
        """Folder of the Dagster instance that `run`, `status` and `make dev` share."""
        return self.root / "dagster"

    @property
    def tracking_uri(self) -> str:
        """MLflow store: as set, else a SQLite file under `home`."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.root / 'mlflow' / 'mlflow.db'}"

    @property
    def artifact_root(self) -> str | None:
        """Where a local MLflow store puts artifacts; a remote store decides for itself."""
        return None if self.mlflow_tracking_uri else (self.root / "mlflow" / "artifacts").as_uri()

    @cached_property
    def databricks(self) -> DatabricksSettings:
        """How steps run on Databricks."""
        return DatabricksSettings()

    @cached_property
    def code_sha(self) -> str:
        """Git commit of the running code: as set, else asked of git, else 'unknown'."""
        return self.git_sha or _git_sha() or "unknown"

    def prepare_home(self) -> None:
        """Create the state folders and point Dagster at its own."""
        for folder in (self.lakehouse_root, self.dagster_home, self.root / "mlflow"):
            folder.mkdir(parents=True, exist_ok=True)
        config = self.dagster_home / "dagster.yaml"
        if not config.exists():
            config.write_bytes(DAGSTER_YAML.read_bytes())
        os.environ["DAGSTER_HOME"] = str(self.dagster_home)
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
        # Read when OpenMP is loaded: threads that wait for work must not keep the cores busy.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _git_sha() -> str | None:
    """The commit of the checkout this package lies in, no tag, '-dirty' when it has changes."""
    how = ["describe", "--always", "--exclude=*", "--dirty", "--abbrev=12"]
    command = ["git", "-C", str(Path(__file__).parent), *how]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


@lru_cache
def get_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: an environment variable holds a value that its setting does not take.
    """
    try:
        settings = Settings()
        # Read now, so that a wrong value is said at the edge and not in the middle of a run.
        settings.databricks  # noqa: B018
    except ValidationError as error:
        first = error.errors()[0]
        part = "DATABRICKS_" if error.title == DatabricksSettings.__name__ else ""
        raise SettingsError(
            f"{first['msg']} (got {first['input']!r})",
            where=f"FINANCE_ASSETS_{part}{str(first['loc'][0]).upper()}",
            remedy="correct the variable; .env.example lists them all with their values",
        ) from error
    _require_catalog(settings)
    _require_plain_path(settings)
    return settings


def _require_catalog(settings: Settings) -> None:
    """Refuse tables in a volume: Delta tables cannot lie there."""
    is_remote = settings.compute is Compute.databricks
    storage = settings.databricks.storage if is_remote else str(settings.storage or "")
    if storage.startswith("/Volumes") and not settings.catalog:
        raise SettingsError(
            f"without a catalog the tables would lie in {storage}, and tables cannot lie in a "
            "volume",
            where=f"FINANCE_ASSETS_CATALOG, FINANCE_ASSETS_{'DATABRICKS_' * is_remote}STORAGE",
            remedy="name the catalog of the tables; the volume is then for what is staged",
        )


def _require_plain_path(settings: Settings) -> None:
    """Refuse a folder of tables that Sail would not find: 0.7.2 writes `a b` as `a%20b`."""
    folder = str(settings.lakehouse_root)
    if settings.engine is Engine.sail and not PLAIN_PATH.fullmatch(folder):
        raise SettingsError(
            f"the embedded engine cannot keep tables in {folder!r}",
            where="FINANCE_ASSETS_HOME, FINANCE_ASSETS_STORAGE",
            remedy="choose a folder whose path has no blanks, letters beyond ASCII, or any of "
            "[ { } # % in it, such as ~/finance_assets_home",
        )
