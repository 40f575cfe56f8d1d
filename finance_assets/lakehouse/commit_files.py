"""Commit files: the entries of a folder's Delta log, read one by one.

deltalake reads all of them to answer what the newest said; here only those are read that are
asked for. What their texts mean is history.py's business.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from finance_assets.lakehouse.stored import Commit, Identity, identity_of

DIGITS = 20
# Path and size in bytes of each data file.
Files = dict[str, int]


class DataFile(TypedDict, total=False):
    """A data file that a commit adds or takes away; what we read of it."""

    path: str
    size: int
    partitionValues: dict[str, str | None]
    dataChange: bool


class CommitInfo(TypedDict, total=False):
    """What a commit says of itself; what we read of it."""

    operation: str
    userMetadata: str


class Action(TypedDict, total=False):
    """A line of a commit, in the words of Delta's protocol; what we read of it."""

    add: DataFile
    remove: DataFile
    cdc: DataFile
    commitInfo: CommitInfo


def log_folder(table: Path) -> Path:
    """Where the log of a table lies."""
    return table / "_delta_log"


def has_log(table: Path) -> bool:
    """Whether a table has a commit or a checkpoint of one; nothing is opened."""
    try:
        with os.scandir(log_folder(table)) as files:
            return any(file.name.endswith((".json", ".parquet")) for file in files)
    except (FileNotFoundError, NotADirectoryError):
        return False


def entry_path(table: Path, version: int) -> Path:
    """The log's file for a version."""
    return log_folder(table) / f"{version:0{DIGITS}d}.json"


def list_entries(table: Path) -> dict[int, Identity]:
    """Every commit file there is; none is opened."""
    found = {}
    with os.scandir(log_folder(table)) as files:
        for file in files:
            stem, _, suffix = file.name.partition(".")
            if suffix == "json" and len(stem) == DIGITS and stem.isdigit():
                found[int(stem)] = identity_of(file.stat())
    return found


def last_checkpoint(table: Path) -> int:
    """The newest version with a checkpoint, -1 without any."""
    names = (file.name.split(".") for file in log_folder(table).iterdir())
    return max((int(n[0]) for n in names if n[0].isdigit() and "checkpoint" in n), default=-1)


def read_actions(table: Path, version: int) -> list[Action]:
    """The actions of a commit. The one place that opens a commit file.

    Raises:
        ValueError: the file is no commit.
        OSError: it cannot be read.
    """
    text = entry_path(table, version).read_text("utf-8")
    # Not splitlines(): values in the statistics may hold what Unicode calls a line end.
    actions = [json.loads(line) for line in text.split("\n") if line.strip()]
    if not all(isinstance(action, dict) for action in actions):
        raise ValueError(f"version {version} of the log is no list of actions")
    return actions


def read_commit(table: Path, version: int, entry: Identity) -> Commit:
    """What a commit says of itself, and which partitions' rows it changed.

    Raises:
        ValueError: the file is no commit.
        OSError: it cannot be read.
    """
    actions = read_actions(table, version)
    info = next((a["commitInfo"] for a in actions if a.get("commitInfo")), CommitInfo())
    text = info.get("userMetadata")
    return Commit(
        version,
        str(info.get("operation")),
        text if isinstance(text, str) else None,
        _changed(actions),
        entry,
    )


def written_files(table: Path, version: int, column: str) -> dict[str, Files]:
    """The data files that a commit added to each partition; nothing if its entry is gone."""
    if not entry_path(table, version).exists():
        return {}
    written: dict[str, Files] = {}
    for added in (action.get("add") for action in read_actions(table, version)):
        if added:
            files = written.setdefault(str(added["partitionValues"][column]), {})
            files[added["path"]] = added["size"]
    return written


def named_files(table: Path, version: int) -> Iterator[str]:
    """Every data file that a commit adds or removes."""
    for action in read_actions(table, version):
        for file in (action.get("add"), action.get("remove"), action.get("cdc")):
            if file:
                yield str(file["path"])


def _changed(actions: list[Action]) -> frozenset[str] | None:
    """The partitions whose rows a commit changed; compaction marks its files as no change."""
    changed: set[str] = set()
    for action in actions:
        file = action.get("add") or action.get("remove") or DataFile()
        if file.get("dataChange"):
            values = file.get("partitionValues")
            if not values:
                return None
            changed.update(str(value) for value in values.values())
    return frozenset(changed)
