"""Followed: the run of one attempt, from its submission to its end. It never outlives its worker's
interest in it.
"""

import time
from typing import TYPE_CHECKING

from finance_assets.compute.databricks.api import Submission
from finance_assets.compute.databricks.interrupts import no_interrupt
from finance_assets.compute.databricks.messages import DONE, RunFolder
from finance_assets.compute.databricks.runs import (
    Attempt,
    RemoteRunError,
    RemoteRuns,
    is_finished,
)

if TYPE_CHECKING:
    from databricks.sdk.service.jobs import Run

# A run that says it failed ends by itself in a moment. One that does not is paid for in vain.
END_SECONDS = 30.0


class DeadAttemptError(Exception):
    """Nothing can be had of an attempt any more: the next one has to do it. Says why."""


class FollowedRun:
    """The run of one attempt, from its submission to its end. `is_taken_over`: another worker
    began it, and may have submitted it.
    """

    def __init__(
        self,
        runs: RemoteRuns,
        attempt: Attempt,
        folder: RunFolder,
        submission: Submission,
        is_taken_over: bool,
    ) -> None:
        """Nothing is submitted yet."""
        self._runs, self._attempt, self.folder = runs, attempt, folder
        self.submission, self.is_taken_over = submission, is_taken_over
        self._is_known, self._is_sent = is_taken_over, is_taken_over
        self.run_id: int | None = None

    def submit(self) -> int:
        """Submit it, or find the run that there is for the attempt.

        Raises:
            DeadAttemptError: the workspace does not take the token, as of a run that was deleted.
        """
        from databricks.sdk.errors import BadRequest, NotFound

        self._is_sent = True
        try:
            self.run_id = self._runs.submit(self._attempt, self.submission)
        except (BadRequest, NotFound) as error:
            # A refusal of what is in the submission meets the next attempt, too, which is new.
            if self._is_known:
                raise DeadAttemptError(f"its token is not taken ({error})") from error
            raise
        self._is_known = True
        return self.run_id

    def look(self) -> "Run":
        """The run as it is now; one that the workspace lost is found again by its token."""
        from databricks.sdk.errors import NotFound

        try:
            return self._runs.get(self.run_id or self.submit())
        except NotFound:
            return self._runs.get(self.submit())

    def settle(self) -> "Run":
        """The run once it is over: by itself, or cancelled if it takes its time."""
        until = time.monotonic() + END_SECONDS
        run = self.look()
        while not is_finished(run) and time.monotonic() < until:
            time.sleep(self._runs.pause)
            run = self.look()
        if not is_finished(run):
            self.cancel()
        return run

    def cancel(self) -> None:
        """Cancel it and wait until it stopped.

        An interrupt may come after the workspace took the submission and before it could say
        so: the token tells which run that was. What was never submitted needs no cancelling.
        """
        if not self._is_sent:
            return
        try:
            run = self.look()
        except DeadAttemptError:
            return
        if not is_finished(run) and run.run_id is not None:
            self._runs.cancel(run.run_id)

    def close(self, mark: str) -> None:
        """Nobody takes the attempt up any more; `mark` says why."""
        self.folder.write(DONE, mark)

    def abandon(self, mark: str) -> None:
        """Let nothing of the run go on, whatever interrupts come meanwhile, and say why."""
        with no_interrupt():
            self.cancel()
            self.close(mark)

    def failure(self, run: "Run") -> RemoteRunError:
        """What the finished run says."""
        return self._runs.failure(run)
