"""Runs: submit once, watch, take over, cancel. Never two paid runs for one attempt.

An attempt is named by a token made of the root run that asks, what identifies the work (steps and
window) and a number.
Databricks gives the run back that it already has for a token, so a worker that died and its
successor mean the same run.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from finance_assets.compute.databricks.api import Submission
from finance_assets.compute.databricks.messages import CONTEXT, DONE, RunFolder
from finance_assets.compute.databricks.workspace import patiently
from finance_assets.errors import FinanceAssetsError
from finance_assets.settings import DatabricksSettings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run

MAX_ATTEMPTS = 50
SUBMIT = "/api/2.2/jobs/runs/submit"
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
FINISHED = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})


class RemoteRunError(FinanceAssetsError):
    """A run on Databricks failed, was lost, or timed out."""

    def __init__(self, what: str, *, where: str, remedy: str, trace: str = "") -> None:
        """With the task's own trace, if it left one."""
        super().__init__(what, where=where, remedy=remedy)
        self.trace = trace


@dataclass(frozen=True)
class Attempt:
    """One attempt at a run's work, for a Dagster run or a person's command."""

    token: str
    number: int


def attempts(root: str, identity: Sequence[str]) -> Iterator[Attempt]:
    """The attempts in their order; the same for every worker of the same root run."""
    for number in range(MAX_ATTEMPTS):
        parts = [root, *identity, str(number)]
        digest = hashlib.sha256("|".join(parts).encode()).hexdigest()
        # Databricks takes at most 64 characters.
        yield Attempt(digest[:48], number)


class RemoteRuns:
    """The runs of a workspace."""

    def __init__(
        self,
        client: "WorkspaceClient",
        settings: DatabricksSettings,
        log: Callable[[str], None],
    ) -> None:
        """`log` tells people what goes on."""
        self._client, self._settings, self._log = client, settings, log

    @property
    def pause(self) -> float:
        """Seconds between two looks at a run that is about to end."""
        return min(self._settings.poll_seconds, 1.0)

    def open_attempt(self, candidates: Iterator[Attempt]) -> tuple[Attempt, RunFolder, bool]:
        """The first attempt that is not over and done with, and whether somebody began it.

        An attempt whose results were taken, or that failed, is over. One in flight, or one that
        succeeded for a worker which died before it could say so, is taken up.
        """
        for attempt in candidates:
            folder = RunFolder(self._client, self._settings, attempt.token)
            names = folder.names()
            if DONE not in names:
                if CONTEXT not in names:
                    folder.create()
                return attempt, folder, CONTEXT in names
        raise RemoteRunError(
            f"all of {MAX_ATTEMPTS} attempts are used up",
            where=self._settings.volume,
            remedy="launch a new Dagster run",
        )

    def submit(self, attempt: Attempt, submission: Submission) -> int:
        """The id of the attempt's run: a new one, or the one there is.

        Sent without the SDK's typed fields: its SubmitTask (databricks-sdk 0.60) does not know
        `disable_auto_optimization`.
        """
        body = {**submission, "idempotency_token": attempt.token}
        answer = patiently(
            self._settings,
            lambda: self._client.api_client.do("POST", SUBMIT, body=body, headers=JSON),
        )
        return int(dict(answer)["run_id"])  # type: ignore[arg-type]

    def get(self, run_id: int) -> "Run":
        """The run as it is now."""
        return patiently(self._settings, lambda: self._client.jobs.get_run(run_id))

    def cancel(self, run_id: int) -> None:
        """Cancel a run and wait until nothing of it is running any more."""
        patiently(self._settings, lambda: self._client.jobs.cancel_run(run_id))
        until = time.monotonic() + self._settings.cancel_limit_seconds
        while time.monotonic() < until:
            if is_finished(self.get(run_id)):
                self._log(f"Databricks run {run_id} is cancelled")
                return
            time.sleep(self.pause)
        self._log(f"Databricks run {run_id} did not stop in time: look at its page")

    def failure(self, run: "Run") -> RemoteRunError:
        """What a finished run that did not succeed says, with its task's error and trace."""
        from databricks.sdk.errors.base import DatabricksError

        message = run.state.state_message if run.state else ""
        error, trace = message or "it says nothing", ""
        for task in run.tasks or []:
            try:
                fetch = partial(self._client.jobs.get_run_output, int(task.run_id or 0))
                output = patiently(self._settings, fetch)
            except DatabricksError:
                continue
            error, trace = output.error or error, output.error_trace or trace
        state = _result(run) or _life(run)
        return RemoteRunError(
            f"the run on Databricks ended as {state}: {error}",
            where=f"run {run.run_id}, {run.run_page_url or 'no page'}",
            remedy="see the trace and the run's page; then re-execute the step",
            trace=trace,
        )


def is_finished(run: "Run") -> bool:
    """Whether nothing of the run is running any more."""
    return _life(run) in FINISHED


def is_successful(run: "Run") -> bool:
    """Whether the run did what it should."""
    return _life(run) == "TERMINATED" and _result(run) == "SUCCESS"


def _life(run: "Run") -> str:
    state = run.state.life_cycle_state if run.state else None
    return state.value if state else "UNKNOWN"


def _result(run: "Run") -> str:
    state = run.state.result_state if run.state else None
    return state.value if state else ""
