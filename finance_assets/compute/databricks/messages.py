"""Messages: what goes to a task and comes back from it, through a folder of a volume.

The folder's name follows from the run's idempotency token, so that whoever takes the run over
reads every message from the first one on. Nothing in it is deleted: it is the run's record.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from dagster import PipesContextInjector, PipesMessageReader
from dagster_pipes import PipesContextData, PipesMessage, PipesParams

from finance_assets.compute.databricks.workspace import patiently
from finance_assets.compute.reporting import CHUNK
from finance_assets.errors import FinanceAssetsError
from finance_assets.settings import DatabricksSettings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

CONTEXT, DONE = "context.json", "done"


class MessageError(FinanceAssetsError):
    """A message file of a run cannot be read."""


class RunFolder:
    """The folder of one attempt: context, messages, and a mark when its results were taken."""

    def __init__(self, client: "WorkspaceClient", settings: DatabricksSettings, token: str) -> None:
        """Nothing is asked before the first call."""
        self._client, self._settings = client, settings
        self.path = f"{settings.volume}/runs/{token}"

    def names(self) -> set[str]:
        """Names of the files that are there; none if the folder is not."""
        from databricks.sdk.errors import NotFound

        def listed() -> set[str]:
            return {str(e.name) for e in self._client.files.list_directory_contents(self.path)}

        try:
            return patiently(self._settings, listed)
        except NotFound:
            return set()

    def create(self) -> None:
        """Make the folder."""
        patiently(self._settings, lambda: self._client.files.create_directory(self.path))

    def write(self, name: str, text: str) -> None:
        """Write a file."""

        def send() -> None:
            content = io.BytesIO(text.encode())
            self._client.files.upload(f"{self.path}/{name}", content, overwrite=True)

        patiently(self._settings, send)

    def read(self, name: str) -> str | None:
        """A file's text, None if it is not there."""
        from databricks.sdk.errors import NotFound

        def fetch() -> bytes:
            answer = self._client.files.download(f"{self.path}/{name}")
            return answer.contents.read() if answer.contents else b""

        try:
            content = patiently(self._settings, fetch)
        except NotFound:
            return None
        return content.decode("utf-8", errors="replace")


class FolderContext(PipesContextInjector):
    """Gives the task its Pipes context as a file of the run's folder."""

    def __init__(self, folder: RunFolder) -> None:
        """The folder of one attempt."""
        self._folder = folder

    @contextmanager
    def inject_context(self, context: PipesContextData) -> Iterator[PipesParams]:
        """Write it, over what an earlier worker may have left: it says the same."""
        self._folder.write(CONTEXT, json.dumps(context))
        yield {"path": f"{self._folder.path}/{CONTEXT}"}

    def no_messages_debug_text(self) -> str:
        """Where to look when the task stays silent."""
        return f"The context was written to {self._folder.path}/{CONTEXT}."


class Handler(Protocol):
    """Whoever messages are handed to: Dagster's PipesMessageHandler is one."""

    def handle_message(self, message: PipesMessage) -> None:
        """Take a message over."""


class FolderMessages(PipesMessageReader):
    """Reads message files when asked, and hands what they hold to Dagster.

    A task that the workspace retries by itself writes under a new attempt; its messages follow
    those of the attempt before.
    """

    def __init__(self, folder: RunFolder) -> None:
        """Begin with the first chunk, also when somebody else read it before."""
        self._folder, self._last = folder, (1, 0)
        self._handler: Handler | None = None
        self._is_opened = False
        self._closing: PipesMessage | None = None

    @contextmanager
    def read_messages(self, handler: Handler) -> Iterator[PipesParams]:
        """Remember whom to hand messages to."""
        self._handler = handler
        try:
            yield {"path": self._folder.path}
        finally:
            # Held back until now: Dagster warns of what comes after it, as of a second attempt.
            if self._closing is not None:
                handler.handle_message(self._closing)
            self._handler = None

    def drain(self) -> None:
        """Hand over every message that is there and was not handed over yet.

        Raises:
            MessageError: a file holds something else than messages.
        """
        for number in self._unread():
            name = f"{number[0]}-{number[1]}.json"
            text = self._folder.read(name)
            if text is None:
                return
            for line in text.splitlines():
                self._hand_over(line, name)
            self._last = number

    def _unread(self) -> Iterator[tuple[int, int]]:
        """Attempt and chunk of the files to read, up to the first gap of each attempt."""
        matches = map(CHUNK.fullmatch, self._folder.names())
        found = {(int(match.group(1)), int(match.group(2))) for match in matches if match}
        first, last = self._last
        for attempt in sorted({attempt for attempt, _ in found if attempt >= first}):
            chunk = last + 1 if attempt == first else 1
            while (attempt, chunk) in found:
                yield attempt, chunk
                chunk += 1

    def _hand_over(self, line: str, name: str) -> None:
        try:
            message = json.loads(line)
            known = PipesMessage(
                __dagster_pipes_version=message["__dagster_pipes_version"],
                method=message["method"],
                params=message["params"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise MessageError(
                f"a message cannot be read: {error}",
                where=f"{self._folder.path}/{name}",
                remedy="the run's results are not taken; look at the file, then run the step again",
            ) from error
        if known["method"] == "closed":
            self._closing = known
        elif known["method"] != "opened" or not self._is_opened:
            self._is_opened = self._is_opened or known["method"] == "opened"
            if self._handler is not None:
                self._handler.handle_message(known)

    def no_messages_debug_text(self) -> str:
        """Where to look when the task stays silent."""
        return f"Messages were expected as {self._folder.path}/1-1.json, 1-2.json, …"
