"""The client: do work on Databricks, and give its results back.

What a result means, to Dagster or to a person, is the same as if it had been made here, and is no
business of this module.
"""

from collections.abc import Generator, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from dagster._utils import iterate_with_context

from finance_assets.compute.databricks.api import Submission
from finance_assets.compute.databricks.followed import DeadAttemptError, FollowedRun
from finance_assets.compute.databricks.interrupts import INTERRUPTS, OneInterrupt
from finance_assets.compute.databricks.messages import MessageError
from finance_assets.compute.databricks.payload import uploaded_wheel
from finance_assets.compute.databricks.pipes import Asker, Session
from finance_assets.compute.databricks.runs import RemoteRuns, attempts
from finance_assets.compute.databricks.tasks import compute_of, one_time_run, with_arguments
from finance_assets.compute.databricks.watch import Watched
from finance_assets.compute.databricks.work import Work
from finance_assets.compute.databricks.workspace import open_workspace
from finance_assets.settings import Settings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

T = TypeVar("T")


class RunClient:
    """Does work on the workspace of the settings."""

    def __init__(self, settings: Settings, client: "WorkspaceClient | None" = None) -> None:
        """The workspace is opened when there is work."""
        self._settings, self._client = settings.databricks, client
        self._packages = settings.use_case_packages

    @cached_property
    def workspace(self) -> "WorkspaceClient":
        """The client of the workspace."""
        return self._client or open_workspace(self._settings)

    def stream(self, asker: Asker, work: Work[T]) -> Iterator[tuple[str, T]]:
        """Do the work in one Databricks run; each key and result when it is over.

        However it ends, no run of it goes on: an interrupt cancels it and waits until it stopped.

        Raises:
            StepFailedError: a step or command failed with an error of this package.
            RemoteRunError: the run failed otherwise, was lost, or took too long.
        """
        interrupt = OneInterrupt()
        results = self._attempts(asker, work, interrupt)
        try:
            yield from iterate_with_context(interrupt.block, results)
        finally:
            results.close()

    def _attempts(
        self, asker: Asker, work: Work[T], interrupt: OneInterrupt
    ) -> Generator[tuple[str, T], None, None]:
        """Attempt after attempt, until one gave the results or failed while we watched."""
        runs = RemoteRuns(self.workspace, self._settings, asker.log)
        # Made before an attempt is found: from then on every interrupt has to end its run.
        submission = self._submission(work)
        candidates = attempts(asker.root, work.identity)
        told: set[str] = set()
        while True:
            attempt, folder, is_taken_over = runs.open_attempt(candidates)
            followed = FollowedRun(runs, attempt, folder, submission, is_taken_over)
            try:
                with asker.session(folder) as (session, reader):
                    followed.submission = _with_pipes(submission, session)
                    followed.submit()
                    verb = "taking over" if is_taken_over else "submitted"
                    asker.log(f"{verb} Databricks run {followed.run_id} ({attempt.number})")
                    watched = Watched(followed, session, reader, work, told)
                    yield from watched.results(self._settings.poll_seconds, interrupt.check)
                    return
            except DeadAttemptError as dead:
                followed.close("dead")
                asker.log(f"attempt {attempt.number}: {dead}; a new one begins")
            except INTERRUPTS:
                # dagster-databricks 0.29.27 swallows this, and a cancelled step counts as done.
                followed.abandon("cancelled")
                raise
            except MessageError as unreadable:
                # Whoever took the run over would read the same again.
                followed.abandon("unreadable")
                if not is_taken_over:
                    raise
                # Its sender may be an older wheel, which the next attempt does not run.
                asker.log(f"attempt {attempt.number}: {unreadable.what}; a new one begins")
            except GeneratorExit:
                # Dagster wants no more of us, as when it refused a result.
                followed.abandon("left")
                raise

    def _submission(self, work: Work[Any]) -> Submission:
        wheel = uploaded_wheel(self.workspace, self._settings, self._packages)
        return one_time_run(work.name, work.task, compute_of(self._settings, wheel))


def _with_pipes(submission: Submission, session: Session) -> Submission:
    """The submission with Pipes' parameters at the end of the task's command line."""
    arguments = [x for pair in session.get_bootstrap_cli_arguments().items() for x in pair]
    [task] = submission["tasks"]
    return {**submission, "tasks": [with_arguments(task, *arguments)]}
