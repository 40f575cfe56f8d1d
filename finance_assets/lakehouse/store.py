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

from finance_assets.errors import ContractError
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.windows import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Publications are found through the commit log, so the log must outlive Delta's 30-day default.
LOG_RETENTION = "interval 36500 days"


@dataclass(frozen=True)
class Lakehouse:
    """The Delta tables under `root`, one folder `<layer>/<entity>` each.

    `session` gives the Spark session when a read or write first needs it; everything that only
    reads the commit log works without an engine.
    """

    root: Path
    session: Callable[[], "SparkSession"]
    publish_attempts: int = 8

    @cached_property
    def spark(self) -> "SparkSession":
        """The Spark session that plans reads and writes."""
        return self.session()

    def path(self, table: str) -> Path:
        """Folder of a table."""
        layer, entity = table.split(".")
        return self.root / layer / entity

    def history(self, table: str) -> TableHistory:
        """The commit log of a table."""
        return TableHistory(table, self.path(table))

    def read(self, contract: Contract, window: Window | None = None) -> "DataFrame":
        """The rows of a table: all, or those of a window.

        A table that was never published reads as empty, with the contract's columns.
        """
        if not self.history(contract.table).exists:
            return self.spark.createDataFrame([], _ddl(contract.columns))
        rows = self.spark.read.format("delta").load(str(self.path(contract.table)))
        return rows if window is None else rows.where(window.predicate(contract.partition_column))

    def ensure(self, contract: Contract) -> None:
        """Create the table with its comments and constraints, if it does not exist.

        Raises:
            ContractError: the stored table has other columns than the contract.
        """
        history = self.history(contract.table)
        if history.exists:
            _require_same_columns(contract, history)
            return
        path = self.path(contract.table)
        # The session's catalog only lends a name while the table is made. The name carries the
        # path, as one session may serve several lakehouses.
        name = f"{contract.table}_{zlib.crc32(str(path).encode()):08x}"
        self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {contract.layer}").collect()
        self.spark.sql(_create_statement(contract, name, path)).collect()
        if contract.row_rules:
            # One constraint for all rules: Sail 0.7.2 nests each further one into the plan of
            # every write, and eight of them took 9 s a commit instead of 0.1 s.
            every = " AND ".join(f"({rule.condition})" for rule in contract.row_rules)
            self.spark.sql(f"ALTER TABLE {name} ADD CONSTRAINT row_rules CHECK ({every})").collect()

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


def _create_statement(contract: Contract, name: str, path: Path) -> str:
    """The DDL of a table: types, NOT NULL, comments, partitioning, location."""
    columns = ", ".join(
        f"`{column.name}` {column.type}{'' if column.is_nullable else ' NOT NULL'}"
        f" COMMENT {_quoted(column.comment)}"
        for column in contract.columns
    )
    return (
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING delta"
        f" PARTITIONED BY ({contract.partition_column}) LOCATION {_quoted(str(path))}"
        f" COMMENT {_quoted(contract.description)}"
        f" TBLPROPERTIES ('delta.logRetentionDuration' = '{LOG_RETENTION}')"
    )


def _require_same_columns(contract: Contract, history: TableHistory) -> None:
    """Refuse to write a table whose stored columns are not the contract's."""
    stored = history.column_names
    if stored != contract.column_names:
        raise ContractError(
            f"the stored columns {stored} are not the contract's {contract.column_names}",
            where=f"{contract.table} at {history.path}",
            remedy="move the old table away and backfill, or bring the contract back",
        )
