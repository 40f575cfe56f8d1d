"""Jobs: runs and their tasks, in the states and with the answers that jobs 2.1/2.2 documents."""

import re

from finance_assets_tests.databricks.catalog import CALLER
from finance_assets_tests.databricks.compute import Compute
from finance_assets_tests.databricks.errors import ApiError
from finance_assets_tests.databricks.playing import OVER, Player, Run, TaskRun
from finance_assets_tests.databricks.tasks import Cluster

ENVIRONMENT_VERSIONS = {"1", "2", "3", "4"}


class Jobs(Player):
    """The jobs service: one-time submissions, stored jobs, and their runs."""

    def __init__(self, cluster: Cluster, startup_seconds: float = 0.0) -> None:
        super().__init__(cluster, startup_seconds)
        self.jobs: dict[int, dict] = {}
        self.lost: set[int] = set()
        self.deleted: set[int] = set()
        self.compute = Compute()
        self._tokens: dict[str, int] = {}

    def submit(self, body: dict) -> dict:
        """runs/submit: the same token gives the same run."""
        with self._lock:
            token = body.get("idempotency_token")
            if token is not None and len(token) > 64:
                raise ApiError(400, "INVALID_PARAMETER_VALUE", "idempotency_token is too long")
            if token in self._tokens:
                if self._tokens[token] in self.deleted:
                    text = "The run of this idempotency token was deleted."
                    raise ApiError(400, "INVALID_PARAMETER_VALUE", text)
                return {"run_id": self._tokens[token]}
            run = self._new_run(body.get("run_name", "Untitled"), body, {})
            if token is not None:
                self._tokens[token] = run.run_id
        self._start(run)
        return {"run_id": run.run_id}

    def token_of(self, run_id: int) -> str:
        """The idempotency token that a run was submitted with."""
        [token] = [token for token, known in self._tokens.items() if known == run_id]
        return token

    def create(self, body: dict) -> dict:
        """jobs/create."""
        with self._lock:
            job_id = next(self._ids)
            self._check(body)
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

    def _check(self, body: dict) -> tuple[list[dict], dict[str, list[str]]]:
        """Tasks and the dependencies of each environment, of a body that makes sense."""
        tasks = _check_tasks(body)
        environments = {
            e["environment_key"]: e["spec"].get("dependencies", [])
            for e in body.get("environments") or []
        }
        for e in body.get("environments") or []:
            if e["spec"].get("environment_version") not in ENVIRONMENT_VERSIONS:
                raise ApiError(400, "INVALID_PARAMETER_VALUE", "unknown environment version")
        for task in tasks:
            key = task.get("environment_key")
            if key is not None and key not in environments:
                raise ApiError(400, "INVALID_PARAMETER_VALUE", f"no environment {key}")
            if "run_job_task" in task:
                self._job(task["run_job_task"]["job_id"])
            self.compute.check(task, body.get("job_clusters") or [])
        return tasks, environments

    def _new_run(self, name: str, body: dict, parameters: dict) -> Run:
        tasks, environments = self._check(body)
        dependencies = [d for found in environments.values() for d in found]
        runs = {t["task_key"]: TaskRun(next(self._ids), t) for t in tasks}
        user = self.run_as or CALLER.get()
        run = Run(next(self._ids), name, runs, dependencies, parameters, user)
        self.runs[run.run_id] = run
        return run

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

    def delete_run(self, body: dict) -> dict:
        """runs/delete, of a run that is over; its token stays taken."""
        run = self._known(body["run_id"])
        if run.life not in OVER:
            raise ApiError(400, "INVALID_STATE", f"Run {run.run_id} is active.")
        self.lost.add(run.run_id)
        self.deleted.add(run.run_id)
        return {}

    @property
    def active(self) -> list[Run]:
        """Runs that somebody pays for."""
        return [run for run in self.runs.values() if run.life not in OVER]

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
