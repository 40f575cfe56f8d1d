"""Copies of the project, in which faults are planted and tests run.

Whether a test notices a fault can only be said of one that passes without it. So the tests run
once in a sound copy first; what fails there would fail with every fault, and prove nothing.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from finance_assets_tests.mutants.mutant import Mutant

# What only a slow test notices, people would plant again before they hear of it.
QUICK = ("-x", "-q", "-p", "no:cacheprovider", "-m", "not slow")
# How pytest ends when a test fails, a module of tests does not load, a conftest does not load.
FAILED, UNCOLLECTED, UNCONFIGURED = 1, 2, 4
NOTICED = (FAILED, UNCOLLECTED, UNCONFIGURED)

Wanted = TypeVar("Wanted")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Copy:
    """A copy of the project, sound but while a fault is tried."""

    root: Path

    def require_sound(self, tests: str) -> None:
        """Refuse tests that do not pass as they are.

        Raises:
            ValueError: one fails, or none runs.
        """
        done = self._run(tests)
        if done.returncode != 0:
            raise ValueError(f"{tests}: red without any fault\n{done.stdout[-2000:]}")

    def notices(self, mutant: Mutant) -> bool:
        """Whether the tests, which are sound, fail with a fault in place; the file is restored.

        A fault with which the package does not load is noticed, too: without it, it did.

        Raises:
            ValueError: the text is not there exactly once, or the tests were not run to an end.
        """
        path = self.root / "finance_assets" / mutant.file
        sound, planted = path.read_text(), mutant.planted(self.root)
        path.write_text(planted)
        try:
            done = self._run(mutant.tests)
        finally:
            path.write_text(sound)
        if done.returncode not in (0, *NOTICED):
            raise ValueError(f"the tests of {mutant.file} did not run:\n{done.stdout[-2000:]}")
        return done.returncode in NOTICED

    def _run(self, tests: str) -> "subprocess.CompletedProcess[str]":
        paths = [str(self.root / "finance_assets_tests" / test) for test in tests.split()]
        return subprocess.run(
            [sys.executable, "-m", "pytest", *QUICK, *paths],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )


@dataclass(frozen=True)
class Copies:
    """As many copies as work side by side, each used by one at a time."""

    free: "SimpleQueue[Copy]"
    count: int

    @classmethod
    def made(cls, project: Path, folder: Path, count: int) -> "Copies":
        """Copies of a project, but for its documents and what was made of it."""
        free: SimpleQueue[Copy] = SimpleQueue()
        ignored = shutil.ignore_patterns(".*", "__pycache__", "docs")
        for number in range(count):
            free.put(Copy(shutil.copytree(project, folder / str(number), ignore=ignored)))
        return cls(free, count)

    def each(
        self, wanted: Iterable[Wanted], work: Callable[[Copy, Wanted], Found]
    ) -> Iterator[tuple[Wanted, Found]]:
        """What was found for each of them, as it becomes known."""

        def done(item: Wanted) -> tuple[Wanted, Found]:
            with self._one() as copy:
                return item, work(copy, item)

        with ThreadPoolExecutor(self.count) as pool:
            tasks = [pool.submit(done, item) for item in wanted]
            try:
                for task in as_completed(tasks):
                    yield task.result()
            finally:
                pool.shutdown(cancel_futures=True)

    @contextmanager
    def _one(self) -> Iterator[Copy]:
        copy = self.free.get()
        try:
            yield copy
        finally:
            self.free.put(copy)
