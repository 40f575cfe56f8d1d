"""The log's index: what was once read of a table's commits, so that it need not be read again.

A cache and nothing else. Its file is named by the sha256 of its content, and a property of the
table, which is part of the log, names the file. So an index that was altered, or that somebody
else made, is none. Where the log's files can be seen, each must still be the very file that was
read. What does not hold is thrown away, and the log is read. So is the index of another edition of
this package: it says what that one could read of the commits.
"""

import contextlib
import hashlib
import logging
import uuid
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path

from finance_assets.codec import adapter
from finance_assets.lakehouse.publication import Delivery, Ledger, Publication
from finance_assets.lakehouse.recent import Recent
from finance_assets.lakehouse.stored import Commit, StoredTable

PROPERTY = "finance_assets.log_index"
# So many commits may follow the index before there is a new one: reading one takes 0.1 ms, and an
# index of 1,000 commits about 4 ms to read and 10 to write.
RENEW_AFTER = 20
# A reader may still be at the one before, while another writer makes the next.
KEPT = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Record:
    """A commit, and which partitions it published; None where publish did not make it."""

    commit: Commit
    partitions: tuple[str, ...] | None
    is_confirmation: bool = False

    @classmethod
    def of(cls, commit: Commit) -> "Record":
        """What a commit says of itself."""
        try:
            said = Publication.from_json(commit.text or "", commit.version)
        except ValueError:
            return cls(commit, None)
        return cls(commit, said.partitions, said.is_confirmation)

    @cached_property
    def publication(self) -> Publication:
        """What the commit says. Only for a commit that publish made."""
        return Publication.from_json(self.commit.text or "", self.commit.version)


@dataclass(frozen=True)
class Reading:
    """Every commit of a table, newest first: those that were read, and those of the index."""

    read: tuple[Record, ...] = ()
    indexed: tuple[Record, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        """Every record that was read."""
        return self.read + self.indexed

    @property
    def newest(self) -> int:
        """The newest version that was read; -1 without any."""
        return self.records[0].commit.version if self.read or self.indexed else -1


@dataclass(frozen=True)
class Index:
    """What is kept of a log: its records, newest first, and the edition that they were read by."""

    edition: str
    records: tuple[Record, ...]


_memory = Recent[Reading]()


def read_log(stored: StoredTable, earlier: Reading | None = None) -> Reading:
    """Every commit of a table; of the log only those are read that its index lacks.

    `earlier`: what the caller read of it a moment ago, before it committed.
    """
    if not stored.exists:
        return Reading()
    known = earlier if earlier and earlier.newest <= stored.version else None
    known = known or _remembered(stored) or Reading((), _read_index(stored))
    read = tuple(map(Record.of, stored.commits(known.newest)))
    found = Reading(read + known.read, known.indexed)
    _memory.put(stored.path, found)
    return found


def _remembered(stored: StoredTable) -> Reading | None:
    """What this process read of the log before, if it still is that log."""
    known = _memory.get(stored.path)
    if known is None or not known.records:
        return None
    # An index that somebody deleted has to be missed, or nobody would make it again.
    if known.indexed and not any(_folder(stored).glob("*.json")):
        return None
    return known if _is_of_log(known.records, stored) else None


def renew_index(stored: StoredTable, reading: Reading, after: int = RENEW_AFTER) -> bool:
    """Make a new index, if more than so many commits had to be read; whether there is one.

    Nothing depends on it, so a failure is told and no more.
    """
    if len(reading.read) <= after:
        return False
    content = adapter(Index).dump_json(Index(_edition(), reading.records))
    digest = hashlib.sha256(content).hexdigest()
    folder = _folder(stored)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{uuid.uuid4().hex}.part"
        unfinished.write_bytes(content)
        unfinished.replace(folder / f"{digest}.json")
        stored.set_properties({PROPERTY: digest})
        _memory.put(stored.path, Reading((), reading.records))
    except Exception as error:  # noqa: BLE001 - the rows are published, whatever happens to this
        logger.warning("no new index of the log of %s: %s", stored.table, error)
        return False
    _forget_older(folder)
    return True


def _read_index(stored: StoredTable) -> tuple[Record, ...]:
    """The records of the index that the log names, newest first; none if it does not hold."""
    digest = stored.configuration.get(PROPERTY, "")
    # Hexadecimal only: the property becomes part of a path.
    if not digest or not digest.isalnum():
        return ()
    try:
        content = (_folder(stored) / f"{digest}.json").read_bytes()
    except OSError:
        return ()
    if hashlib.sha256(content).hexdigest() != digest:
        return ()
    try:
        index: Index = adapter(Index).validate_json(content)
    except ValueError:
        return ()
    if index.edition != _edition() or not index.records:
        return ()
    return index.records if _is_of_log(index.records, stored) else ()


def _is_of_log(records: tuple[Record, ...], stored: StoredTable) -> bool:
    """Whether the log still holds exactly the files that the records were read from; where these
    are hidden, the very commit that was the newest, by its time and its text.
    """
    newest, entries = records[0].commit, stored.entries()
    if newest.version > stored.version:
        return False
    if entries is None:
        return newest in stored.commits(newest.version - 1)
    found = {version: entry for version, entry in entries.items() if version <= newest.version}
    return found == {record.commit.version: record.commit.entry for record in records}


def _folder(stored: StoredTable) -> Path:
    return stored.path / "_log_index"


def _forget_older(folder: Path) -> None:
    """Delete all but the newest index files. Others may be doing the same."""
    with contextlib.suppress(OSError):
        files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        for file in files[KEPT:]:
            file.unlink(missing_ok=True)


@cache
def _edition() -> str:
    """Digest of the fields that this edition reads: another one reads other texts, or otherwise."""
    kinds = (Publication, Ledger, Delivery, Record, Commit)
    read = [(kind.__name__, [(f.name, str(f.type)) for f in fields(kind)]) for kind in kinds]
    return hashlib.sha256(repr(read).encode()).hexdigest()[:16]
