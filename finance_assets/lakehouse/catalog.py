"""Tables of a catalog: their commit log, asked of the engine that knows it.

The same questions as TableHistory answers for a table in a folder, in SQL that Databricks and
Spark with Delta share. Unity Catalog hides where a managed table lies, so nothing here touches
files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from finance_assets.errors import HistoryError
from finance_assets.lakehouse.history import Publication, TableHistory

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

    @cached_property
    def publications(self) -> list[Publication]:
        """Every publication, newest first."""
        if not self.exists:
            return []
        commits = sorted(self._commits, key=lambda commit: -int(commit["version"]))
        return [
            Publication.from_json(commit["userMetadata"], int(commit["version"]))
            for commit in commits
            if commit["userMetadata"]
        ]

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
