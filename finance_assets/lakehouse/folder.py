"""A table in a folder: what it answers and what is done to it, with deltalake.

Only reading or writing its rows as a DataFrame takes an engine.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from finance_assets.errors import HistoryError
from finance_assets.lakehouse.commit_files import has_log, last_checkpoint, read_commit
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.damage import open_table, reading, remember, snapshot_of
from finance_assets.lakehouse.folder_commits import append_nothing, append_rows, replace_partitions
from finance_assets.lakehouse.folder_files import (
    TARGET_BYTES,
    arrow,
    mergeable_files,
    row_counts,
    size_of,
    untouched_partitions,
)
from finance_assets.lakehouse.folder_schema import columns_of, create_table, required_of
from finance_assets.lakehouse.orphans import find_orphans
from finance_assets.lakehouse.stored import Commit, Identity, Row, Session, Size, no_engine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter

    from finance_assets.lakehouse.log_index import Reading

# Opening a table reads the commits that follow the newest checkpoint.
CHECKPOINT_AFTER = 20


@dataclass(frozen=True)
class FolderTable:
    """A Delta table in a folder."""

    table: str
    path: Path
    session: Session = no_engine

    @property
    def place(self) -> str:
        """The folder of the table, as text."""
        return str(self.path)

    @cached_property
    def exists(self) -> bool:
        """Whether the table was ever created: a log that holds nothing is no table yet."""
        return has_log(self.path)

    @cached_property
    def _snapshot(self) -> tuple[Any, dict[int, Identity]]:
        """The table as deltalake sees it, and the files of its log up to that version."""
        return snapshot_of(self.table, self.path)

    @property
    def delta(self) -> Any:
        """The table as deltalake sees it, as it stood when this was first asked."""
        return self._snapshot[0]

    @cached_property
    def configuration(self) -> dict[str, str]:
        """The table's properties, constraints among them."""
        return {k: str(v) for k, v in self.delta.metadata().configuration.items()}

    @property
    def created_at(self) -> datetime:
        """When the table was made (UTC)."""
        return datetime.fromtimestamp(self.delta.metadata().created_time / 1000, UTC)

    @property
    def version(self) -> int:
        """The newest Delta version, -1 for a table that does not exist."""
        return int(self.delta.version()) if self.exists else -1

    def columns(self) -> dict[str, str]:
        """The type of each column by its name, from the log: engines take long to open it."""
        return columns_of(self.delta)

    def required(self) -> frozenset[str]:
        """The columns that refuse nulls."""
        return required_of(self.delta)

    def entries(self) -> dict[int, Identity]:
        """What tells each file of the log from every other."""
        return self._snapshot[1]

    def commits(self, after: int = -1) -> list[Commit]:
        """The commits that follow version `after`, newest first; no other file is opened."""
        if not self.exists:
            return []
        entries = self.entries()
        with reading(self.table, self.path):
            return [
                read_commit(self.path, version, entries[version])
                for version in sorted((v for v in entries if v > after), reverse=True)
            ]

    def rows(self, select: str = "*", where: str = "true", version: int | None = None) -> list[Row]:
        """Rows as dicts; `select` and `where` are in DataFusion's SQL."""
        if not self.exists:
            return []
        from deltalake import DeltaTable, QueryBuilder

        # Not through pyarrow's dataset reader: its threads outlive the table it reads from, and
        # abort the interpreter at exit (pyarrow 25, deltalake 1.6).
        with reading(self.table, self.path):
            table = self.delta if version is None else DeltaTable(str(self.path), version=version)
            query = QueryBuilder().register("stored", table)
            batches = query.execute(f"SELECT {select} FROM stored WHERE {where}").read_all()
            found: list[Row] = arrow(batches).to_pylist()
            return found

    def row_counts(self) -> dict[str, int]:
        """Rows stored per partition value, as the live data files themselves say."""
        if not self.exists:
            return {}
        with reading(self.table, self.path):
            return row_counts(self.delta, self.path)

    def missing_files(self, version: int) -> list[str]:
        """Data files of a version that are no longer there: vacuumed, or lost."""
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
        named = arrow(table.get_add_actions(flatten=True))["path"].to_pylist()
        paths = (self.path / unquote(path) for path in named)
        return [path.name for path in paths if not path.exists()]

    def untouched(self, written: dict[str, int | None], log: "Reading") -> frozenset[str]:
        """The partitions that hold exactly the files that a commit wrote, as it wrote them."""
        if not self.exists:
            return frozenset()
        with reading(self.table, self.path):
            return untouched_partitions(self.delta, self.path, written)

    def frame(self, version: int | None = None) -> "DataFrame":
        """All rows, for the engine."""
        reader = self.session().read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(self.place)

    def create(self, contract: Contract, properties: dict[str, str]) -> None:
        """Make the table of a contract, unless it is there."""
        create_table(self.path, contract, properties)

    def save(self, writer: "DataFrameWriter") -> None:
        """One commit by a configured writer."""
        writer.save(self.place)

    def adopt(self, files: dict[str, list[Path]], statement: str) -> bool:
        """Make staged files the content of their partitions, in one commit."""
        table, entries = open_table(self.table, self.path)
        replace_partitions(table, self.path, files, statement)
        self._checkpoint(table)
        remember(self.table, self.path, table, entries)
        return True

    def append(self, contract: Contract, records: list[Row], statement: str, after: int) -> None:
        """Add rows in one commit that directly follows version `after`."""
        append_rows(self.path, contract, records, statement, after)

    def annotate(self, text: str) -> bool:
        """Commit a text without rows."""
        table, entries = open_table(self.table, self.path)
        append_nothing(table, text)
        remember(self.table, self.path, table, entries)
        return True

    def set_properties(self, properties: dict[str, str]) -> None:
        """Put properties on the table, in one commit."""
        self._open().alter.set_table_properties(properties, raise_if_not_exists=False)

    def relax(self, column: str) -> None:
        """Let a column hold nulls from now on, in one commit."""
        self._open().alter.drop_column_not_null(column)

    def add_constraint(self, name: str, condition: str, properties: dict[str, str]) -> bool:
        """Put a CHECK constraint and properties on the table; false if stored rows break it."""
        from deltalake.exceptions import DeltaError

        table = self._open()
        try:
            table.alter.add_constraint({name: condition})
            table.alter.set_table_properties(properties, raise_if_not_exists=False)
        except DeltaError:
            return False
        return True

    def drop_constraint(self, name: str) -> None:
        """Take a CHECK constraint off the table, if it is there."""
        self._open().alter.drop_constraint(name, raise_if_not_exists=False)

    def checkpoint(self) -> bool:
        """Write Delta's checkpoint if many commits follow the last one.

        Engines write theirs every ten commits, deltalake only every hundred.
        """
        return self._checkpoint(self._open())

    def _checkpoint(self, table: Any) -> bool:
        if table.version() - last_checkpoint(self.path) < CHECKPOINT_AFTER:
            return False
        table.create_checkpoint()
        return True

    def size(self) -> Size:
        """The data files of the newest version."""
        return size_of(self.delta)

    def mergeable_files(self) -> int:
        """How many small files compaction would merge."""
        return mergeable_files(self.delta)

    def compact(self) -> None:
        """Merge the small files of each partition, in a commit that changes no rows."""
        from filelock import FileLock

        # Alone: deltalake 1.6.6 lets two merge the same files, and each row is there twice.
        with FileLock(self.path / "_compaction.lock"):
            self._open().optimize.compact(target_size=TARGET_BYTES)

    def vacuum(self, is_dry_run: bool) -> Size:
        """Delete the files that no commit ever named, but for those of the last day."""
        with reading(self.table, self.path):
            orphans = find_orphans(self.path)
            size = Size(len(orphans), sum(file.stat().st_size for file in orphans))
            for file in orphans if not is_dry_run else ():
                file.unlink(missing_ok=True)
        return size

    def _open(self) -> Any:
        """The table as it is now."""
        return open_table(self.table, self.path)[0]
