"""Playing: what a run's tasks go through, each a process of its own, until the run is over."""

import itertools
import re
import threading
import time
from dataclasses import dataclass, field

from finance_assets_tests.databricks.tasks import Cluster

# Serverless retries by itself unless a task disables auto-optimization.
SERVERLESS_RETRIES = 1
OVER = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}


@dataclass
class TaskRun:
    """One attempt at a task of a run."""

    run_id: int
    spec: dict
    life: str = "PENDING"
    result: str = ""
    message: str = ""
    attempt: int = 0


@dataclass
class Run:
    """A run, with its tasks by key."""

    run_id: int
    name: str
    tasks: dict[str, TaskRun]
    dependencies: list[str]
    parameters: dict[str, str]
    # Whom its tasks act as.
    user: str
    job_id: int | None = None
    is_cancelled: bool = False
    life: str = "PENDING"
    result: str = ""
    started: float = field(default_factory=time.time)
    ended: float | None = None


class Player:
    """Plays runs. `own_retries`: what the workspace retries by itself, whatever a task says."""

    def __init__(self, cluster: Cluster, startup_seconds: float = 0.0) -> None:
        self.cluster, self.startup_seconds = cluster, startup_seconds
        self.own_retries = 0
        # Whom runs act as, other than who submitted them: as on a cluster of somebody's.
        self.run_as: str | None = None
        self.runs: dict[int, Run] = {}
        self._ids = itertools.count(1001)
        self._lock = threading.RLock()

    def run_now(self, body: dict) -> dict:
        """jobs/run-now."""
        raise NotImplementedError

    def cancel(self, body: dict) -> dict:
        """runs/cancel."""
        raise NotImplementedError

    def _start(self, run: Run) -> None:
        threading.Thread(target=self._play, args=(run,), daemon=True).start()

    def _play(self, run: Run) -> None:
        """Run the tasks as their dependencies allow."""
        began = time.monotonic()
        # Asked each time: whoever does not want to wait any longer sets it to nothing.
        while time.monotonic() < began + self.startup_seconds and not run.is_cancelled:
            time.sleep(0.02)
        run.life = "RUNNING" if not run.is_cancelled else run.life
        threads: dict[str, threading.Thread] = {}
        while len(threads) < len(run.tasks):
            for key, task in run.tasks.items():
                needed = [run.tasks[d["task_key"]] for d in task.spec.get("depends_on", [])]
                if key in threads or any(n.life not in OVER for n in needed):
                    continue
                threads[key] = threading.Thread(
                    target=self._run_task, args=(run, task, needed), daemon=True
                )
                threads[key].start()
            time.sleep(0.02)
        for thread in threads.values():
            thread.join()
        self._finish(run)

    def _finish(self, run: Run) -> None:
        results = {task.result for task in run.tasks.values()}
        run.ended = time.time()
        if run.is_cancelled:
            run.result = "CANCELED"
        else:
            bad = results - {"SUCCESS", "EXCLUDED"}
            run.result = "SUCCESS" if not bad else "FAILED"
            if "TIMEDOUT" in results:
                run.result = "TIMEDOUT"
        died = any(task.life == "INTERNAL_ERROR" for task in run.tasks.values())
        run.life = "INTERNAL_ERROR" if died else "TERMINATED"

    def _run_task(self, run: Run, task: TaskRun, needed: list[TaskRun]) -> None:
        good = all(n.result == "SUCCESS" for n in needed)
        if run.is_cancelled or (not good and task.spec.get("run_if") != "ALL_DONE"):
            task.life, task.result = "TERMINATED", "CANCELED"
            if not run.is_cancelled:
                task.life, task.result = "SKIPPED", "UPSTREAM_FAILED"
            return
        retries = task.spec.get("max_retries", 0) + self.own_retries
        if "environment_key" in task.spec and not task.spec.get("disable_auto_optimization"):
            retries += SERVERLESS_RETRIES
        for attempt in range(retries + 1):
            if attempt:
                with self._lock:
                    task.run_id, task.attempt = next(self._ids), attempt
            self._attempt(run, task)
            if task.result == "SUCCESS" or run.is_cancelled or task.life == "INTERNAL_ERROR":
                return

    def _attempt(self, run: Run, task: TaskRun) -> None:
        task.life = "RUNNING"
        spec = _substituted(task.spec, run.parameters)
        if "run_job_task" in spec:
            self._run_job(run, task, spec["run_job_task"])
            return
        try:
            process = self.cluster.start(task.run_id, spec, run.dependencies, run.user)
        except OSError as error:
            task.life, task.result, task.message = "TERMINATED", "FAILED", f"Library: {error}"
            return
        limit = spec.get("timeout_seconds") or None
        until = time.monotonic() + limit if limit else None
        while process.poll() is None:
            if run.is_cancelled or (until and time.monotonic() > until):
                self.cluster.kill(task.run_id)
            time.sleep(0.02)
        if task.life == "INTERNAL_ERROR":
            task.result = "FAILED"
            return
        if run.is_cancelled:
            task.result, task.message = "CANCELED", "Run cancelled."
        elif until and time.monotonic() > until:
            task.result, task.message = "TIMEDOUT", "The run timed out."
        elif process.returncode == 0:
            task.result = "SUCCESS"
        else:
            task.result, task.message = "FAILED", "Workload failed, see run output for details"
        task.life = "TERMINATED"

    def _run_job(self, run: Run, task: TaskRun, job: dict) -> None:
        """Another job's run, which the task waits for and takes along when it is cancelled."""
        asked = {"job_id": job["job_id"], "job_parameters": job.get("job_parameters", {})}
        child = self.runs[self.run_now(asked)["run_id"]]
        while child.life not in OVER:
            if run.is_cancelled:
                self.cancel({"run_id": child.run_id})
            time.sleep(0.02)
        task.result, task.life = child.result, "TERMINATED"
        if child.result != "SUCCESS":
            task.message = f"Run {child.run_id} of the job failed."


def _substituted(value, parameters: dict[str, str]):
    """The task with `{{job.parameters.NAME}}` filled in."""
    if isinstance(value, dict):
        return {key: _substituted(part, parameters) for key, part in value.items()}
    if isinstance(value, list):
        return [_substituted(part, parameters) for part in value]
    if isinstance(value, str):
        pattern = r"\{\{\s*job\.parameters\.(\w+)\s*\}\}"
        return re.sub(pattern, lambda match: parameters[match.group(1)], value)
    return value
