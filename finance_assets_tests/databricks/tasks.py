"""Tasks: what a run's task really is here, a process of its own with the uploaded code.

A wheel task gets the uploaded wheel, unpacked into a folder of its own in front of everything
else on its path; a file or notebook task runs the uploaded source. The "cluster" is an engine
that tasks reach as serverless tasks do: through the session that they find.
"""

import hashlib
import os
import re
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

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
    processes: dict[int, subprocess.Popen] = field(default_factory=dict)
    # A failed task's process lives on for so long, as threads may hold it.
    linger_seconds: float = 0.0
    # Messages are written this often; the package's own value by default.
    flush_seconds: float | None = None

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
    ) -> subprocess.Popen:
        """Start the task's process, which acts as the user in the workspace and the engine."""
        wheels = [lib["whl"] for lib in task.get("libraries", []) if "whl" in lib]
        folders = [self._unpacked(self.local(path)) for path in [*wheels, *dependencies]]
        home = self.root / "tasks" / str(run_id)
        home.mkdir(parents=True)
        with (home / "stdout").open("w") as out, (home / "stderr").open("w") as err:
            process = subprocess.Popen(
                self._command(task, folders),
                cwd=home,
                env=self._environment(folders, user),
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.processes[run_id] = process
        return process

    def kill(self, run_id: int) -> None:
        """End a task and whatever it started."""
        process = self.processes.get(run_id)
        if process is not None and process.poll() is None:
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

    def _command(self, task: dict, folders: list[Path]) -> list[str]:
        if "python_wheel_task" in task:
            wheel = task["python_wheel_task"]
            given = [*wheel.get("parameters", [])]
            given += [f"--{k}={v}" for k, v in wheel.get("named_parameters", {}).items()]
            name = wheel["entry_point"]
            return [sys.executable, "-c", WHEEL, str(folders[0]), name, *given]
        if "notebook_task" in task:
            import json

            notebook = task["notebook_task"]
            path = self.local(notebook["notebook_path"] + ".py")
            given = json.dumps(notebook.get("base_parameters", {}))
            return [sys.executable, "-c", NOTEBOOK, str(path), given]
        script = task["spark_python_task"]
        path = self.local(script["python_file"])
        return [sys.executable, str(path), *script.get("parameters", [])]

    def _environment(self, folders: list[Path], user: str) -> dict[str, str]:
        """Nothing of the orchestrator's own environment but the way to Python's files."""
        names = ("PATH", "LANG", "TZ", "JDK_JAVA_OPTIONS", "OMP_WAIT_POLICY")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        path = os.pathsep.join(str(folder) for folder in (*folders, FUSE))
        return {
            **kept,
            **self.environment,
            "DATABRICKS_TOKEN": self.tokens[user],
            "SPARK_REMOTE": f"{self.environment['SPARK_REMOTE']}/;user_id={user}",
            "HOME": str(self.root),
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "STANDIN_USER": "" if self.knows_users else user,
            "STANDIN_VOLUMES": str(self.volumes),
            "STANDIN_LINGER": str(self.linger_seconds),
            "STANDIN_FLUSH": "" if self.flush_seconds is None else str(self.flush_seconds),
        }

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
