"""Alive: which runs of this home have a process that still works on them.

A process holds a lock on a file named after its run; the system lets go of it when the process
ends, however it ends. A file that nobody holds is that of a run whose process was killed.
"""

import contextlib
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finance_assets.settings import Settings

# The runs of this process, each with its file: a run that is held already is not held twice.
_held: dict[str, int] = {}


@contextmanager
def held(settings: Settings, run_id: str) -> Iterator[None]:
    """Say that this process works on the run, until the block ends."""
    is_new = hold(settings, run_id)
    try:
        yield
    finally:
        if is_new:
            let_go(settings, run_id)


def hold(settings: Settings, run_id: str) -> bool:
    """Say that this process works on the run, until it lets go or ends; whether it is new."""
    if sys.platform == "win32" or not run_id or run_id in _held:
        return False
    place = _place(settings, run_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    # Locked under another name first: nobody ever sees the file without its lock.
    new = place.with_name(f".{uuid.uuid4().hex}")
    handle = _held[run_id] = os.open(new, os.O_CREAT | os.O_RDWR, 0o600)
    _lock(handle)
    new.replace(place)
    return True


def let_go(settings: Settings, run_id: str) -> None:
    """Say that this process is done with the run, if it worked on it."""
    handle = _held.pop(run_id, None)
    if handle is not None:
        # Deleted first: what is finished is never taken for killed.
        _place(settings, run_id).unlink(missing_ok=True)
        os.close(handle)


def left_behind(settings: Settings) -> Iterator[str]:
    """The runs whose process was killed, until the caller forgets them."""
    folder = _place(settings, "any").parent
    for place in sorted(folder.glob("[!.]*")) if folder.is_dir() else []:
        with contextlib.suppress(FileNotFoundError), place.open("rb") as stream:
            if _lock(stream.fileno()):
                yield place.name


def forget(settings: Settings, run_id: str) -> None:
    """Look no more at a run whose process was killed."""
    _place(settings, run_id).unlink(missing_ok=True)


def _place(settings: Settings, run_id: str) -> Path:
    return settings.dagster_home / "alive" / run_id


def _lock(handle: int) -> bool:
    """Lock a file that is open; false if another process holds it, or locks do not exist."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
