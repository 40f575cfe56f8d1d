"""The lakehouse: where tables lie, how they are created from contracts, and how they are read.

Writing a table's rows belongs to publish.py, which is the only writer; reading the commit log
without an engine belongs to history.py.
"""

import shutil
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.calendar import Window
from finance_assets.errors import ContractError
from finance_assets.lakehouse.audit import schema_problems
from finance_assets.lakehouse.catalog import CatalogHistory
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.lakehouse.history import TableHistory

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

# Publications are found through the commit log, so the log must outlive Delta's 30-day default.
# A version can be read only while both last: Delta refuses time travel beyond the retention of
# deleted files (7 days by default), even where no file was ever deleted.
RETENTION = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}


@dataclass(frozen=True)
class Lakehouse:
    """The Delta tables: those of a catalog, `<catalog>.<prefix><layer>.<entity>`, or without one
    those under `root`, one folder `<layer>/<entity>` each.

    `root` also holds what is staged. `session` gives the Spark session when a read or write first
    needs it; what only reads the commit log of a table in a folder works without an engine.
    """

    root: Path
    session: Callable[[], "SparkSession"]
    publish_attempts: int = 8
    catalog: str | None = None
    schema_prefix: str = ""

    @cached_property
    def spark(self) -> "SparkSession":
        """The Spark session that plans reads and writes."""
        return self.session()

    def path(self, table: str) -> Path:
        """Folder of a table."""
        layer, entity = table.split(".")
        return self.root / layer / entity

    def place(self, table: str) -> str:
        """Where a table lies, for people."""
        named = f"{self.catalog}.{self.schema_prefix}{table}"
        return named if self.catalog else str(self.path(table))

    def history(self, table: str) -> TableHistory:
        """The commit log of a table."""
        if self.catalog:
            return CatalogHistory(table, self.path(table), self.place(table), self.session)
        return TableHistory(table, self.path(table))

    def save(self, writer: "DataFrameWriter", table: str) -> None:
        """One commit by a configured writer."""
        if self.catalog:
            writer.saveAsTable(self.place(table))
        else:
            writer.save(self.place(table))

    def read(
        self, contract: Contract, window: Window | None = None, version: int | None = None
    ) -> "DataFrame":
        """The rows of a table: all, or those of a window; with `version`, as they were then.

        A table that was never published reads as empty, with the contract's columns.
        """
        if not self.history(contract.table).exists:
            return self.no_rows(contract)
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        place = self.place(contract.table)
        rows = reader.table(place) if self.catalog else reader.load(place)
        return rows if window is None else rows.where(window.predicate(contract.partition_column))

    def no_rows(self, contract: Contract) -> "DataFrame":
        """Nothing, with the contract's columns."""
        return self.spark.createDataFrame([], _ddl(contract.columns))

    def ensure(self, contract: Contract) -> None:
        """Create the table with its columns and comments, if it does not exist.

        Raises:
            ContractError: the stored table has other columns or types than the contract.
        """
        history = self.history(contract.table)
        if not history.exists:
            self._create(contract)
        elif not RETENTION.items() <= history.configuration.items():
            self._retain(history)
        problems = schema_problems(self.read(contract), contract)
        if problems:
            raise ContractError(
                f"the stored table is not the contract's: {'; '.join(problems)}",
                where=f"{contract.table} at {self.place(contract.table)}",
                remedy="move the old table away and backfill, or bring the contract back",
            )

    def _create(self, contract: Contract) -> None:
        path = None if self.catalog else self.path(contract.table)
        named = f"{self.catalog}.{self.schema_prefix}{contract.layer}"
        schema = named if self.catalog else contract.layer
        # Without a catalog of ours, the session's only lends a name while the table is made. The
        # name carries the path, as one session may serve several lakehouses.
        lent = f"{contract.table}_{zlib.crc32(str(path).encode()):08x}"
        name = self.place(contract.table) if path is None else lent
        # Whoever may use a schema need not have the right to make one, not even one that exists.
        if not self.spark.catalog.databaseExists(schema):
            self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}").collect()
        try:
            self.spark.sql(_create_statement(contract, name, path)).collect()
        except Exception:
            # Another writer was first: then the table is there, and will be compared.
            if not self.history(contract.table).exists:
                raise

    def _retain(self, history: TableHistory) -> None:
        """Keep the versions of a table that exists. In one statement: Delta wants the log to be
        kept for at least as long as the files.
        """
        if self.catalog:
            name = self.place(history.table)
            self.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ({_properties()})").collect()
        else:
            history.open().alter.set_table_properties(RETENTION, raise_if_not_exists=False)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder for rows that are not published yet; gone when the block ends."""
        folder = self.root / "_staging" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _ddl(columns: tuple[Column, ...]) -> str:
    """`name type, …` as Spark's schema strings want it."""
    return ", ".join(f"`{column.name}` {column.type}" for column in columns)


def _quoted(text: str) -> str:
    """A SQL string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _properties() -> str:
    return ", ".join(f"'{key}' = '{value}'" for key, value in RETENTION.items())


def _create_statement(contract: Contract, name: str, path: Path | None) -> str:
    """The DDL of a table: types, NOT NULL, comments, partitioning, location if it has its own."""
    location = "" if path is None else f" LOCATION {_quoted(str(path))}"
    columns = ", ".join(
        f"`{column.name}` {column.type}{'' if column.is_nullable else ' NOT NULL'}"
        f" COMMENT {_quoted(column.comment)}"
        for column in contract.columns
    )
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING delta"
        f" PARTITIONED BY ({contract.partition_column}){location}"
        f" COMMENT {_quoted(contract.description)}"
        f" TBLPROPERTIES ({_properties()},"
        f" 'delta.appendOnly' = '{str(contract.is_append_only).lower()}')"
    )
