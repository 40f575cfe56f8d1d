"""Watch: poll a followed run and hand its steps' results on until all are there.

How it is submitted, and what comes after an attempt that failed, is client.py's business.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from finance_assets.codec import of_record
from finance_assets.compute.databricks.followed import DeadAttemptError, FollowedRun
from finance_assets.compute.databricks.messages import FolderMessages, MessageError
from finance_assets.compute.databricks.pipes import Session
from finance_assets.compute.databricks.runs import RemoteRunError, is_finished, is_successful
from finance_assets.compute.databricks.work import Work
from finance_assets.compute.reporting import ANSWER, FAILURE, RESULT, Failure
from finance_assets.errors import FinanceAssetsError

if TYPE_CHECKING:
    from databricks.sdk.service.jobs import Run

# Messages are files: looking for the next one is a request, and mostly for nothing.
READ_SECONDS = 10.0
# The last message of a finished run is looked for this often, `poll_seconds` apart: a volume may
# show a file a little later than the run's end.
LAST_LOOKS = 3

T = TypeVar("T")


class StepFailedError(FinanceAssetsError):
    """A step failed where it ran, with an error that a person can act on."""

    def __init__(self, message: Failure, page: str) -> None:
        """Tell of a failure; `page` is the address of the run's page."""
        self.message, self.page = message, page
        super().__init__(
            f"{message.type}: {message.text}",
            where=f"{message.key} on Databricks, {page}",
            remedy=message.remedy,
        )


@dataclass
class Watched(Generic[T]):
    """A run under watch. `told`: keys of the results that were handed on, also by earlier
    attempts; a step that ran again is not told of twice.
    """

    followed: FollowedRun
    session: Session
    reader: FolderMessages
    work: Work[T]
    told: set[str]
    _heard: int = 0
    _results: list[tuple[str, T]] = field(default_factory=list)
    _failure: Failure | None = None
    # A step failed, or its rows were refused: no later one will run.
    _is_hopeless: bool = False

    def results(self, poll_seconds: float, check: Callable[[], None]) -> Iterator[tuple[str, T]]:
        """Poll until the run is over, then hand its results on and mark the attempt as done.

        Nothing is handed on before: Dagster does not resume us after an interrupt that came while
        it was busy with a result, and nobody would cancel the run. `check` is called between
        looks, and may raise.

        Raises:
            DeadAttemptError: the run failed unseen, or its last message is still missing.
            StepFailedError, RemoteRunError: a step or the run failed; nothing of it goes on.
        """
        if self.followed.is_taken_over and _is_failed(run := self.followed.look()):
            raise DeadAttemptError(f"run {run.run_id} failed unseen")
        run = self._ended(poll_seconds, check)
        yield from self._news()
        if not is_successful(run):
            # A task that was retried behind our back may have made good: then it is none.
            self.followed.close("failed")
            failure = self._failure
            raise step_failure(failure, run) if failure else self.followed.failure(run)
        for _ in range(LAST_LOOKS):
            if not self._missing():
                break
            time.sleep(poll_seconds)
            yield from self._news()
        if self._missing():
            raise self._lost()
        self.followed.close("taken")

    def _ended(self, poll_seconds: float, check: Callable[[], None]) -> "Run":
        """The run once it is over, by itself, or by us once a step failed or was refused."""
        started = read = time.monotonic()
        while True:
            check()
            # Look soon at first, as a step may be short, and then ever more seldom.
            time.sleep(min(poll_seconds, 0.6 + 0.3 * (time.monotonic() - started)))
            run = self.followed.look()
            if is_finished(run):
                return run
            if time.monotonic() - read >= READ_SECONDS:
                self._hear()
                if self._is_hopeless:
                    return self.followed.settle()
                read = time.monotonic()

    def _missing(self) -> list[str]:
        return [key for key in self.work.keys if key not in self.told]

    def _hear(self) -> None:
        """Read what is new: log lines reach Dagster, results wait, a failure is remembered.

        Raises:
            MessageError: a result or a failure is not what this code knows as one.
        """
        self.reader.drain()
        for message in self.session.get_custom_messages()[self._heard :]:
            self._heard += 1
            try:
                self._take(message)
            except (ValueError, KeyError, TypeError) as error:
                raise MessageError(
                    f"what the run sent cannot be read: {error}",
                    where=self.followed.folder.path,
                    remedy="another version of this package may have sent it; run the step again",
                ) from error

    def _take(self, message: Any) -> None:
        if message["kind"] in (RESULT, ANSWER):
            result = self.work.read(message["result"])
            self._results.append((message["key"], result))
            self._is_hopeless = self._is_hopeless or self.work.is_last(result)
        elif message["kind"] == FAILURE:
            self._failure, self._is_hopeless = of_record(Failure, message), True

    def _news(self) -> Iterator[tuple[str, T]]:
        """Results that were not told yet."""
        self._hear()
        while self._results:
            key, result = self._results.pop(0)
            if key not in self.told:
                self.told.add(key)
                yield key, result

    def _lost(self) -> Exception:
        where = f"run {self.followed.run_id}, {self.followed.folder.path}"
        if self.followed.is_taken_over:
            return DeadAttemptError(f"the last message is still missing ({where})")
        return RemoteRunError(
            f"the run succeeded, but the result of {', '.join(self._missing())} is missing",
            where=where,
            remedy="ask again: a re-executed step reads again, and runs anew if need be",
        )


def _is_failed(run: "Run") -> bool:
    return is_finished(run) and not is_successful(run)


def step_failure(message: Failure, run: "Run") -> FinanceAssetsError:
    """The error that a step's failure message tells of."""
    page = run.run_page_url or "no page"
    if message.is_ours:
        return StepFailedError(message, page)
    return RemoteRunError(
        f"{message.type}: {message.text}",
        where=f"{message.key} on Databricks, {page}",
        remedy="see the trace and the run's page",
        trace=message.trace,
    )
