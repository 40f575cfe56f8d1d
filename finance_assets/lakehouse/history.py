"""The commit log of a table: versions, and which publication last changed a partition.

Reads Delta's log without an engine. Every commit that publish.py makes carries a `Publication`
as its user metadata. A commit without one (create table, add constraint) changes no rows, or it
is a foreign writer's.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

from finance_assets.calendar import Window
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.lakehouse.foreign import partitions_changed
from finance_assets.lakehouse.publication import Delivery, Ledger, Publication

__all__ = ["Delivery", "Ledger", "Publication", "TableHistory"]


@dataclass(frozen=True)
class TableHistory(FolderTable):
    """The log of one table, as it stood when this object first read it."""

    @cached_property
    def _records(self) -> dict[int, Publication | None]:
        """What each commit says of itself, newest first; None where publish did not make it."""
        commits = self._commits if self.exists else []
        versions = {int(commit["version"]): commit.get("userMetadata") for commit in commits}
        return {v: _publication(versions[v], v) for v in sorted(versions, reverse=True)}

    @cached_property
    def publications(self) -> list[Publication]:
        """Every publication that wrote rows, newest first."""
        return [p for p in self._records.values() if p is not None and not p.is_confirmation]

    @cached_property
    def _by_partition(self) -> dict[str, list[Publication]]:
        """The publications and confirmations of each partition, newest first."""
        found: dict[str, list[Publication]] = {}
        for publication in self._records.values():
            for partition in publication.ledgers if publication else ():
                found.setdefault(partition, []).append(publication)  # type: ignore[arg-type]
        return found

    def publication_of(self, partition: str, at: int | None = None) -> Publication | None:
        """The publication that last changed a partition (as of version `at`), None if none did."""
        for publication in self._by_partition.get(partition, ()):
            is_later = at is not None and publication.version > at
            if not publication.is_confirmation and not is_later:
                return publication
        return None

    def in_force(self, partition: str) -> Publication | None:
        """The publication that last changed a partition, with what was confirmed of it since.

        Its version is the newest at which the partition was known to be as it should be.
        """
        publication = self.publication_of(partition)
        newest = next(iter(self._by_partition.get(partition, ())), None)
        if publication is None or newest is None or newest is publication:
            # A partition that was always empty has confirmations only.
            return newest
        return replace(newest, ledgers=publication.ledgers, fingerprints=publication.fingerprints)

    @cached_property
    def _foreign(self) -> dict[int, frozenset[str] | None]:
        """Versions by writers other than publish, with the partitions changed; None: any."""
        commits = self._commits if self.exists else []
        operations = {int(c["version"]): str(c.get("operation")) for c in commits}
        changes = {
            version: partitions_changed(self.path, version, operations[version])
            for version, publication in self._records.items()
            if publication is None
        }
        return {version: changed for version, changed in changes.items() if changed != frozenset()}

    @property
    def foreign_versions(self) -> list[int]:
        """Commits by writers other than publish that changed rows, oldest first."""
        return sorted(self._foreign)

    def altered_at(self, partition: str) -> int | None:
        """The newest version at which a writer other than publish changed a partition's rows.

        None if publish wrote or confirmed the partition since. Where the log does not say which
        partitions were changed, it may be any that was ever published.
        """
        known = self.in_force(partition)
        for version, changed in self._foreign.items():
            if known is not None and version < known.version:
                return None
            if partition in changed if changed is not None else known is not None:
                return version
        return None

    def content_of(self, partition: str) -> str:
        """Digest of everything that was ever added to a partition of an append-only table."""
        added = [p.fingerprints[partition] for p in self.publications if partition in p.ledgers]
        return hashlib.sha256("\n".join(reversed(added)).encode()).hexdigest()[:16]

    def version_of(self, window: Window) -> int | None:
        """The newest Delta version at which a partition of the window changed."""
        found = [p.version for p in map(self.publication_of, window) if p is not None]
        return max(found, default=None)

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
        for publication in reversed(self._records.values()):
            deliveries.update(publication.deliveries if publication else {})
        return dict(sorted(deliveries.items()))

    def deliveries_of(self, publication: Publication, partition: str) -> list[Delivery]:
        """What a publication's rows of a partition came from, and came from again unchanged."""
        found: list[Delivery] = []
        for later in reversed(self._by_partition.get(partition, ())):
            if later.version > publication.version and not later.is_confirmation:
                break
            if later.version >= publication.version and partition in later.deliveries:
                found.append(later.deliveries[partition])
        return found


def _publication(text: str | None, version: int) -> Publication | None:
    try:
        return Publication.from_json(text, version) if text else None
    except ValueError:
        return None
