"""Maintenance: small files become larger ones, what nobody needs goes, opening stays fast.

Rows, fingerprints and old versions stay as they are: compaction commits no change of data, and
only files that no version names are deleted.
"""

import contextlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.log_index import renew_index
from finance_assets.lakehouse.orphans import DAY_SECONDS
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import Size, StoredTable


@dataclass(frozen=True)
class Maintained:
    """What was done to a table, or would be: live files and bytes before and after, versions.

    `to_merge` counts the small files that were to be merged, `deleted` what no version named;
    both are None where only the engine knows. `problem` says what stood in the way.
    """

    table: str
    before: Size
    after: Size
    version_before: int
    version_after: int
    to_merge: int | None
    deleted: Size | None
    is_checkpointed: bool = False
    is_indexed: bool = False
    problem: str = ""


def maintain_table(lakehouse: Lakehouse, table: str, is_dry_run: bool = False) -> Maintained | None:
    """Compact, vacuum within the retention, checkpoint; None for a table that does not exist.

    A table that does not promise yet to keep its versions is made to, before anything else.

    Raises:
        HistoryError: its log cannot be read.
    """
    before = lakehouse.table(table)
    if not before.exists:
        return None
    size, version, to_merge = before.size(), before.version, before.mergeable_files()
    if is_dry_run:
        # What an engine would delete without the promise is not for us to ask.
        deleted = before.vacuum(is_dry_run=True) if lakehouse.is_retained(before) else None
        return Maintained(*(table, size, size, version, version, to_merge, deleted))
    stored = lakehouse.retained(before)
    problem = "" if to_merge == 0 else _compacted(stored)
    deleted = stored.vacuum(is_dry_run=False)
    history = TableHistory(lakehouse.table(table))
    is_indexed = renew_index(history.stored, history.reading)
    is_checkpointed = history.stored.checkpoint()
    after = lakehouse.table(table)
    return Maintained(
        *(table, size, after.size(), version, after.version, to_merge, deleted),
        *(is_checkpointed, is_indexed, problem),
    )


def _compacted(stored: StoredTable) -> str:
    """Merge small files; what stood in the way. Another writer may: it goes first."""
    try:
        stored.compact()
    except Exception as error:  # noqa: BLE001 - the next maintenance merges what is left
        return f"not compacted: {str(error).partition(chr(10))[0]}"
    return ""


def expire_staging(root: Path, is_dry_run: bool = False) -> tuple[str, ...]:
    """Delete the staged rows of steps that died: what nobody touched for a day; their names."""
    gone, before = [], time.time() - DAY_SECONDS
    for folder in sorted((root / "_staging").glob("*")):
        # Another process may be ending the same step.
        with contextlib.suppress(OSError):
            touched = [folder, *folder.rglob("*")]
            if max(path.stat().st_mtime for path in touched) < before:
                gone.append(folder.name)
                if not is_dry_run:
                    shutil.rmtree(folder, ignore_errors=True)
    return tuple(gone)
