"""The log of a table of a catalog, as DESCRIBE HISTORY tells it: operations, and no files."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from finance_assets.lakehouse.log_index import Reading
from finance_assets.lakehouse.recent import Recent
from finance_assets.lakehouse.stored import Commit

# What a commit may be without changing rows, where only its operation is known. FSCK is not among
# them: it forgets files that are lost, and their rows.
HARMLESS = frozenset(
    {
        *("CREATE TABLE", "ADD CONSTRAINT", "DROP CONSTRAINT", "SET TBLPROPERTIES"),
        *("SET TABLE PROPERTIES", "UNSET TBLPROPERTIES", "UPGRADE PROTOCOL", "CHANGE COLUMN"),
        *("UPDATE COLUMN METADATA", "ADD FEATURE", "DROP FEATURE", "CLUSTER BY", "COMPUTE STATS"),
        *("OPTIMIZE", "REORG", "VACUUM START", "VACUUM END", "SET OWNER"),
    }
)
# Older than any commit of others, were there one or none.
NOT_OURS = -2
# What the engine answers to a statement; the statement says what of which type.
Answer: TypeAlias = Mapping[str, Any]

# The newest commit of tables, and all their rows as long as it is that.
_answered = Recent[tuple[Commit, list[Answer]]]()


def commit_of(row: Answer) -> Commit:
    """A row of DESCRIBE HISTORY as a commit."""
    operation = str(row["operation"])
    changed = frozenset[str]() if operation.upper() in HARMLESS else None
    made_at = in_utc(row["timestamp"])
    return Commit(int(row["version"]), operation, row["userMetadata"], changed, made_at=made_at)


def in_utc(answered: datetime) -> datetime:
    """A time as PySpark gives it: in the process's own zone, which it does not name."""
    return datetime.fromtimestamp(answered.timestamp(), UTC)


def all_rows(path: Path, newest: Commit, ask: Callable[[], list[Answer]]) -> list[Answer]:
    """All rows of a table with this newest commit, which a process asks for once.

    A journal is read a dozen times while a champion changes, each time for half a second or more.
    """
    known = _answered.get(path)
    if known is None or known[0] != newest:
        known = newest, ask()
        _answered.put(path, known)
    return known[1]


def undisturbed(reading: Reading, partitions: Iterable[str]) -> frozenset[str]:
    """The partitions that nobody can have changed since publish last wrote or confirmed them.

    A confirmation writes its rows once more. It may have met a publication of other rows on its
    way; then it says otherwise than that, and proves nothing.
    """
    # A log without its beginning does not say what was written there.
    if len(reading.records) <= reading.newest:
        return frozenset()
    ours: dict[str, int] = {}
    said: dict[str, str] = {}
    foreign = -1
    for record in reversed(reading.records):
        if record.partitions is not None:
            for partition, rows in record.publication.fingerprints.items():
                if not record.is_confirmation or partition not in said:
                    said[partition] = rows
                ours[partition] = record.commit.version if said[partition] == rows else NOT_OURS
        elif record.commit.changed is None:
            foreign = record.commit.version
    return frozenset(p for p in partitions if foreign <= ours.get(p, -1))
