"""Tables of a catalog: their commit log, asked of the engine that knows it.

The same questions as TableHistory answers for a table in a folder, in SQL that Databricks and
Spark with Delta share. Unity Catalog hides where a managed table lies, so nothing here touches
files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from finance_assets.errors import HistoryError, LostRaceError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import TableHistory

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class CatalogHistory(TableHistory):
    """The log of a table of a catalog; `name` is `<catalog>.<layer>.<entity>`."""

    name: str
    session: "Callable[[], SparkSession]"

    def _sql(self, statement: str) -> list[dict[str, Any]]:
        return [row.asDict() for row in self.session().sql(statement).collect()]

    @cached_property
    def _commits(self) -> list[dict[str, Any]]:
        return self._sql(f"DESCRIBE HISTORY {self.name}")

    @property
    def exists(self) -> bool:
        """Whether the catalog knows the table."""
        return bool(self.session().catalog.tableExists(self.name))

    @property
    def configuration(self) -> dict[str, str]:
        """The table's properties, constraints among them."""
        found = self._sql(f"SHOW TBLPROPERTIES {self.name}")
        return {row["key"]: str(row["value"]) for row in found}

    @property
    def version(self) -> int:
        """The newest Delta version, -1 for a table that does not exist."""
        return max(int(c["version"]) for c in self._commits) if self.exists else -1

    def append(
        self, contract: Contract, records: list[dict[str, Any]], statement: str, after: int
    ) -> None:
        """Add rows in one commit, if nobody changed the table since version `after`.

        The table's isolation level is Serializable, and writing the rows means reading the table
        and finding as many rows as at `after`. So whatever others append is noticed: before Spark
        plans the write, by the number; after that, by Delta, which refuses the commit.

        Raises:
            LostRaceError: another writer committed since; nothing was written.
        """
        session = self.session()
        lost = LostRaceError(
            f"version {after} is no longer the newest",
            where=self.name,
            remedy="read the table again, and decide anew",
        )
        if max(int(c["version"]) for c in self._sql(f"DESCRIBE HISTORY {self.name}")) != after:
            raise lost
        names = contract.column_names
        ddl = ", ".join(f"`{column.name}` {column.type}" for column in contract.columns)
        frame = session.createDataFrame([tuple(r[n] for n in names) for r in records], ddl)
        [known] = self._sql(f"SELECT count(*) AS n FROM {self.name} VERSION AS OF {after}")
        guard = (
            session.table(self.name)
            .groupBy()
            .count()
            .where(f"if(count = {known['n']}, true, raise_error('CONCURRENT append'))")
        )
        rows = frame.crossJoin(guard).select(*names)
        writer = rows.write.format("delta").mode("append").option("userMetadata", statement)
        try:
            writer.saveAsTable(self.name)
        except Exception as error:
            if "CONCURRENT" in str(error).upper():
                raise lost from error
            raise

    def add_constraint(self, name: str, condition: str, properties: dict[str, str]) -> bool:
        """Put a CHECK constraint and properties on the table; false if stored rows break it."""
        try:
            self._sql(f"ALTER TABLE {self.name} ADD CONSTRAINT {name} CHECK ({condition})")
        except Exception as error:
            if "VIOLATE" not in str(error).upper():
                raise
            return False
        for key, value in properties.items():
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            self._sql(f"ALTER TABLE {self.name} SET TBLPROPERTIES ('{key}' = '{quoted}')")
        return True

    def annotate(self, text: str) -> bool:
        """False: Delta in a catalog leaves out commits that change nothing."""
        return False

    def drop_constraint(self, name: str) -> None:
        """Take a CHECK constraint off the table, if it is there."""
        self._sql(f"ALTER TABLE {self.name} DROP CONSTRAINT IF EXISTS {name}")

    def row_counts(self) -> dict[str, int]:
        """Rows stored per partition value."""
        if not self.exists:
            return {}
        [column] = self._sql(f"DESCRIBE DETAIL {self.name}")[0]["partitionColumns"]
        found = self._sql(f"SELECT {column} AS p, count(*) AS n FROM {self.name} GROUP BY {column}")
        return dict(sorted((str(row["p"]), int(row["n"])) for row in found))

    def missing_files(self, version: int) -> list[str]:
        """What the engine says when it cannot read a version to its end: vacuumed, or lost.

        Raises:
            HistoryError: the log does not reach back to the version, or never knew it.
        """
        if version not in {int(commit["version"]) for commit in self._commits}:
            raise HistoryError(
                f"version {version} cannot be read any more",
                where=self.name,
                remedy="restore the table's log from a backup",
            )
        try:
            # An aggregate over every column reads every file, and serverless takes it.
            frame = self.session().read.option("versionAsOf", version).table(self.name)
            frame.selectExpr(f"bit_xor(xxhash64({_all(frame.columns)}))").collect()
        except Exception as error:
            if "FILE_NOT_EXIST" in str(error) or "FileNotFound" in str(error):
                return [str(error).splitlines()[0]]
            raise
        return []

    def rows(
        self, select: str = "*", where: str = "true", version: int | None = None
    ) -> list[dict[str, Any]]:
        """Rows as dicts: for the small tables of records, or for queries with few results."""
        if not self.exists:
            return []
        at = "" if version is None else f" VERSION AS OF {version}"
        return self._sql(f"SELECT {select} FROM {self.name}{at} WHERE {where}")


def _all(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)
