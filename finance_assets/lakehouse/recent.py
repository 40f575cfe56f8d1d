"""Recent: what a process keeps of the tables that it looked at last. Whether it still holds is for
whoever asks to find out.
"""

from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")
# More than the tables of all use cases: whoever looks at more than this in turn keeps none of them.
KEPT = 1024


class Recent(Generic[T]):
    """One thing for each of the tables that were put last, by their folder."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: dict[Path, T] = {}
        self._lock = Lock()
        _all.append(self)

    def get(self, path: Path) -> T | None:
        """What is kept of a table, None if nothing is."""
        return self._kept.get(path)

    def put(self, path: Path, value: T) -> None:
        """Keep this of a table, and forget the table that was put longest ago."""
        with self._lock:
            self._kept.pop(path, None)
            self._kept[path] = value
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


_all: list[Recent[Any]] = []


def forget() -> None:
    """Keep nothing of any table: the next question is answered as in a process that just began."""
    for recent in _all:
        recent.clear()
