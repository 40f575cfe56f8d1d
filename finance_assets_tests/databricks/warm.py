"""A warm interpreter: tasks are forked from a process that has imported the libraries already.

As a workspace's serverless compute does it. A task is a process of its own, with its own
environment, working directory and output; the project's code is in none until a task imports it
from its own wheel. Only what it imports from others, three seconds of work, is there from the
beginning.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

# Of nobody's code but the libraries', and none that starts threads when it is imported.
LIBRARIES = (
    *("pandas", "pyarrow.parquet", "pyarrow.dataset", "deltalake", "scipy.stats", "sqlglot"),
    *("mlflow", "mlflow.tracking", "mlflow.models", "mlflow.xgboost", "xgboost"),
    *("pyspark.sql.connect.session", "pyspark.sql.connect.functions", "pydantic_settings"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "dagster_pipes", "tenacity"),
    *("sklearn.linear_model", "databricks.sdk"),
)

# A line asks for a task; lines say that it has started, and how it ended.
SERVER = """
import gc, importlib, json, os, select, signal, sys

gc.disable()
for name in sys.argv[1:]:
    importlib.import_module(name)
gc.freeze()
gc.enable()


def tell(**what):
    os.write(1, (json.dumps(what) + "\\n").encode())


def next_task():
    # In a child: what it has to run. In the parent: nothing, once nobody asks any more.
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writable)
    asked, ids = b"", {}
    while True:
        ready, _, _ = select.select([0, readable], [], [])
        if readable in ready:
            os.read(readable, 4096)
            while ids:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                tell(id=ids.pop(pid), code=os.waitstatus_to_exitcode(status))
        if 0 not in ready:
            continue
        part = os.read(0, 65536)
        if not part:
            return None
        *lines, asked = (asked + part).split(b"\\n")
        for task in map(json.loads, lines):
            pid = os.fork()
            if pid == 0:
                os.setpgid(0, 0)
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.close(readable), os.close(writable)
                return task
            try:
                os.setpgid(pid, pid)
            except OSError:
                pass  # It did so itself.
            ids[pid] = task["id"]
            tell(id=task["id"], pid=pid)


task = next_task()
if task is None:
    sys.exit()
for number, name, flags in (
    (0, os.devnull, os.O_RDONLY),
    (1, task["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    (2, task["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
):
    opened = os.open(name, flags)
    os.dup2(opened, number), os.close(opened)
os.environ.clear()
os.environ.update(task["environment"])
os.chdir(task["folder"])
sys.path[1:1] = [p for p in task["environment"]["PYTHONPATH"].split(os.pathsep) if p not in sys.path]
sys.argv = ["-c", *task["arguments"]]
code = compile(task["code"], "<string>", "exec")
sys.path_importer_cache.clear()
globals_of_task = {"__name__": "__main__"}
del gc, importlib, json, select, signal, next_task, tell
exec(code, globals_of_task)
"""


class Task:
    """A task's process, as subprocess.Popen shows one."""

    def __init__(self) -> None:
        self.pid, self.returncode = 0, None
        self.started, self.ended = threading.Event(), threading.Event()

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code, waited for."""
        self.ended.wait(timeout)
        return self.returncode


class WarmInterpreter:
    """Starts tasks. `environment`: what every task has, and what the libraries may read."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, libraries: Sequence[str] = LIBRARIES
    ) -> None:
        self._environment, self._log, self._libraries = dict(environment), log, libraries
        self._process: subprocess.Popen | None = None
        self._tasks: dict[int, Task] = {}
        self._lock = threading.Lock()

    def start(
        self,
        code: str,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        output: tuple[Path, Path],
    ) -> Task:
        """Run code with arguments in a process of its own."""
        task, out = Task(), [str(path) for path in output]
        with self._lock:
            process = self._process = self._process or self._served()
            number = len(self._tasks)
            self._tasks[number] = task
            asked = {"id": number, "code": code, "arguments": list(arguments)}
            asked |= {"folder": str(folder), "environment": dict(environment)}
            asked |= {"out": out[0], "err": out[1]}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
        if not task.started.wait(120):
            raise OSError(f"no task was started: {self._log.read_text()[-2000:]}")
        return task

    def close(self) -> None:
        """End the interpreter; its tasks are whoever's who started them."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait(30)
            self._process = None

    def _served(self) -> subprocess.Popen:
        with self._log.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", SERVER, *self._libraries],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
                cwd=self._log.parent,
                start_new_session=True,
            )
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return process

    def _listen(self, process: subprocess.Popen) -> None:
        for line in process.stdout:
            said = json.loads(line)
            task = self._tasks[said["id"]]
            if "pid" in said:
                task.pid = said["pid"]
                task.started.set()
            else:
                task.returncode = said["code"]
                task.ended.set()
