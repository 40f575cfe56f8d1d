"""The commit log of a table: versions, and which publication last changed a partition.

Reads Delta's log without an engine. Every commit that publish.py makes carries a `Publication`
as its user metadata; commits without one (create table, add constraint) changed no rows.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from finance_assets.errors import HistoryError
from finance_assets.lakehouse.windows import Window


@dataclass(frozen=True)
class Ledger:
    """What became of the rows that went into one partition, each number counted on its own.

    `is_aggregate`: the table has fewer rows than it accounts for; `published` is then the sum
    of its count column.
    """

    delivered: int
    published: int
    quarantined: int = 0
    duplicates: int = 0
    is_aggregate: bool = False

    @property
    def is_balanced(self) -> bool:
        """Whether no row was lost and none appeared from nowhere."""
        return self.delivered == self.published + self.quarantined + self.duplicates


@dataclass(frozen=True)
class Publication:
    """One commit to a table: the window it replaced, its rows' fates and how it came about.

    `failed_checks` are the warnings of each partition that has any: a publication with a failed
    blocking check never exists. `inputs` maps each input table to the Delta version read.
    """

    table: str
    first: str
    last: str
    ledgers: dict[str, Ledger]
    fingerprints: dict[str, str]
    failed_checks: dict[str, list[str]]
    run_id: str
    code_sha: str
    inputs: dict[str, int] = field(default_factory=dict)
    version: int = field(default=-1)

    @property
    def window(self) -> Window:
        """The partitions this commit replaced."""
        return Window(self.first, self.last)

    def to_json(self) -> str:
        """The text that rides in the Delta commit."""
        record = asdict(self)
        del record["version"]
        return json.dumps(record, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, version: int) -> "Publication":
        """Read a publication back from the commit that carries it."""
        record = json.loads(text)
        record["ledgers"] = {p: Ledger(**ledger) for p, ledger in record["ledgers"].items()}
        return cls(**record, version=version)


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
        """The table as it is now."""
        from deltalake import DeltaTable

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

    def drop_constraint(self, name: str) -> None:
        """Take a CHECK constraint off the table, if it is there."""
        self.open().alter.drop_constraint(name, raise_if_not_exists=False)

    @property
    def version(self) -> int:
        """The newest Delta version, -1 for a table that does not exist."""
        return int(self._delta.version()) if self.exists else -1

    @cached_property
    def publications(self) -> list[Publication]:
        """Every publication, newest first."""
        if not self.exists:
            return []
        return [
            Publication.from_json(commit["userMetadata"], int(commit["version"]))
            for commit in self._delta.history()
            if commit.get("userMetadata")
        ]

    def publication_of(self, partition: str, at: int | None = None) -> Publication | None:
        """The publication that last changed a partition (as of version `at`), None if none did."""
        for publication in self.publications:
            if at is not None and publication.version > at:
                continue
            if publication.first <= partition <= publication.last:
                return publication
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
        table = self._delta if version is None else DeltaTable(str(self.path), version=version)
        query = QueryBuilder().register("stored", table)
        batches = query.execute(f"SELECT {select} FROM stored WHERE {where}").read_all()
        return list(pa.table(batches).to_pylist())


def _paths(table: Any) -> list[str]:
    import pyarrow as pa

    return [str(a["path"]) for a in pa.table(table.get_add_actions(flatten=True)).to_pylist()]
