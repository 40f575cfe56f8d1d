"""The reader protocol: what every format of deliveries can do, and what it is given.

A reader takes over rows as they came. What makes a file as a whole untrustworthy raises
`DeliveryError`; a single row that cannot be read is kept as it came, for quarantine to judge.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from finance_assets.calendar import Window
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.stored import Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from finance_assets.lakehouse.sources.source import Source


@dataclass(frozen=True)
class Arrival:
    """A delivered file: for which partition, where it was delivered, and the copy to be read."""

    partition: str
    delivered: Path
    copy: Path


@dataclass(frozen=True)
class Staged:
    """The rows of some deliveries, how many the reader saw for each partition, and what it noticed
    that a person may want to know.

    `files` are Parquet files of each partition with just the table's columns, where the reader made
    such.
    """

    rows: "DataFrame"
    counts: dict[str, int]
    notes: tuple[str, ...] = ()
    files: dict[str, list[Path]] | None = None

    def files_of(self, window: Window) -> dict[str, list[Path]] | None:
        """The files of each partition of a window, which may have none."""
        known = self.files
        return None if known is None else {p: known.get(p, []) for p in window}


class Reader(Protocol):
    """How the files of a format are read."""

    @property
    def kind(self) -> str:
        """The format's name in Dagster's graph, which has icons for them."""

    @property
    def is_typed(self) -> bool:
        """Whether the format has types; else every value is delivered as text."""

    @property
    def reads_copies(self) -> bool:
        """Whether the staged rows are read from the copies themselves, until they are published."""

    @property
    def malformed(self) -> str:
        """What is wrong with a row that is kept as it came, for people."""

    def stage(
        self,
        spark: "SparkSession",
        source: "Source",
        contract: Contract,
        arrivals: list[Arrival],
        folder: Path,
    ) -> Staged:
        """The rows of deliveries with where they came from; `folder` takes what is written.

        Raises:
            DeliveryError: a file cannot be trusted as a whole.
        """

    def texts(self, source: "Source", copy: Path, wanted: set[int]) -> dict[int, str]:
        """Rows of a kept file by their line number, as they stand in the file.

        Raises:
            DeliveryError: the file cannot be read that far.
        """

    def shows(self, source: "Source", text: str, row: Row) -> bool:
        """Whether a text of the file says what the stored row says."""
