"""The stand-in as a whole: a workspace on a free port of loopback, gone when the block ends."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from finance_assets_tests.databricks.app import Api
from finance_assets_tests.databricks.catalog import ME
from finance_assets_tests.databricks.faults import FaultyApp
from finance_assets_tests.databricks.jobs import Jobs
from finance_assets_tests.databricks.tasks import Cluster
from finance_assets_tests.jvm import fetch_jars

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Workspace:
    """A running stand-in."""

    url: str
    token: str
    root: Path
    jobs: Jobs
    api: Api
    front: FaultyApp

    def reset(self) -> None:
        """No faults, no habits; Unity Catalog as it was in the beginning."""
        self.front.faults.clear()
        self.front.requests.clear()
        self.api.catalog.reset()
        self.jobs.startup_seconds, self.jobs.own_retries = 0.0, 0
        self.jobs.run_as = None
        self.jobs.cluster.linger_seconds, self.jobs.cluster.flush_seconds = 0.0, None
        self.jobs.compute.__init__()

    def token_of(self, user: str) -> str:
        """The token of a user, who is made if need be."""
        return self.jobs.cluster.tokens.setdefault(user, "dapi" + secrets.token_hex(16))

    def settled(self, seconds: float = 10.0) -> list[str]:
        """Names of the runs that still go on, after those that are about to end had time to."""
        until = time.monotonic() + seconds
        while self.jobs.active and time.monotonic() < until:
            time.sleep(0.05)
        return [run.name for run in self.jobs.active]

    def kill(self) -> None:
        """End every run and its processes."""
        for run in self.jobs.active:
            self.jobs.forget(run.run_id)
        self.settled()

    def environment(self, **more: str) -> dict[str, str]:
        """What a user would have in the environment to work with it."""
        volume = "/Volumes/main/finance_assets/runs"
        return {
            "DATABRICKS_HOST": self.url,
            "DATABRICKS_TOKEN": self.token,
            "DATABRICKS_CONFIG_FILE": str(self.root / "no-profile"),
            "FINANCE_ASSETS_COMPUTE": "databricks",
            "FINANCE_ASSETS_DATABRICKS_VOLUME": volume,
            "FINANCE_ASSETS_DATABRICKS_STORAGE": str(self.root / "storage"),
            "FINANCE_ASSETS_DATABRICKS_POLL_SECONDS": "0.2",
            "FINANCE_ASSETS_MLFLOW_EXPERIMENT_PREFIX": "/Shared/finance_assets/",
            "FINANCE_ASSETS_MLFLOW_REGISTRY_URI": "databricks-uc",
            "FINANCE_ASSETS_MLFLOW_MODEL_PREFIX": "main.finance_assets.",
            **more,
        }


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def workspace(
    root: Path, mlflow: bool = True, startup_seconds: float = 0.0, has_catalog: bool = False
) -> Iterator[Workspace]:
    """Serve a workspace whose state lies under `root`.

    `has_catalog`: with an engine whose tables have names (Spark with Delta on the JVM) instead of
    the embedded one, whose tables lie in folders. The catalog is `spark_catalog`, its tables lie
    under `warehouse`.
    """
    (root / "storage").mkdir()
    (root / "workspace").mkdir()
    port, token = free_port(), "dapi" + secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}"
    with (
        _engine(JVM if has_catalog else SAIL, root) as session,
        _mlflow(root, mlflow) as mlflow_url,
    ):
        cluster = Cluster(
            root,
            {
                "SPARK_REMOTE": session,
                "DATABRICKS_HOST": url,
                "DATABRICKS_CONFIG_FILE": str(root / "no-profile"),
                "MLFLOW_DISABLE_TELEMETRY": "true",
            },
            {ME: token},
            knows_users=not has_catalog,
        )
        jobs = Jobs(cluster, startup_seconds)
        api = Api(root, jobs, mlflow_url)
        front = FaultyApp(api.app())
        served = Workspace(url, token, root, jobs, api, front)
        config = uvicorn.Config(
            front, host="127.0.0.1", port=port, log_level="critical", date_header=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield served
        finally:
            served.kill()
            cluster.close()
            server.should_exit = True
            thread.join(10)


SAIL = """
import os, sys, time
os.environ.setdefault("RUST_LOG", "error")
from pysail.spark import SparkConnectServer
server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
print(server.listening_address[1], flush=True)
sys.stdin.read()
"""


# Spark's own Connect server, as a plugin of a session with Delta.
JVM = """
import sys
from pathlib import Path
from pyspark.sql import SparkSession
from finance_assets.compute.sessions import session_config
from finance_assets.settings import Engine, Settings
port, root = sys.argv[1:]
builder = SparkSession.builder
for key, value in session_config(Settings(engine=Engine.spark, home=Path(root))).items():
    builder = builder.config(key, value)
builder = builder.config("spark.plugins", "org.apache.spark.sql.connect.SparkConnectPlugin")
builder = builder.config("spark.connect.grpc.binding.address", "127.0.0.1")
builder = builder.config("spark.connect.grpc.binding.port", port)
builder = builder.config("spark.sql.warehouse.dir", str(Path(root, "warehouse")))
builder.getOrCreate()
print(port, flush=True)
sys.stdin.read()
"""


@contextmanager
def _engine(program: str, root: Path) -> Iterator[str]:
    """The cluster's engine: a Spark Connect server in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "FINANCE_ASSETS_"))}
    environment = {**kept, "PYTHONPATH": str(REPOSITORY)}
    if program == JVM:
        fetch_jars(environment)
    with (root / "engine.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(free_port()), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=root,
            env=environment,
            start_new_session=True,
        )
    try:
        told = process.stdout.readline().strip()
        assert told, (root / "engine.log").read_text()[-3000:]
        yield f"sc://127.0.0.1:{told}"
    finally:
        # A JVM is a child of its own.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _mlflow(root: Path, is_wanted: bool) -> Iterator[str | None]:
    """A real MLflow server, to which the workspace hands MLflow's API on."""
    if not is_wanted:
        yield None
        return
    port = free_port()
    folder = root / "mlflow"
    folder.mkdir()
    program = Path(sys.executable).with_name("mlflow")
    command = [program, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--no-serve-artifacts", "--default-artifact-root", (folder / "artifacts").as_uri()]
    # Its workers for jobs of its own are eight processes that nobody here has work for.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=environment
        )
    try:
        _await(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await(url: str, process: subprocess.Popen) -> None:
    for _ in range(240):
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"{url} did not answer")
