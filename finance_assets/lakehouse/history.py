"""The commit log of a table: versions, and which publication last changed a partition.

Every commit that publish.py makes carries a `Publication` as its user metadata. A commit without
one (create table, add constraint, compaction) changes no rows, or it is a foreign writer's. Where
the log lies is the stored table's business.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from finance_assets.calendar import Window
from finance_assets.lakehouse.log_index import Reading, Record, read_log
from finance_assets.lakehouse.publication import Delivery, Ledger, Publication
from finance_assets.lakehouse.stored import Commit, Identity, Row, StoredTable, written_at

__all__ = ["Delivery", "Ledger", "Publication", "TableHistory"]


@dataclass(frozen=True)
class TableHistory:
    """A stored table and what its log says, as it stood when this object first read it.

    `earlier` is what was read of the log just before, so that only what came since is read.
    """

    stored: StoredTable
    earlier: Reading | None = None

    @property
    def exists(self) -> bool:
        """Whether the table was ever created."""
        return self.stored.exists

    @property
    def version(self) -> int:
        """The newest Delta version, -1 for a table that does not exist."""
        return self.stored.version

    @property
    def created_at(self) -> datetime:
        """When the table was made (UTC); one that was deleted and made anew is another table."""
        return self.stored.created_at

    @property
    def configuration(self) -> dict[str, str]:
        """The table's properties, constraints among them."""
        return self.stored.configuration

    def rows(self, select: str = "*", where: str = "true", version: int | None = None) -> list[Row]:
        """Rows as dicts: for the small tables of records, or for queries with few results."""
        return self.stored.rows(select, where, version)

    def row_counts(self) -> dict[str, int]:
        """Rows stored per partition value."""
        return self.stored.row_counts()

    @cached_property
    def reading(self) -> Reading:
        """What was read of the log to answer everything here."""
        return read_log(self.stored, self.earlier)

    @property
    def head(self) -> Commit | None:
        """The newest commit, None without any. While it stays, so does all that is said here."""
        return self.reading.records[0].commit if self.reading.records else None

    @cached_property
    def publications(self) -> list[Publication]:
        """Every publication that wrote rows, newest first."""
        return [
            record.publication
            for record in self.reading.records
            if record.partitions is not None and not record.is_confirmation
        ]

    @cached_property
    def _by_partition(self) -> dict[str, list[Record]]:
        """The publications and confirmations of each partition, newest first."""
        found: dict[str, list[Record]] = {}
        for record in self.reading.records:
            for partition in record.partitions or ():
                found.setdefault(partition, []).append(record)
        return found

    def publication_of(self, partition: str, at: int | None = None) -> Publication | None:
        """The publication that last changed a partition (as of version `at`), None if none did."""
        for record in self._by_partition.get(partition, ()):
            is_later = at is not None and record.commit.version > at
            if not record.is_confirmation and not is_later:
                return record.publication
        return None

    def in_force(self, partition: str) -> Publication | None:
        """The publication that last changed a partition, with what was confirmed of it since.

        Its version is the newest at which the partition was known to be as it should be.
        """
        records = self._by_partition.get(partition)
        if not records:
            return None
        newest, publication = records[0].publication, self.publication_of(partition)
        if publication is None or newest is publication:
            # A partition that was always empty has confirmations only.
            return newest
        return replace(
            newest,
            ledgers=publication.ledgers,
            fingerprints=publication.fingerprints,
            measured_by=publication.measured_by,
        )

    @cached_property
    def _foreign(self) -> dict[int, frozenset[str] | None]:
        """Versions by writers other than publish, with the partitions changed; None: any."""
        return {
            record.commit.version: record.commit.changed
            for record in self.reading.records
            if record.partitions is None and record.commit.changed != frozenset()
        }

    @property
    def foreign_versions(self) -> list[int]:
        """Commits by writers other than publish that changed rows, oldest first."""
        return sorted(self._foreign)

    def altered_at(self, partition: str) -> int | None:
        """The newest version at which a writer other than publish changed a partition's rows.

        None if publish wrote or confirmed the partition since. Where the log does not say which
        partitions were changed, it may be any that was ever published.
        """
        known = self._by_partition.get(partition)
        for version, changed in self._foreign.items():
            if known and version < known[0].commit.version:
                return None
            if partition in changed if changed is not None else known:
                return version
        return None

    def republished_since(self, partition: str, version: int) -> int | None:
        """The version at which publish gave a partition other rows than it had at `version`.

        None if it has the very rows of then, as after a correction that was taken back, and no
        other writer changed it in between.
        """
        then, now = self.publication_of(partition, version), self.publication_of(partition)
        if now is None or now.version <= version:
            return None
        if then is None or then.measured_by != now.measured_by:
            return now.version
        is_ours = not any(
            at > then.version and (changed is None or partition in changed)
            for at, changed in self._foreign.items()
        )
        is_same = then.fingerprints[partition] == now.fingerprints[partition]
        return None if is_same and is_ours else now.version

    def content_of(self, partition: str) -> str:
        """Digest of everything that was ever added to a partition of an append-only table."""
        added = [p.fingerprints[partition] for p in self.publications if partition in p.ledgers]
        return hashlib.sha256("\n".join(reversed(added)).encode()).hexdigest()[:16]

    def digest_of(self, window: Window, at: int | None = None) -> str:
        """Digest of what the log says is stored of a window (as of version `at`).

        Of the same rows it is the same, whatever their versions and whichever table holds them.
        """
        found = {p: self.publication_of(p, at) for p in window}
        said = [f"{p} {one.fingerprints[p]}" for p, one in found.items() if one is not None]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]

    def version_of(self, window: Window, at: int | None = None) -> int | None:
        """The newest Delta version at which a partition of the window changed, `at` or before."""
        publications = (self.publication_of(partition, at) for partition in window)
        found = [p.version for p in publications if p is not None]
        return max(found, default=None)

    def untouched(self, written: dict[str, int | None]) -> frozenset[str]:
        """The partitions that hold what a commit wrote, as far as the table can tell."""
        return self.stored.untouched(written, self.reading)

    def ledger_of(self, partition: str) -> Ledger:
        """The ledger in force for a partition; one of no rows if it was never published."""
        publication = self.publication_of(partition)
        return publication.ledgers[partition] if publication else Ledger(0, 0)

    def recorded(self) -> frozenset[str]:
        """The partitions that were published or found empty."""
        return frozenset(self._by_partition)

    def ledgers(self) -> dict[str, Ledger]:
        """The ledger in force for each published partition."""
        ledgers: dict[str, Ledger] = {}
        for publication in reversed(self.publications):
            ledgers.update(publication.ledgers)
        return dict(sorted(ledgers.items()))

    def deliveries(self) -> dict[str, Delivery]:
        """What each published partition was ingested from, where that was recorded."""
        deliveries: dict[str, Delivery] = {}
        for record in reversed(self.reading.records):
            if record.partitions is not None:
                deliveries.update(record.publication.deliveries)
        return dict(sorted(deliveries.items()))

    def corrections(self) -> dict[str, int]:
        """How often another delivery of a partition took the place of one, where it ever did."""
        found, known = Counter[str](), dict[str, Delivery]()
        for record in reversed(self.reading.records):
            if record.partitions is not None:
                come = record.publication.deliveries
                found.update(p for p, one in come.items() if known.get(p, one) != one)
                known.update(come)
        return dict(found)

    def delivered_files(self) -> dict[str, Identity]:
        """The file that each of these came from, where that was recorded."""
        files: dict[str, Identity] = {}
        for record in reversed(self.reading.records):
            if record.partitions is not None:
                for partition in record.publication.deliveries:
                    files.pop(partition, None)
                files.update(record.publication.files)
        return files

    def delivered_at(self) -> dict[str, datetime]:
        """When the file that each of these came from got its content (UTC)."""
        return {partition: written_at(file) for partition, file in self.delivered_files().items()}

    def deliveries_of(self, publication: Publication, partition: str) -> list[Delivery]:
        """What a publication's rows of a partition came from, and came from again unchanged."""
        found: list[Delivery] = []
        for record in reversed(self._by_partition.get(partition, ())):
            version = record.commit.version
            if version > publication.version and not record.is_confirmation:
                break
            if version >= publication.version and partition in record.publication.deliveries:
                found.append(record.publication.deliveries[partition])
        return found
