"""A table of a catalog: what it answers and what is done to it, asked of the engine that knows it.

In SQL that Databricks and Spark with Delta share. Unity Catalog hides where a managed table lies,
so nothing here touches its files.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.errors import HistoryError, LostRaceError
from finance_assets.lakehouse.catalog_log import (
    Answer,
    all_rows,
    commit_of,
    in_utc,
    undisturbed,
)
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.ddl import columns_ddl, create_statement, properties_ddl
from finance_assets.lakehouse.log_index import Reading
from finance_assets.lakehouse.stored import Commit, Row, Session, Size

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter

# How many commits the first question asks for: more than usually follow the log's index.
FIRST_LOOK = 50


@dataclass(frozen=True)
class CatalogTable:
    """A Delta table of a catalog; `place` is its name there, quoted for SQL."""

    table: str
    path: Path
    place: str
    session: Session

    def _sql(self, statement: str) -> list[Answer]:
        return [row.asDict() for row in self.session().sql(statement).collect()]

    def _history(self, limit: int | None) -> list[Commit]:
        """The newest commits, newest first, or all of them."""
        asked = "" if limit is None else f" LIMIT {limit}"
        found = self._sql(f"DESCRIBE HISTORY {self.place}{asked}")
        return sorted(map(commit_of, found), key=lambda commit: commit.version, reverse=True)

    @cached_property
    def _newest(self) -> list[Commit]:
        return self._history(FIRST_LOOK)

    @cached_property
    def exists(self) -> bool:
        """Whether the catalog knows the table."""
        return bool(self.session().catalog.tableExists(self.place))

    @cached_property
    def configuration(self) -> dict[str, str]:
        """The table's properties, constraints among them."""
        found = self._sql(f"SHOW TBLPROPERTIES {self.place}")
        return {row["key"]: str(row["value"]) for row in found}

    @property
    def created_at(self) -> datetime:
        """When the table was made (UTC)."""
        [found] = self._sql(f"DESCRIBE DETAIL {self.place}")
        return in_utc(found["createdAt"])

    @property
    def version(self) -> int:
        """The newest Delta version, -1 for a table that does not exist."""
        return self._newest[0].version if self.exists else -1

    def columns(self) -> dict[str, str]:
        """The type of each column by its name."""
        return dict(self.frame().dtypes)

    def required(self) -> frozenset[str]:
        """The columns that refuse nulls."""
        return frozenset(field.name for field in self.frame().schema if not field.nullable)

    def entries(self) -> None:
        """None: a catalog hides the log's files. Nobody but the catalog's engine changes them."""

    def commits(self, after: int = -1) -> list[Commit]:
        """The commits that follow version `after`, newest first."""
        if not self.exists:
            return []
        known = self._newest
        if len(known) == FIRST_LOOK and known[-1].version > after + 1:
            known = [c for c in self._history(None) if c.version <= known[0].version]
        return [commit for commit in known if commit.version > after]

    def rows(self, select: str = "*", where: str = "true", version: int | None = None) -> list[Row]:
        """Rows as dicts: for the small tables of records, or for queries with few results."""
        if not self.exists:
            return []
        at = self.version if version is None else version
        ask = partial(
            self._sql, f"SELECT {select} FROM {self.place} VERSION AS OF {at} WHERE {where}"
        )
        is_all = (select, where, at) == ("*", "true", self.version)
        found = all_rows(self.path, self._newest[0], ask) if is_all else ask()
        return [dict(row) for row in found]

    def row_counts(self) -> dict[str, int]:
        """Rows stored per partition value."""
        if not self.exists:
            return {}
        [column] = self._sql(f"DESCRIBE DETAIL {self.place}")[0]["partitionColumns"]
        found = self._sql(
            f"SELECT {column} AS p, count(*) AS n FROM {self.place} VERSION AS OF {self.version} "
            f"GROUP BY {column}"
        )
        return dict(sorted((str(row["p"]), int(row["n"])) for row in found))

    def missing_files(self, version: int) -> list[str]:
        """What the engine says when it cannot read a version to its end: vacuumed, or lost."""
        if version not in {commit.version for commit in self.commits()}:
            raise HistoryError(
                f"version {version} cannot be read any more",
                where=self.place,
                remedy="restore the table's log from a backup",
            )
        try:
            # An aggregate over every column reads every file, and serverless takes it.
            frame = self.frame(version)
            columns = ", ".join(f"`{column}`" for column in frame.columns)
            frame.selectExpr(f"bit_xor(xxhash64({columns}))").collect()
        except Exception as error:
            if "FILE_NOT_EXIST" in str(error) or "FileNotFound" in str(error):
                return [str(error).splitlines()[0]]
            raise
        return []

    def untouched(self, written: dict[str, int | None], log: Reading) -> frozenset[str]:
        """The partitions that nobody can have changed since publish wrote or confirmed them.

        The files are hidden, so the names of operations are believed: only the engine writes.
        """
        return undisturbed(log, written)

    def frame(self, version: int | None = None) -> "DataFrame":
        """All rows, for the engine."""
        reader = self.session().read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.table(self.place)

    def create(self, contract: Contract, properties: dict[str, str]) -> None:
        """Make the table of a contract, unless it is there."""
        schema, _ = self.place.rsplit(".", 1)
        # Whoever may use a schema need not have the right to make one, not even one that exists.
        if not self.session().catalog.databaseExists(schema):
            self._sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self._sql(create_statement(contract, self.place, properties))

    def save(self, writer: "DataFrameWriter") -> None:
        """One commit by a configured writer."""
        writer.saveAsTable(self.place)

    def adopt(self, files: dict[str, list[Path]], statement: str) -> bool:
        """Only an engine commits to a table of a catalog."""
        return False

    def append(self, contract: Contract, records: list[Row], statement: str, after: int) -> None:
        """Add rows in one commit, if nobody changed the table since version `after`.

        The table's isolation level is Serializable, and writing the rows means reading the table
        and finding as many rows as at `after`. So whatever others append is noticed: before Spark
        plans the write, by the number; after that, by Delta, which refuses the commit.
        """
        session = self.session()
        lost = LostRaceError(
            f"version {after} is no longer the newest",
            where=self.place,
            remedy="read the table again, and decide anew",
        )
        if self._history(1)[0].version != after:
            raise lost
        names = contract.column_names
        values = [tuple(record[name] for name in names) for record in records]
        frame = session.createDataFrame(values, columns_ddl(contract))
        [known] = self._sql(f"SELECT count(*) AS n FROM {self.place} VERSION AS OF {after}")
        guard = (
            session.table(self.place)
            .groupBy()
            .count()
            .where(f"if(count = {known['n']}, true, raise_error('CONCURRENT append'))")
        )
        rows = frame.crossJoin(guard).select(*names)
        writer = rows.write.format("delta").mode("append").option("userMetadata", statement)
        try:
            self.save(writer)
        except Exception as error:
            if "CONCURRENT" in str(error).upper():
                raise lost from error
            raise

    def annotate(self, text: str) -> bool:
        """False: Delta in a catalog leaves out commits that change nothing."""
        return False

    def set_properties(self, properties: dict[str, str]) -> None:
        """Put properties on the table, in one commit."""
        self._sql(f"ALTER TABLE {self.place} SET TBLPROPERTIES ({properties_ddl(properties)})")

    def relax(self, column: str) -> None:
        """Let a column hold nulls from now on, in one commit that changes no rows."""
        self._sql(f"ALTER TABLE {self.place} ALTER COLUMN `{column}` DROP NOT NULL")

    def add_constraint(self, name: str, condition: str, properties: dict[str, str]) -> bool:
        """Put a CHECK constraint and properties on the table; false if stored rows break it."""
        try:
            self._sql(f"ALTER TABLE {self.place} ADD CONSTRAINT {name} CHECK ({condition})")
        except Exception as error:
            if "VIOLATE" not in str(error).upper():
                raise
            return False
        self.set_properties(properties)
        return True

    def drop_constraint(self, name: str) -> None:
        """Take a CHECK constraint off the table, if it is there."""
        self._sql(f"ALTER TABLE {self.place} DROP CONSTRAINT IF EXISTS {name}")

    def checkpoint(self) -> bool:
        """False: Delta on the JVM writes checkpoints by itself, every ten commits."""
        return False

    def size(self) -> Size:
        """The data files of the newest version."""
        [detail] = self._sql(f"DESCRIBE DETAIL {self.place}")
        return Size(int(detail["numFiles"]), int(detail["sizeInBytes"]))

    def mergeable_files(self) -> None:
        """None: the engine decides when it compacts."""

    def compact(self) -> None:
        """Merge the small files of each partition, in a commit that changes no rows."""
        self._sql(f"OPTIMIZE {self.place}")

    def vacuum(self, is_dry_run: bool) -> None:
        """Delete what the retention allows, which the table's properties say. It is not told."""
        # Its dry run lists every file as well, and what it tells is not a number.
        if not is_dry_run:
            self._sql(f"VACUUM {self.place}")
