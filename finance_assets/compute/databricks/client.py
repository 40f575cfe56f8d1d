"""The client: run steps on Databricks through Pipes, and give their results back as they come.

The orchestrator's part of a step that runs elsewhere. What a result means to Dagster is the same
as for a local run and is in assets/.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.pipes.utils import open_pipes_session

from finance_assets.compute.databricks.messages import (
    DONE,
    FolderContext,
    FolderMessages,
    MessageError,
    RunFolder,
)
from finance_assets.compute.databricks.payload import uploaded_wheel
from finance_assets.compute.databricks.runs import (
    FollowedRun,
    RemoteRunError,
    RemoteRuns,
    attempts,
    is_finished,
    is_successful,
)
from finance_assets.compute.databricks.tasks import environments, step_parameters, submit_task
from finance_assets.compute.databricks.workspace import open_workspace
from finance_assets.compute.remote import FAILURE, RESULT
from finance_assets.compute.results import from_record
from finance_assets.errors import FinanceAssetsError
from finance_assets.lakehouse.windows import Window
from finance_assets.settings import Settings
from finance_assets.steps.step import Step, StepResult

if TYPE_CHECKING:
    from dagster._core.pipes.context import PipesSession
    from databricks.sdk import WorkspaceClient


# Messages are files: looking for the next one is a request, and mostly for nothing.
READ_SECONDS = 10.0


class StepFailedError(FinanceAssetsError):
    """A step failed where it ran, with an error that a person can act on."""


class StepClient:
    """Runs steps on the workspace of the settings."""

    def __init__(self, settings: Settings, client: "WorkspaceClient | None" = None) -> None:
        """The workspace is opened when a step runs."""
        self._all, self._settings = settings, settings.databricks
        self._client = client

    def stream(
        self, context: dg.AssetExecutionContext, steps: Sequence[Step], window: Window
    ) -> Iterator[tuple[str, StepResult]]:
        """Run the steps in one Databricks run; each step's key and result when it is there.

        Raises:
            StepFailedError: a step failed with an error of this package.
            RemoteRunError: the run failed otherwise, was lost, or took too long.
        """
        client = self._client or open_workspace(self._settings)
        runs = RemoteRuns(client, self._settings, context.log.info)
        candidates = attempts(context.run.root_run_id or context.run_id, steps, window)
        while True:
            attempt, folder, is_taken_over = runs.open_attempt(candidates)
            submission = self._submission(client, context, steps, window)
            with _session(context, folder) as (session, reader):
                followed = FollowedRun(runs, attempt, _with_pipes(submission, session))
                try:
                    followed.submit()
                    verb = "taking over" if is_taken_over else "submitted"
                    context.log.info(f"{verb} Databricks run {followed.run_id} ({attempt.number})")
                    if is_taken_over and followed.is_over_and_failed():
                        context.log.info(f"run {followed.run_id} failed unseen: a new attempt")
                        folder.write(DONE, "failed")
                        continue
                    yield from self._watch(followed, session, reader, folder)
                    return
                except (DagsterExecutionInterruptedError, KeyboardInterrupt):
                    # dagster-databricks 0.29.27 swallows this, and a cancelled step counts as
                    # done.
                    followed.cancel()
                    folder.write(DONE, "cancelled")
                    raise
                except MessageError:
                    # Whoever took the run over would read the same again.
                    followed.cancel()
                    folder.write(DONE, "unreadable")
                    raise

    def _submission(
        self,
        client: "WorkspaceClient",
        context: dg.AssetExecutionContext,
        steps: Sequence[Step],
        window: Window,
    ) -> dict[str, Any]:
        wheel = uploaded_wheel(client, self._settings)
        parameters = step_parameters(steps, window, context.run_id, self._all)
        name = steps[0].key if len(steps) == 1 else f"{steps[0].use_case}: {len(steps)} steps"
        return {
            "run_name": f"{name} {window} (Dagster {context.run_id[:8]})",
            "tasks": [submit_task(steps, parameters, wheel, self._settings)],
            "environments": environments(wheel, self._settings),
        }

    def _watch(
        self,
        followed: FollowedRun,
        session: "PipesSession",
        reader: FolderMessages,
        folder: RunFolder,
    ) -> Iterator[tuple[str, StepResult]]:
        """Poll and hand results on until the run is over."""
        told, started, read = 0, time.monotonic(), time.monotonic()
        while True:
            time.sleep(_pause(time.monotonic() - started, self._settings.poll_seconds))
            run = followed.look()
            if not is_finished(run) and time.monotonic() - read < READ_SECONDS:
                continue
            read = time.monotonic()
            reader.drain()
            for message in session.get_custom_messages()[told:]:
                told += 1
                if message["kind"] == RESULT:
                    yield message["key"], from_record(message["result"])
                elif message["kind"] == FAILURE:
                    folder.write(DONE, "failed")
                    raise _step_failure(message, run.run_page_url or "")
            if is_finished(run):
                break
        if not is_successful(run):
            folder.write(DONE, "failed")
            raise followed.failure(run)
        if not reader.is_closed:
            raise RemoteRunError(
                "the run succeeded, but its last message is missing",
                where=f"run {followed.run_id}, {folder.path}",
                remedy="re-execute the step: it takes this run over and reads again",
            )
        folder.write(DONE, "taken")


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
    from databricks.sdk.service.jobs import SubmitTask

    record = submission["tasks"][0].as_dict()
    arguments = session.get_bootstrap_cli_arguments()
    record["python_wheel_task"]["parameters"] += [x for pair in arguments.items() for x in pair]
    return {**submission, "tasks": [SubmitTask.from_dict(record)]}


def _pause(elapsed: float, longest: float) -> float:
    """Look soon at first, as a step may be short, and then ever more seldom."""
    return min(longest, 0.6 + 0.3 * elapsed)


def _step_failure(message: dict[str, Any], page: str) -> FinanceAssetsError:
    where = f"{message['key']} on Databricks, {page}"
    text = f"{message['type']}: {message['text']}"
    if message["is_ours"]:
        return StepFailedError(text, where=where, remedy=message["remedy"])
    return RemoteRunError(
        text, where=where, remedy="see the trace and the run's page", trace=message["trace"]
    )
