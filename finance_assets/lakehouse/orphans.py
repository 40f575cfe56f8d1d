"""Orphans: data files of a table in a folder that no commit ever named, as crashed writes leave.

Whoever reads an old version needs every file that any commit named, so only the whole log can
tell what is an orphan. Where a part of it is gone, nothing is one.
"""

import time
from pathlib import Path
from urllib.parse import unquote

from finance_assets.lakehouse.commit_files import list_entries, named_files

# A write that is under way has files that are not committed yet.
DAY_SECONDS = 86_400


def find_orphans(table: Path, older_than_seconds: float = DAY_SECONDS) -> list[Path]:
    """The data files that no commit named and nobody changed for so long, in no order.

    Raises:
        ValueError: an entry of the log is no commit.
        OSError: an entry or a folder cannot be read.
    """
    before = time.time() - older_than_seconds
    # The files first: what is committed after this line is young, or named below.
    old = [file for file in _data_files(table) if file.stat().st_mtime < before]
    versions = sorted(list_entries(table))
    if not old or versions != list(range(len(versions))):
        return []
    named: set[str] = set()
    for version in versions:
        for path in named_files(table, version):
            # As it stands there and decoded: a file that either spells is kept.
            named |= {path, unquote(path)}
    return [file for file in old if file.relative_to(table).as_posix() not in named]


def _data_files(table: Path) -> list[Path]:
    """Parquet files but for those in folders that are hidden: the log, change data, ours."""
    found = []
    for file in table.rglob("*.parquet"):
        parts = file.relative_to(table).parts
        if not any(part.startswith(("_", ".")) for part in parts) and file.is_file():
            found.append(file)
    return found
