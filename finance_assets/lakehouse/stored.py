"""Stored tables: what a Delta table answers and what is done to it, wherever it lies.

Only the types belong here. folder.py and catalog.py are the two ways of it, homes.py decides
which one is meant, and history.py says what the commits of a table mean.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from finance_assets.errors import SettingsError
from finance_assets.lakehouse.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

    from finance_assets.lakehouse.log_index import Reading

Session = Callable[[], "SparkSession"]
# A row of whatever table, as Python has its values. What reads a table of records gets instances
# of their class instead (record.py).
Row: TypeAlias = dict[str, object]
# Size in bytes, and the times of change of content and of the file itself, in nanoseconds. Nobody
# but the kernel sets the last one.
Identity = tuple[int, int, int]


def identity_of(seen: os.stat_result) -> Identity:
    """What tells a file from every other, and from itself before it was changed."""
    return seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def written_at(file: Identity) -> datetime:
    """When a file got the content that it has (UTC)."""
    return datetime.fromtimestamp(file[1] / 1e9, UTC)


def no_engine() -> "SparkSession":
    """The session of who only reads commit logs of folders.

    Raises:
        SettingsError: always.
    """
    raise SettingsError(
        "this needs an engine, and was opened to read commit logs of folders only",
        where="FINANCE_ASSETS_CATALOG",
        remedy="ask where the catalog is: in a notebook or task of the workspace",
    )


@dataclass(frozen=True)
class Commit:
    """One commit of a table's log.

    `text` is its user metadata, `changed` the partitions whose rows it changed (None: it may be
    any). `entry` tells its file from every other; None where the log hides its files, and `made_at`
    says instead when it was made.
    """

    version: int
    operation: str
    text: str | None
    changed: frozenset[str] | None
    entry: Identity | None = None
    made_at: datetime | None = None


@dataclass(frozen=True)
class Size:
    """A number of data files, and their bytes."""

    files: int
    bytes: int


class StoredTable(Protocol):
    """A Delta table as it stood when this object first read it.

    Raises:
        HistoryError: everything here does, when the log or the files cannot be read.
    """

    @property
    def table(self) -> str:
        """`<layer>.<entity>`."""

    @property
    def created_at(self) -> datetime:
        """When the table was made (UTC); one that was deleted and made anew is another table."""

    @property
    def path(self) -> Path:
        """The folder of its files; of a table of a catalog, for what is kept beside it."""

    @property
    def place(self) -> str:
        """Where it lies, for people and for the engine."""

    @property
    def exists(self) -> bool:
        """Whether it was ever created."""

    @property
    def version(self) -> int:
        """The newest Delta version, -1 for a table that does not exist."""

    @property
    def configuration(self) -> dict[str, str]:
        """Its properties, constraints among them."""

    def columns(self) -> dict[str, str]:
        """The type of each column by its name, in Spark's words."""

    def required(self) -> frozenset[str]:
        """The columns that refuse nulls."""

    def entries(self) -> dict[int, Identity] | None:
        """What tells each file of the log from every other; None where they are hidden."""

    def commits(self, after: int = -1) -> list[Commit]:
        """The commits that follow version `after`, newest first; no others are read."""

    def rows(self, select: str = "*", where: str = "true", version: int | None = None) -> list[Row]:
        """Rows as dicts: for the small tables of records, or for queries with few results.

        `select` is what stands between SELECT and FROM, `where` the condition; `version` reads
        the table as it was then.
        """

    def row_counts(self) -> dict[str, int]:
        """Rows stored per partition value."""

    def missing_files(self, version: int) -> list[str]:
        """Data files of a version that are no longer there: vacuumed, or lost.

        Raises:
            HistoryError: the log does not reach back to the version, or never knew it.
        """

    def untouched(self, written: dict[str, int | None], log: "Reading") -> frozenset[str]:
        """The partitions that hold exactly the files that a commit wrote, as it wrote them; where
        the files are hidden, the same rows, as far as the operations of later commits say so.

        `written` names the version for each partition, None for one that must be empty. A
        partition is left out when that is not so, or cannot be known. `log` is what was read of it,
        for a table that hides its files.
        """

    def frame(self, version: int | None = None) -> "DataFrame":
        """All rows, for the engine."""

    def create(self, contract: Contract, properties: dict[str, str]) -> None:
        """Make the table of a contract, unless it is there."""

    def save(self, writer: "DataFrameWriter") -> None:
        """One commit by a configured writer."""

    def adopt(self, files: dict[str, list[Path]], statement: str) -> bool:
        """Make staged Parquet files the content of their partitions, in one commit; false where
        only an engine can commit.

        The files have the table's columns, were audited, and may be removed afterwards.
        """

    def append(self, contract: Contract, records: list[Row], statement: str, after: int) -> None:
        """Add rows in one commit that directly follows version `after`.

        Args:
            contract: the table's; every record has a value for each of its columns.
            records: the rows to add.
            statement: text that rides in the commit.
            after: the version that the caller read, and rests on.

        Raises:
            LostRaceError: another writer committed since; nothing was written.
        """

    def annotate(self, text: str) -> bool:
        """Commit a text without rows; false where that is not possible."""

    def set_properties(self, properties: dict[str, str]) -> None:
        """Put properties on the table, in one commit."""

    def relax(self, column: str) -> None:
        """Let a column hold nulls from now on, in one commit that changes no rows."""

    def add_constraint(self, name: str, condition: str, properties: dict[str, str]) -> bool:
        """Put a CHECK constraint and properties on the table; false if stored rows break it."""

    def drop_constraint(self, name: str) -> None:
        """Take a CHECK constraint off the table, if it is there."""

    def checkpoint(self) -> bool:
        """Write Delta's checkpoint if many commits follow the last one; whether it was written."""

    def size(self) -> Size:
        """The data files of the newest version."""

    def mergeable_files(self) -> int | None:
        """How many small files compaction would merge; None where only the engine knows."""

    def compact(self) -> None:
        """Merge the small files of each partition, in a commit that changes no rows."""

    def vacuum(self, is_dry_run: bool) -> Size | None:
        """Delete the files that no version within the retention names; None if it is not told.

        `is_dry_run`: only say what would be deleted.
        """
