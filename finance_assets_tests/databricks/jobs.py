"""Jobs: runs and their tasks, in the states and with the answers that jobs 2.1/2.2 documents."""

import itertools
import re
import threading
import time
from dataclasses import dataclass, field

from finance_assets_tests.databricks.tasks import Cluster

OVER = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}


class ApiError(Exception):
    """An error answer of the API."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


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
    job_id: int | None = None
    is_cancelled: bool = False
    life: str = "PENDING"
    result: str = ""
    started: float = field(default_factory=time.time)
    ended: float | None = None


class Jobs:
    """The jobs service: one-time submissions, stored jobs, and their runs."""

    def __init__(self, cluster: Cluster, startup_seconds: float = 0.0) -> None:
        self.cluster, self.startup_seconds = cluster, startup_seconds
        self.runs: dict[int, Run] = {}
        self.jobs: dict[int, dict] = {}
        self.lost: set[int] = set()
        self._tokens: dict[str, int] = {}
        self._ids = itertools.count(1001)
        self._lock = threading.RLock()

    def submit(self, body: dict) -> dict:
        """runs/submit: the same token gives the same run."""
        with self._lock:
            token = body.get("idempotency_token")
            if token is not None and len(token) > 64:
                raise ApiError(400, "INVALID_PARAMETER_VALUE", "idempotency_token is too long")
            if token in self._tokens:
                return {"run_id": self._tokens[token]}
            run = self._new_run(body.get("run_name", "Untitled"), body, {})
            if token is not None:
                self._tokens[token] = run.run_id
        self._start(run)
        return {"run_id": run.run_id}

    def create(self, body: dict) -> dict:
        """jobs/create."""
        with self._lock:
            job_id = next(self._ids)
            _check_tasks(body)
            self.jobs[job_id] = body
        return {"job_id": job_id}

    def run_now(self, body: dict) -> dict:
        """jobs/run-now, with the job's parameters overridden by the call's."""
        with self._lock:
            token = body.get("idempotency_token")
            if token in self._tokens:
                return {"run_id": self._tokens[token]}
            settings = self._job(body["job_id"])
            defaults = {p["name"]: p["default"] for p in settings.get("parameters", [])}
            run = self._new_run(
                settings["name"], settings, {**defaults, **body.get("job_parameters", {})}
            )
            run.job_id = body["job_id"]
            if token is not None:
                self._tokens[token] = run.run_id
        self._start(run)
        return {"run_id": run.run_id, "number_in_job": run.run_id}

    def _job(self, job_id: int) -> dict:
        if int(job_id) not in self.jobs:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"Job {job_id} does not exist.")
        return self.jobs[int(job_id)]

    def get_job(self, job_id: int) -> dict:
        """jobs/get."""
        return {"job_id": int(job_id), "settings": self._job(job_id)}

    def reset(self, body: dict) -> dict:
        """jobs/reset."""
        self._job(body["job_id"])
        self.jobs[int(body["job_id"])] = body["new_settings"]
        return {}

    def delete(self, body: dict) -> dict:
        """jobs/delete."""
        self._job(body["job_id"])
        del self.jobs[int(body["job_id"])]
        return {}

    def _new_run(self, name: str, body: dict, parameters: dict) -> Run:
        tasks = _check_tasks(body)
        environments = {
            e["environment_key"]: e["spec"].get("dependencies", [])
            for e in body.get("environments") or []
        }
        for task in tasks:
            key = task.get("environment_key")
            if key is not None and key not in environments:
                raise ApiError(400, "INVALID_PARAMETER_VALUE", f"no environment {key}")
        dependencies = [d for found in environments.values() for d in found]
        runs = {t["task_key"]: TaskRun(next(self._ids), t) for t in tasks}
        run = Run(next(self._ids), name, runs, dependencies, parameters)
        self.runs[run.run_id] = run
        return run

    def _start(self, run: Run) -> None:
        threading.Thread(target=self._play, args=(run,), daemon=True).start()

    def _play(self, run: Run) -> None:
        """Run the tasks as their dependencies allow."""
        until = time.monotonic() + self.startup_seconds
        while time.monotonic() < until and not run.is_cancelled:
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
        for attempt in range(task.spec.get("max_retries", 0) + 1):
            if attempt:
                with self._lock:
                    task.run_id, task.attempt = next(self._ids), attempt
            self._attempt(run, task)
            if task.result == "SUCCESS" or run.is_cancelled or task.life == "INTERNAL_ERROR":
                return

    def _attempt(self, run: Run, task: TaskRun) -> None:
        task.life = "RUNNING"
        spec = _substituted(task.spec, run.parameters)
        try:
            process = self.cluster.start(task.run_id, spec, run.dependencies)
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

    def cluster_died(self, run_id: int) -> None:
        """The cluster is lost in the middle of a run."""
        for task in self.runs[run_id].tasks.values():
            task.life, task.message = "INTERNAL_ERROR", "Cluster became unreachable during run"
            self.cluster.kill(task.run_id)

    def forget(self, run_id: int) -> None:
        """The run, its processes and its token are gone."""
        with self._lock:
            self.runs[run_id].is_cancelled = True
            self.lost.add(run_id)
            self._tokens = {k: v for k, v in self._tokens.items() if v != run_id}
        for task in self.runs[run_id].tasks.values():
            self.cluster.kill(task.run_id)

    def cancel(self, body: dict) -> dict:
        """runs/cancel: asynchronous, as documented."""
        run = self._known(body["run_id"])
        if run.life not in OVER:
            run.is_cancelled = True
            run.life = "TERMINATING"
        return {}

    def _known(self, run_id: int | str) -> Run:
        number = int(run_id)
        if number not in self.runs or number in self.lost:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Run {number} does not exist.")
        return self.runs[number]

    def get(self, run_id: str) -> dict:
        """runs/get."""
        run = self._known(run_id)
        messages = [task.message for task in run.tasks.values() if task.message]
        return {
            "job_id": run.job_id or run.run_id,
            "run_id": run.run_id,
            "run_name": run.name,
            "state": _state(run.life, run.result, messages[0] if messages else ""),
            "start_time": int(run.started * 1000),
            "end_time": int((run.ended or 0) * 1000),
            "run_page_url": f"https://stand-in/#job/{run.run_id}/run/1",
            "tasks": [
                {
                    "task_key": key,
                    "run_id": task.run_id,
                    "attempt_number": task.attempt,
                    "state": _state(task.life, task.result, task.message),
                }
                for key, task in run.tasks.items()
            ],
        }

    def output(self, run_id: str) -> dict:
        """runs/get-output, of a task's run."""
        for run in self.runs.values():
            for task in run.tasks.values():
                if task.run_id == int(run_id):
                    logs, error, trace = self.cluster.output(task.run_id)
                    failed = {"error": error, "error_trace": trace}
                    return {"logs": logs, **(failed if task.result != "SUCCESS" else {})}
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Run {run_id} does not exist.")

    def list_runs(self) -> dict:
        """runs/list, newest first."""
        return {"runs": [self.get(str(i)) for i in sorted(self.runs, reverse=True)]}


def _check_tasks(body: dict) -> list[dict]:
    tasks = body.get("tasks") or []
    keys = [task["task_key"] for task in tasks]
    if not tasks or len(keys) != len(set(keys)):
        raise ApiError(400, "INVALID_PARAMETER_VALUE", "tasks need unique keys")
    for task in tasks:
        if not re.fullmatch(r"[\w-]{1,100}", task["task_key"]):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"task_key {task['task_key']}")
        for needed in task.get("depends_on", []):
            if needed["task_key"] not in keys:
                raise ApiError(400, "INVALID_PARAMETER_VALUE", f"depends on {needed}")
    return tasks


def _state(life: str, result: str, message: str) -> dict:
    state = {"life_cycle_state": life, "state_message": message}
    return {**state, "result_state": result} if life in OVER and result else state


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
