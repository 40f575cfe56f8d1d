"""Tasks: what a run's task really is here, a process of its own with the uploaded code.

It is forked from a warm interpreter (warm.py); a script, as a cold cluster would, starts its own.

A wheel task gets the uploaded wheel, unpacked into a folder of its own in front of everything
else on its path; a file or notebook task runs the uploaded source. The "cluster" is an engine
that tasks reach as serverless tasks do: through the session that they find.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from finance_assets_tests.databricks.warm import Task, WarmInterpreter

FUSE = Path(__file__).parent / "fuse"

WHEEL = """
import sys
from importlib.metadata import distribution
folder, name = sys.argv[1:3]
sys.argv = [name, *sys.argv[3:]]
from importlib.metadata import distributions
[entry] = [e for d in distributions(path=[folder]) for e in d.entry_points if e.name == name]
import finance_assets
assert finance_assets.__file__.startswith(folder), finance_assets.__file__
import os, time
if os.environ["STANDIN_FLUSH"]:
    import finance_assets.compute.reporting
    finance_assets.compute.reporting.FLUSH_SECONDS = float(os.environ["STANDIN_FLUSH"])
if os.environ["STANDIN_USER"]:
    from pyspark.sql.connect.session import SparkSession
    asked, who = SparkSession.sql, "'" + os.environ["STANDIN_USER"] + "'"
    def sql(self, query, *given, **more):
        return asked(self, query.replace("current_user()", who), *given, **more)
    SparkSession.sql = sql
# The session that a cluster hands out need not live in UTC.
from pyspark.sql import SparkSession as Session
Session.builder.getOrCreate().conf.set("spark.sql.session.timeZone", "America/Sao_Paulo")
try:
    entry.load()()
except BaseException:
    time.sleep(float(os.environ["STANDIN_LINGER"]))
    raise
"""

NOTEBOOK = """
import json, sys
path, given = sys.argv[1], json.loads(sys.argv[2])


class Widgets:
    def __init__(self):
        self.values = dict(given)

    def text(self, name, default, label=None):
        self.values.setdefault(name, default)

    def get(self, name):
        return self.values[name]


class Utilities:
    widgets = Widgets()


from pyspark.sql import SparkSession
source = open(path).read()
assert source.startswith("# Databricks notebook source"), path
names = {"dbutils": Utilities(), "spark": SparkSession.builder.getOrCreate(), "__name__": "__main__"}
for cell in source.split("# COMMAND ----------"):
    lines = [line for line in cell.splitlines() if not line.startswith("# MAGIC")]
    exec(compile("\\n".join(lines), path, "exec"), names)
"""


@dataclass
class Cluster:
    """Where tasks run: the volumes they see, the session they find, who they are."""

    root: Path
    environment: dict[str, str]
    # Of everybody that there is.
    tokens: dict[str, str]
    # Spark's own server takes everybody for the user it runs as: then its answer is replaced.
    knows_users: bool = True
    processes: dict[int, subprocess.Popen | Task] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # A failed task's process lives on for so long, as threads may hold it.
    linger_seconds: float = 0.0
    # Messages are written this often; the package's own value by default.
    flush_seconds: float | None = None

    @cached_property
    def warm(self) -> WarmInterpreter:
        """What tasks are forked from."""
        return WarmInterpreter(self._common, self.root / "warm.log")

    def close(self) -> None:
        """Let the warm interpreter go."""
        self.warm.close()

    @property
    def volumes(self) -> Path:
        """The folder that tasks see as /Volumes."""
        return self.root / "volumes"

    def local(self, path: str) -> Path:
        """The file behind a volume's or workspace's path."""
        if path.startswith("/Volumes/"):
            return self.volumes / path.removeprefix("/Volumes/")
        return self.root / "workspace" / path.lstrip("/")

    def start(
        self, run_id: int, task: dict, dependencies: list[str], user: str
    ) -> subprocess.Popen | Task:
        """Start the task's process, which acts as the user in the workspace and the engine."""
        wheels = [lib["whl"] for lib in task.get("libraries", []) if "whl" in lib]
        paths = [self.local(path) for path in [*wheels, *dependencies]]
        if "existing_cluster_id" in task:
            folders = [self._installed(task["existing_cluster_id"], path) for path in paths]
        else:
            folders = [self._unpacked(path) for path in paths]
        home = self.root / "tasks" / str(run_id)
        home.mkdir(parents=True)
        environment, output = self._environment(folders, user), (home / "stdout", home / "stderr")
        if "spark_python_task" in task:
            process = self._cold(task["spark_python_task"], home, environment)
        else:
            code, *given = self._program(task, folders)
            process = self.warm.start(code, given, home, environment, output)
        self.processes[run_id] = process
        return process

    def _cold(self, script: dict, home: Path, environment: dict[str, str]) -> subprocess.Popen:
        path = self.local(script["python_file"])
        with (home / "stdout").open("w") as out, (home / "stderr").open("w") as err:
            return subprocess.Popen(
                [sys.executable, str(path), *script.get("parameters", [])],
                cwd=home,
                env=environment,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def kill(self, run_id: int) -> None:
        """End a task and whatever it started."""
        process = self.processes.get(run_id)
        if process is not None and process.poll() is None:
            # It may have ended since.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def output(self, run_id: int) -> tuple[str, str, str]:
        """Logs, error and trace of a task."""
        home = self.root / "tasks" / str(run_id)
        logs = (home / "stdout").read_text() if (home / "stdout").exists() else ""
        errors = (home / "stderr").read_text() if (home / "stderr").exists() else ""
        start = errors.rfind("Traceback (most recent call last)")
        trace = errors[start:] if start >= 0 else ""
        known = re.findall(r"^[\w.]+(?:Error|Exception|Interrupt|Exit)\b.*$", trace, re.MULTILINE)
        return logs, (known[-1] if known else errors[-300:]), trace

    def _program(self, task: dict, folders: list[Path]) -> list[str]:
        """The code of a task and its arguments."""
        if "python_wheel_task" in task:
            wheel = task["python_wheel_task"]
            given = [*wheel.get("parameters", [])]
            given += [f"--{k}={v}" for k, v in wheel.get("named_parameters", {}).items()]
            return [WHEEL, str(folders[0]), wheel["entry_point"], *given]
        notebook = task["notebook_task"]
        path = self.local(notebook["notebook_path"] + ".py")
        return [NOTEBOOK, str(path), json.dumps(notebook.get("base_parameters", {}))]

    @property
    def _common(self) -> dict[str, str]:
        """What all tasks have; nothing of the orchestrator's own but the way to Python's files."""
        names = ["PATH", "LANG", "TZ", "JDK_JAVA_OPTIONS", "OMP_WAIT_POLICY"]
        # Another instruction set adds in another order: last digits of figures would differ.
        names += [name for name in os.environ if name.startswith("OPENBLAS_")]
        return {
            **{name: os.environ[name] for name in names if name in os.environ},
            **self.environment,
            "HOME": str(self.root),
            "PYTHONPATH": str(FUSE),
            "STANDIN_VOLUMES": str(self.volumes),
        }

    def _environment(self, folders: list[Path], user: str) -> dict[str, str]:
        path = os.pathsep.join(str(folder) for folder in (*folders, FUSE))
        return {
            **self._common,
            "DATABRICKS_TOKEN": self.tokens[user],
            "SPARK_REMOTE": f"{self.environment['SPARK_REMOTE']}/;user_id={user}",
            # Tasks compile an unpacked wheel once: its folder is its content's.
            "PYTHONPATH": path,
            "STANDIN_USER": "" if self.knows_users else user,
            "STANDIN_LINGER": str(self.linger_seconds),
            "STANDIN_FLUSH": "" if self.flush_seconds is None else str(self.flush_seconds),
        }

    def _installed(self, cluster_id: str, wheel: Path) -> Path:
        """The cluster's own libraries, with the wheel among them unless they have its version.

        As pip does it: what is there in the same version is not installed again, whatever is in it.
        """
        name, version, *_ = wheel.name.split("-")
        site = self.root / "clusters" / cluster_id
        with self._lock:
            if not (site / f"{name}-{version}.dist-info").exists():
                shutil.rmtree(site, ignore_errors=True)
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(site)
        return site

    def _unpacked(self, wheel: Path) -> Path:
        """The wheel's files, unpacked once for each content."""
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()[:16]
        folder = self.root / "environments" / digest
        if not folder.exists():
            part = folder.with_name(f"{digest}.{os.getpid()}.{id(wheel)}")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(part)
            try:
                part.rename(folder)
            except OSError:
                assert folder.exists()
        return folder
