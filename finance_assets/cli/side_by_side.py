"""Side by side: several use cases at a time, in worker processes that share them.

A local run mostly waits for one core while the others idle. Workers write to the same stores
(Dagster's log, MLflow's), which are made before. What is shown of it is display.py's business.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from finance_assets.cli.display import Display
from finance_assets.cli.worker import GRACE_SECONDS, Answer, Failed, Finished, work
from finance_assets.errors import FinanceAssetsError, ProcessLostError, revived
from finance_assets.settings import Settings
from finance_assets.step.use_case import UseCase
from finance_assets.steps.ingest import deliveries_folder

# What a worker takes at its peak on the shipped use cases, and some room.
WORKER_BYTES = 3 * 2**30


def room() -> int:
    """For how many workers there are cores and memory."""
    if sys.platform == "win32":
        return os.cpu_count() or 1
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(cores, memory // WORKER_BYTES))


def biggest_first(use_cases: dict[str, UseCase], settings: Settings) -> list[str]:
    """Their names, those with the most bytes of deliveries first: the longest one decides."""

    def size(use_case: UseCase) -> int:
        folder = deliveries_folder(settings, use_case.name, use_case.samples)
        files = folder.rglob("*") if folder.is_dir() else ()
        return sum(file.stat().st_size for file in files if file.is_file())

    return sorted(use_cases, key=lambda name: -size(use_cases[name]))


@dataclass
class _Worker:
    process: SpawnProcess
    connection: "Connection[str, Answer]"
    busy_with: str = ""


class Workers:
    """The workers of one run; the block's end is theirs too."""

    def __init__(self, names: list[str], through: str | None, most: int) -> None:
        """Start as many as there is work for; they load their libraries meanwhile."""
        self._waiting, self._through = deque(names), through
        self._workers: list[_Worker] = []
        self._count = min(most, len(names))

    def __enter__(self) -> "Workers":
        """Start them."""
        for _ in range(self._count):
            self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End them: after Ctrl-C, or a mistake of ours, in the middle of what they do."""
        with _unhurried():
            for worker in self._workers:
                worker.connection.close()
                if kind is not None:
                    _interrupt(worker.process)
            until = time.monotonic() + GRACE_SECONDS
            for worker in self._workers:
                worker.process.join(max(0.0, until - time.monotonic()))
                worker.process.kill()
                worker.process.join()

    def run(self, display: Display, lost: Callable[[], None]) -> list[FinanceAssetsError]:
        """Give them the use cases, biggest first, and show what they tell; what failed.

        `lost` is called when a worker ended without a word.
        """
        failures: list[FinanceAssetsError] = []
        for worker in [*self._workers]:
            self._give(worker)
        while busy := [worker for worker in self._workers if worker.busy_with]:
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                failure = self._hear(worker, display, lost)
                if failure is not None:
                    failures.append(failure)
        return failures

    def _hear(
        self, worker: _Worker, display: Display, lost: Callable[[], None]
    ) -> FinanceAssetsError | None:
        name = worker.busy_with
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            self._replace(worker)
            lost()
            error: FinanceAssetsError = _lost(name, worker.process.exitcode)
        else:
            if not isinstance(answer, Failed | Finished):
                display.show(name, answer)
                return None
            self._give(worker)
            if isinstance(answer, Finished):
                return None
            error = revived(answer.kind, answer.what, answer.where, answer.remedy)
        display.fail(name, error)
        return error

    def _give(self, worker: _Worker) -> None:
        """Give a worker the next use case; without one it ends."""
        worker.busy_with = self._waiting.popleft() if self._waiting else ""
        if not worker.busy_with:
            worker.connection.close()
            return
        # One that is gone is noticed when it is listened to.
        with contextlib.suppress(BrokenPipeError):
            worker.connection.send(worker.busy_with)

    def _replace(self, worker: _Worker) -> None:
        worker.process.join()
        self._workers.remove(worker)
        if self._waiting:
            self._give(self._start())

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self._through), daemon=True)
        with _unhurried():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker


def _lost(name: str, code: int | None) -> ProcessLostError:
    """The error of a use case whose process is gone; a negative exit code is a signal's number."""
    how = f"exit code {code}"
    if code is not None and code < 0:
        how = f"signal {-code}, {signal.Signals(-code).name}"
    return ProcessLostError(
        f"the process that ran {name} is gone ({how})",
        where=name,
        remedy="see whether memory ran out, and run again: what is done is not done twice",
    )


def _interrupt(process: SpawnProcess) -> None:
    if process.pid is not None and process.is_alive():
        if sys.platform == "win32":
            process.terminate()
        else:
            os.kill(process.pid, signal.SIGINT)


@contextlib.contextmanager
def _unhurried() -> Iterator[None]:
    """Ctrl-C waits until the block ends; a process that starts in it inherits that."""
    if sys.platform == "win32":
        yield
        return
    from multiprocessing import resource_tracker

    # Started by the first process, it would let Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
