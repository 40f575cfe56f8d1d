"""The lakehouse: tables by name, how they are made from contracts, and how they are read.

Where they lie belongs to homes.py. Writing a table's rows belongs to publish.py, which is the only
writer; reading the commit log without an engine belongs to history.py.
"""

import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.calendar import Window
from finance_assets.errors import ContractError
from finance_assets.lakehouse import constraints
from finance_assets.lakehouse.columns import column_problems
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.ddl import columns_ddl
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.homes import Home
from finance_assets.lakehouse.stored import Session, StoredTable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Publications are found through the commit log, so the log must outlive Delta's 30-day default.
# A version can be read only while both last: Delta refuses time travel beyond the retention of
# deleted files (7 days by default), even where no file was ever deleted.
RETENTION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}


@dataclass(frozen=True)
class Lakehouse:
    """The Delta tables of a home.

    `session` gives the Spark session when a read or write first needs it; what only reads the
    commit log of a table in a folder works without an engine. `opened`: of a snapshot, the tables
    that it has opened.
    """

    home: Home
    session: Session
    publish_attempts: int = 8
    opened: dict[str, StoredTable] | None = field(default=None, compare=False)

    @cached_property
    def spark(self) -> "SparkSession":
        """The Spark session that plans reads and writes."""
        return self.session()

    def snapshot(self, tables: Iterable[str] = ()) -> "Lakehouse":
        """The same lakehouse at fixed versions: each table stays as it was when it was first used;
        `tables` are opened now, one after the other.

        It is for reading: `ensure` refuses, so that nothing is published by it, and journals are
        added to by the lakehouse itself.
        """
        fixed = replace(self, opened={})
        for table in tables:
            fixed.table(table).version  # noqa: B018
        return fixed

    def path(self, table: str) -> Path:
        """Folder of a table; in a catalog, of what is kept beside it."""
        return self.home.path(table)

    def table(self, table: str) -> StoredTable:
        """A table as it stands when it is first asked something."""
        if self.opened is None:
            return self.home.open(table, self.session)
        if table not in self.opened:
            self.opened.setdefault(table, self.home.open(table, self.session))
        return self.opened[table]

    def history(self, table: str) -> TableHistory:
        """A table and what its commit log says."""
        return TableHistory(self.table(table))

    def read(
        self, contract: Contract, window: Window | None = None, version: int | None = None
    ) -> "DataFrame":
        """The rows of a table: all, or those of a window; with `version`, as they were then; of a
        snapshot, as they were when it opened the table.

        A table that was never published reads as empty, with the contract's columns.
        """
        stored = self.table(contract.table)
        if not stored.exists:
            return self.no_rows(contract)
        if version is None and self.opened is not None:
            version = stored.version
        rows = stored.frame(version)
        return rows if window is None else rows.where(window.predicate(contract.partition_column))

    def no_rows(self, contract: Contract) -> "DataFrame":
        """Nothing, with the contract's columns."""
        return self.spark.createDataFrame([], columns_ddl(contract))

    def staged_rows(self, contract: Contract, places: Collection[Path]) -> "DataFrame":
        """The rows of some Parquet files, or folders of such, which have the contract's columns."""
        if not places:
            return self.no_rows(contract)
        return self.spark.read.schema(columns_ddl(contract)).parquet(*map(str, places))

    def ensure(self, contract: Contract) -> TableHistory:
        """Create the table with its columns and comments, if it does not exist; its history.

        Raises:
            ContractError: the stored table has other columns or types than the contract.
        """
        assert self.opened is None, "nothing is published by a snapshot"
        stored = self.table(contract.table)
        if not stored.exists:
            self._create(contract)
            stored = self.table(contract.table)
        stored = self.retained(stored)
        _require_columns(stored, contract)
        return TableHistory(self._relaxed(stored, contract))

    def require(self, contract: Contract) -> None:
        """Refuse a stored table that is not the contract's, before rows are made for it.

        Raises:
            ContractError: the stored table has other columns or types than the contract.
        """
        stored = self.table(contract.table)
        if stored.exists:
            _require_columns(stored, contract)

    def is_retained(self, stored: StoredTable) -> bool:
        """Whether a table promises to keep its versions."""
        return RETENTION.items() <= stored.configuration.items()

    def retained(self, stored: StoredTable) -> StoredTable:
        """The table, made to promise that it keeps its versions."""
        if self.is_retained(stored):
            return stored
        # In one statement: Delta wants the log to be kept for at least as long as the files.
        stored.set_properties(RETENTION)
        return self.table(stored.table)

    def _relaxed(self, stored: StoredTable, contract: Contract) -> StoredTable:
        """The table, made to take nulls where the contract allows them since.

        The other way round nothing is done: older partitions may hold some, and what is published
        is audited.
        """
        allowed = {column.name for column in contract.columns if column.is_nullable}
        outdated = sorted(stored.required() & allowed)
        if not outdated:
            return stored
        try:
            constraints.release(stored)
            for column in outdated:
                stored.relax(column)
            constraints.enforce(self.table(stored.table), contract)
        except Exception:
            # Another writer was first: then nothing is left to do.
            if self.table(stored.table).required() & allowed:
                raise
        return self.table(stored.table)

    def _create(self, contract: Contract) -> None:
        try:
            self.table(contract.table).create(contract, RETENTION)
        except Exception:
            # Another writer was first: then the table is there, and will be compared.
            if not self.table(contract.table).exists:
                raise

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder for rows that are not published yet; gone when the block ends."""
        folder = self.home.root / "_staging" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _require_columns(stored: StoredTable, contract: Contract) -> None:
    problems = column_problems(stored.columns(), contract)
    if problems:
        raise ContractError(
            f"the stored table is not the contract's: {'; '.join(problems)}",
            where=f"{contract.table} at {stored.place}",
            remedy="move the old table away and backfill, or bring the contract back",
        )
