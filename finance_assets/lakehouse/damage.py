"""Damage: logs and files that cannot be read become an error that names the table."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finance_assets.errors import HistoryError


@contextmanager
def reading(table: str, path: Path) -> Iterator[None]:
    """A block that reads a table's log or files.

    Raises:
        HistoryError: they are damaged or lost.
    """
    from deltalake.exceptions import DeltaError

    try:
        yield
    except Exception as error:
        # What deltalake's parser and its queries meet comes as one of these, or as it is.
        known = isinstance(error, DeltaError | OSError | UnicodeError)
        if not known and type(error) not in (Exception, ValueError):
            raise
        raise _damaged(table, path, str(error).partition("\n")[0]) from error


def require_whole_log(table: str, path: Path) -> None:
    """Refuse a log with an empty entry, which deltalake takes for a commit that did nothing.

    Raises:
        HistoryError: an entry is empty.
    """
    for entry in (path / "_delta_log").glob("*.json"):
        if entry.stat().st_size == 0:
            raise _damaged(table, path, f"the log's entry {entry.name} is empty")


def _damaged(table: str, path: Path, what: str) -> HistoryError:
    return HistoryError(
        f"the table cannot be read: {what}",
        where=f"{table} at {path}",
        remedy="restore its files, the log among them, from a backup",
    )
