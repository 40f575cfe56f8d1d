"""Damage: logs and files that cannot be read become an error that names the table."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from finance_assets.errors import HistoryError
from finance_assets.lakehouse.commit_files import entry_path, list_entries
from finance_assets.lakehouse.recent import Recent
from finance_assets.lakehouse.stored import Identity, identity_of

logger = logging.getLogger(__name__)

_opened = Recent[tuple[Any, dict[int, Identity]]]()


@contextmanager
def reading(table: str, path: Path) -> Iterator[None]:
    """A block that reads a table's log or files.

    Raises:
        HistoryError: they are damaged or lost.
    """
    from deltalake.exceptions import DeltaError
    from pyarrow import ArrowException

    try:
        yield
    except Exception as error:
        # What deltalake's parser and its queries meet comes as one of these, or as it is; what
        # pyarrow meets in a file that was cut short, as one of its own.
        is_ours = isinstance(error, DeltaError | ArrowException)
        known = is_ours or isinstance(error, OSError | UnicodeError | JSONDecodeError)
        if not known and type(error) not in (Exception, ValueError):
            raise
        raise _damaged(table, path, str(error).partition("\n")[0]) from error


def open_table(table: str, path: Path) -> tuple[Any, dict[int, Identity]]:
    """A table as it is now, and the files of its log up to that version.

    An empty file in the log is refused: deltalake takes it for a commit that did nothing.

    Raises:
        HistoryError: its log cannot be read.
    """
    return _opened_with(table, path, _whole_log(table, path))


def _opened_with(
    table: str, path: Path, entries: dict[int, Identity]
) -> tuple[Any, dict[int, Identity]]:
    """The table, where its log was listed a moment ago."""
    from deltalake import DeltaTable

    with reading(table, path):
        delta = DeltaTable(str(path))
    newest = int(delta.version())
    if newest not in entries:
        # Somebody committed in between, or the log begins with a checkpoint.
        entries = _whole_log(table, path)
    return delta, {version: entry for version, entry in entries.items() if version <= newest}


def snapshot_of(table: str, path: Path) -> tuple[Any, dict[int, Identity]]:
    """The same, to look at only: opened once as long as the files of its log are the very same.

    A step asks a dozen tables for what the step before it asked them for.

    Raises:
        HistoryError: its log cannot be read.
    """
    entries, known = _whole_log(table, path), _opened.get(path)
    if known is None or known[1] != entries:
        known = _opened_with(table, path, entries)
        _opened.put(path, known)
    return known


def remember(table: str, path: Path, delta: Any, before: dict[int, Identity]) -> None:
    """Keep a table as it stands after a commit that was made with it: who looks at it next need not
    open it. Nobody may commit with it any more.

    `before` are the files of its log that it was opened with. It is kept only if the commit follows
    them directly: otherwise others committed in between, and nobody saw their files. A table that
    was put in its place has other files, so that the next look opens it. The commit is made,
    whatever becomes of this.
    """
    try:
        delta.update_incremental()
        newest = int(delta.version())
        entries = {**before, newest: identity_of(entry_path(path, newest).stat())}
    except Exception:  # noqa: BLE001 - whoever looks next opens it anew, and is told
        logger.debug("%s is not kept as it stands after a commit", table, exc_info=True)
        return
    if newest == max(before, default=-1) + 1:
        _opened.put(path, (delta, entries))


def _whole_log(table: str, path: Path) -> dict[int, Identity]:
    with reading(table, path):
        entries = list_entries(path)
    for version, (size, *_) in entries.items():
        if size == 0:
            name = entry_path(path, version).name
            raise _damaged(table, path, f"the log's entry {name} is empty")
    return entries


def _damaged(table: str, path: Path, what: str) -> HistoryError:
    return HistoryError(
        f"the table cannot be read: {what}",
        where=f"{table} at {path}",
        remedy="restore its files, the log among them, from a backup",
    )
