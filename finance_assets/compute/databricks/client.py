"""The client: run steps on Databricks through Pipes, and give their results back as they come.

The orchestrator's part of a step that runs elsewhere. What a result means to Dagster is the same
as for a local run and is in assets/.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.pipes.utils import open_pipes_session
from dagster._utils import iterate_with_context

from finance_assets.compute.databricks.interrupts import INTERRUPTS, OneInterrupt
from finance_assets.compute.databricks.messages import (
    DONE,
    FolderContext,
    FolderMessages,
    MessageError,
    RunFolder,
)
from finance_assets.compute.databricks.payload import uploaded_wheel
from finance_assets.compute.databricks.runs import (
    DeadAttemptError,
    FollowedRun,
    RemoteRuns,
    attempts,
)
from finance_assets.compute.databricks.task_settings import of_settings
from finance_assets.compute.databricks.tasks import (
    compute_of,
    environments,
    on_compute,
    parameters,
    payload,
)
from finance_assets.compute.databricks.watch import Watched
from finance_assets.compute.databricks.workspace import open_workspace
from finance_assets.lakehouse.windows import Window
from finance_assets.settings import Settings
from finance_assets.step.declaration import Step, StepResult

if TYPE_CHECKING:
    from dagster._core.pipes.context import PipesSession
    from databricks.sdk import WorkspaceClient


class StepClient:
    """Runs steps on the workspace of the settings."""

    def __init__(self, settings: Settings, client: "WorkspaceClient | None" = None) -> None:
        """The workspace is opened when a step runs."""
        self._all, self._settings = settings, settings.databricks
        self._client = client

    def stream(
        self, context: dg.AssetExecutionContext, steps: Sequence[Step], window: Window
    ) -> Iterator[tuple[str, StepResult]]:
        """Run the steps in one Databricks run; each step's key and result when it is over.

        However it ends, no run of it goes on: an interrupt cancels it and waits until it stopped.

        Raises:
            StepFailedError: a step failed with an error of this package.
            RemoteRunError: the run failed otherwise, was lost, or took too long.
        """
        interrupt = OneInterrupt()
        results = self._attempts(context, steps, window, interrupt)
        try:
            yield from iterate_with_context(interrupt.block, results)
        finally:
            results.close()

    def _attempts(
        self,
        context: dg.AssetExecutionContext,
        steps: Sequence[Step],
        window: Window,
        interrupt: OneInterrupt,
    ) -> Generator[tuple[str, StepResult], None, None]:
        """Attempt after attempt, until one gave the results or failed while we watched."""
        client = self._client or open_workspace(self._settings)
        runs = RemoteRuns(client, self._settings, context.log.info)
        candidates = attempts(context.run.root_run_id or context.run_id, steps, window)
        told: set[str] = set()
        while True:
            attempt, folder, is_taken_over = runs.open_attempt(candidates)
            submission = self._submission(client, context, steps, window)
            with _session(context, folder) as (session, reader):
                followed = FollowedRun(
                    runs, attempt, _with_pipes(submission, session), is_taken_over
                )
                watched = Watched(followed, session, reader, folder, steps, told, is_taken_over)
                try:
                    followed.submit()
                    verb = "taking over" if is_taken_over else "submitted"
                    context.log.info(f"{verb} Databricks run {followed.run_id} ({attempt.number})")
                    yield from watched.results(self._settings.poll_seconds, interrupt.check)
                    return
                except DeadAttemptError as dead:
                    context.log.info(f"attempt {attempt.number}: {dead}; a new one begins")
                    folder.write(DONE, "dead")
                except INTERRUPTS:
                    # dagster-databricks 0.29.27 swallows this, and a cancelled step counts as
                    # done.
                    watched.abandon("cancelled")
                    raise
                except MessageError:
                    # Whoever took the run over would read the same again.
                    watched.abandon("unreadable")
                    raise
                except GeneratorExit:
                    # Dagster wants no more of us, as when it refused a result.
                    watched.abandon("left")
                    raise

    def _submission(
        self,
        client: "WorkspaceClient",
        context: dg.AssetExecutionContext,
        steps: Sequence[Step],
        window: Window,
    ) -> dict[str, Any]:
        compute = compute_of(self._settings, uploaded_wheel(client, self._settings))
        line = parameters(
            steps, window.first, context.run_id, of_settings(self._all), "--last", window.last
        )
        name = steps[0].key if len(steps) == 1 else f"{steps[0].use_case}: {len(steps)} steps"
        return {
            "run_name": f"{name} {window} (Dagster {context.run_id[:8]})",
            "tasks": [{**payload(steps, line), **on_compute(compute)}],
            "environments": environments(compute),
        }


@contextmanager
def _session(
    context: dg.AssetExecutionContext, folder: RunFolder
) -> "Iterator[tuple[PipesSession, FolderMessages]]":
    reader = FolderMessages(folder)
    with open_pipes_session(
        context=context,
        context_injector=FolderContext(folder),
        message_reader=reader,
    ) as session:
        yield session, reader


def _with_pipes(submission: dict[str, Any], session: "PipesSession") -> dict[str, Any]:
    """The submission with Pipes' parameters at the end of the task's command line."""
    arguments = [x for pair in session.get_bootstrap_cli_arguments().items() for x in pair]
    task = dict(submission["tasks"][0])
    wheel = task["python_wheel_task"]
    task["python_wheel_task"] = {**wheel, "parameters": [*wheel["parameters"], *arguments]}
    return {**submission, "tasks": [task]}
