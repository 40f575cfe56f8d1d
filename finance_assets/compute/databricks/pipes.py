"""Pipes: who asks for a run, and how its messages reach them: Dagster, or a person's command."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from dagster_pipes import (
    DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT,
    DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT,
    PipesContextData,
    PipesMessage,
    PipesParams,
    encode_param,
)

from finance_assets.compute.databricks.messages import FolderContext, FolderMessages, RunFolder

if TYPE_CHECKING:
    import dagster as dg


class Session(Protocol):
    """What is known of a run's messages: where they go, and those of our own that came."""

    def get_bootstrap_cli_arguments(self) -> Mapping[str, str]:
        """What the task has to be told on its command line."""

    def get_custom_messages(self) -> "Any":
        """The messages of our own, from the first one on."""


class Asker(Protocol):
    """Whoever asks for a run; `root` names it together with all its re-executions."""

    root: str

    def log(self, text: str) -> None:
        """Be told what goes on."""

    def session(self, folder: RunFolder) -> "Any":
        """A block that gives a Session and the reader of a folder's messages."""


class DagsterRun:
    """A Dagster run: messages go to its log and events."""

    def __init__(self, context: "dg.AssetExecutionContext") -> None:
        """Ask on behalf of a step of Dagster's."""
        self._context = context
        self.root = context.run.root_run_id or context.run_id

    def log(self, text: str) -> None:
        """Write a line into the run's log."""
        self._context.log.info(text)

    @contextmanager
    def session(self, folder: RunFolder) -> Iterator[tuple[Session, FolderMessages]]:
        """Dagster's own session."""
        from dagster._core.pipes.utils import open_pipes_session

        reader = FolderMessages(folder)
        with open_pipes_session(
            context=self._context,
            context_injector=FolderContext(folder),
            message_reader=reader,
        ) as session:
            yield session, reader


class Person:
    """A person at a command line: log lines are shown to them, and there are no events."""

    def __init__(self, run_id: str, report: Callable[[str], None]) -> None:
        """`run_id` is of this one call of the command."""
        self.root, self._report = run_id, report

    def log(self, text: str) -> None:
        """Show the line to the person."""
        self._report(text)

    @contextmanager
    def session(self, folder: RunFolder) -> Iterator[tuple[Session, FolderMessages]]:
        """A session without Dagster, which would want a step to report to."""
        reader, nothing = FolderMessages(folder), _nothing(self.root)
        heard = _Heard(self._report)
        with (
            FolderContext(folder).inject_context(nothing) as context,
            reader.read_messages(heard) as messages,
        ):
            heard.params = {
                DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT: context,
                DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT: messages,
            }
            yield heard, reader


class _Heard:
    """What a task said: log lines are passed on, messages of our own are kept."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report, self._own = report, list[Any]()
        self.params: dict[str, PipesParams] = {}

    def handle_message(self, message: PipesMessage) -> None:
        params = message["params"] or {}
        if message["method"] == "log":
            self._report(str(params["message"]))
        elif message["method"] == "report_custom_message":
            self._own.append(params["payload"])

    def get_bootstrap_cli_arguments(self) -> Mapping[str, str]:
        return {name: encode_param(value) for name, value in self.params.items()}

    def get_custom_messages(self) -> list[Any]:
        return self._own


def _nothing(run_id: str) -> PipesContextData:
    """The context of a task that makes no asset."""
    return PipesContextData(
        asset_keys=None,
        code_version_by_asset_key=None,
        provenance_by_asset_key=None,
        partition_key=None,
        partition_key_range=None,
        partition_time_window=None,
        run_id=run_id,
        job_name=None,
        retry_number=0,
        extras={},
    )
