"""Exclusive: one process at a time does something to a table that lies in a folder.

Delta settles races of commits. This is for what a Delta writer does not settle.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Wait until nobody else of this machine holds the folder, then hold it until the block ends.

    The system lets go of it when the process ends, however it ends; no file is left.

    Raises:
        OSError: the file system has no locks.
    """
    if sys.platform == "win32":
        # A folder cannot be locked there.
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
