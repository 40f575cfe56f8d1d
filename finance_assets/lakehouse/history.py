"""The commit log of a table: versions, and which publication last changed a partition.

Reads Delta's log without an engine. Every commit that publish.py makes carries a `Publication`
as its user metadata. A commit without one (create table, add constraint) changes no rows, or it
is a foreign writer's.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from finance_assets.errors import HistoryError
from finance_assets.lakehouse.commits import annotate, append_after
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.damage import reading, require_whole_log
from finance_assets.lakehouse.foreign import partitions_changed
from finance_assets.lakehouse.publication import Delivery, Ledger, Publication
from finance_assets.lakehouse.windows import Window

__all__ = ["Delivery", "Ledger", "Publication", "TableHistory"]


@dataclass(frozen=True)
class TableHistory:
    """The log of one table, as it stood when this object first read it."""

    table: str
    path: Path

    @property
    def exists(self) -> bool:
        """Whether the table was ever created."""
        return (self.path / "_delta_log").is_dir()

    @cached_property
    def _delta(self) -> Any:
        return self.open()

    @property
    def configuration(self) -> dict[str, str]:
        """The table's properties, constraints among them."""
        return {k: str(v) for k, v in self._delta.metadata().configuration.items()}

    def open(self) -> Any:
        """The table as it is now.

        Raises:
            HistoryError: its log cannot be read.
        """
        from deltalake import DeltaTable

        require_whole_log(self.table, self.path)
        with reading(self.table, self.path):
            return DeltaTable(str(self.path))

    def add_constraint(self, name: str, condition: str, properties: dict[str, str]) -> bool:
        """Put a CHECK constraint and properties on the table; false if stored rows break it."""
        from deltalake.exceptions import DeltaError

        table = self.open()
        try:
            table.alter.add_constraint({name: condition})
            table.alter.set_table_properties(properties, raise_if_not_exists=False)
        except DeltaError:
            return False
        return True

    def annotate(self, text: str) -> bool:
        """Commit a text without rows; false where that is not possible."""
        annotate(self.open(), text)
        return True

    def drop_constraint(self, name: str) -> None:
        """Take a CHECK constraint off the table, if it is there."""
        self.open().alter.drop_constraint(name, raise_if_not_exists=False)

    @property
    def version(self) -> int:
        """The newest Delta version, -1 for a table that does not exist."""
        return int(self._delta.version()) if self.exists else -1

    @cached_property
    def _commits(self) -> list[dict[str, Any]]:
        """Every commit, newest first."""
        with reading(self.table, self.path):
            return list(self._delta.history())

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

    @property
    def foreign_versions(self) -> list[int]:
        """Commits that changed rows and carry no publication: somebody wrote around us."""
        return sorted(self._foreign)

    def append(
        self, contract: Contract, records: list[dict[str, Any]], statement: str, after: int
    ) -> None:
        """Add rows in one commit that directly follows version `after`.

        Args:
            contract: the table's; every record has a value for each of its columns.
            records: the rows to add.
            statement: text that rides in the commit.
            after: the version that the caller read, and rests on.

        Raises:
            LostRaceError: another writer committed since; nothing was written.
        """
        append_after(self.table, self.path, contract, records, statement, after)

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

    def row_counts(self) -> dict[str, int]:
        """Rows stored per partition value, from the statistics of the live data files."""
        if not self.exists:
            return {}
        import pyarrow as pa

        actions = pa.table(self._delta.get_add_actions(flatten=True)).to_pylist()
        column = f"partition.{self._delta.metadata().partition_columns[0]}"
        counts: dict[str, int] = {}
        for action in actions:
            counts[action[column]] = counts.get(action[column], 0) + int(action["num_records"])
        return dict(sorted(counts.items()))

    def missing_files(self, version: int) -> list[str]:
        """Data files of a version that are no longer there: vacuumed, or lost.

        Raises:
            HistoryError: the log does not reach back to the version, or never knew it.
        """
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        try:
            table = DeltaTable(str(self.path), version=version)
        except DeltaError as error:
            raise HistoryError(
                f"version {version} cannot be read any more: {error}",
                where=f"{self.table} at {self.path}",
                remedy="restore the table's log from a backup",
            ) from error
        paths = (self.path / unquote(action) for action in _paths(table))
        return [path.name for path in paths if not path.exists()]

    def rows(
        self, select: str = "*", where: str = "true", version: int | None = None
    ) -> list[dict[str, Any]]:
        """Rows as dicts: for the small tables of records, or for queries with few results.

        `select` is what stands between SELECT and FROM, `where` the condition, both in
        DataFusion's SQL; `version` reads the table as it was then.
        """
        if not self.exists:
            return []
        import pyarrow as pa
        from deltalake import DeltaTable, QueryBuilder

        # Not through pyarrow's dataset reader: its threads outlive the table it reads from, and
        # abort the interpreter at exit (pyarrow 25, deltalake 1.6).
        with reading(self.table, self.path):
            table = self._delta if version is None else DeltaTable(str(self.path), version=version)
            query = QueryBuilder().register("stored", table)
            batches = query.execute(f"SELECT {select} FROM stored WHERE {where}").read_all()
            return list(pa.table(batches).to_pylist())


def _publication(text: str | None, version: int) -> Publication | None:
    try:
        return Publication.from_json(text, version) if text else None
    except ValueError:
        return None


def _paths(table: Any) -> list[str]:
    import pyarrow as pa

    return [str(a["path"]) for a in pa.table(table.get_add_actions(flatten=True)).to_pylist()]
