"""A table in a folder: what it answers and what is done to it, with deltalake and no engine.

What publications say of its commits is history.py's business; the same of a table in a catalog
is in catalog.py.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from finance_assets.errors import HistoryError, LostRaceError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.damage import reading, require_whole_log


@dataclass(frozen=True)
class FolderTable:
    """A Delta table in a folder, as it stood when this object first read it."""

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
        import pyarrow as pa
        from deltalake import CommitProperties, write_deltalake

        table = self.open()
        none = pa.schema(table.schema().to_arrow()).empty_table()
        said = CommitProperties(custom_metadata={"userMetadata": text})
        write_deltalake(table, none, mode="append", commit_properties=said)
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
        import pyarrow as pa
        from deltalake import CommitProperties, DeltaTable, write_deltalake
        from deltalake.exceptions import CommitFailedError

        types = _arrow_types()
        schema = pa.schema([(c.name, types[c.type]) for c in contract.columns])
        # No retries: deltalake would put the rows behind the other writer's.
        properties = CommitProperties(
            max_commit_retries=0, custom_metadata={"userMetadata": statement}
        )
        try:
            table = DeltaTable(str(self.path), version=after)
            rows = pa.Table.from_pylist(records, schema=schema)
            write_deltalake(table, rows, mode="append", commit_properties=properties)
        except CommitFailedError as error:
            raise LostRaceError(
                f"version {after} is no longer the newest",
                where=f"{self.table} at {self.path}",
                remedy="read the table again, and decide anew",
            ) from error

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


def _arrow_types() -> dict[str, Any]:
    import pyarrow as pa

    return {
        "string": pa.string(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
    }


def _paths(table: Any) -> list[str]:
    import pyarrow as pa

    return [str(a["path"]) for a in pa.table(table.get_add_actions(flatten=True)).to_pylist()]
