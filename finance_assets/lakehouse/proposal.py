"""Proposal: staged rows and what they account for, as a step hands them to publish.

Auditing and committing them does not belong here.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.calendar import Window
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.audit import CheckOutcome, PartitionFacts
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.ddl import quoted
from finance_assets.lakehouse.history import Delivery, Ledger
from finance_assets.lakehouse.rejections import Rejection
from finance_assets.lakehouse.staged import files_below, first_rows, schema_of
from finance_assets.lakehouse.stored import Identity, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


def staged_files(window: Window, folder: Path) -> dict[str, list[Path]] | None:
    """The Parquet files staged below a folder by partition, for `Proposal.files`.

    None for several partitions: then a file may hold rows of more than one.
    """
    if window.first != window.last:
        return None
    return {window.first: files_below(folder)}


@dataclass(frozen=True)
class Accounting:
    """What became of the rows that went in, by partition, but for those to be published.

    Publish counts these itself, in the pass that audits them. `counted_by` is SQL that counts the
    delivered rows that the rows of an aggregate stand for.
    """

    delivered: dict[str, int]
    quarantined: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    counted_by: str | None = None

    def completed(
        self, partitions: Collection[str], facts: dict[str, PartitionFacts]
    ) -> dict[str, Ledger]:
        """The ledger of each partition, complete."""
        return {
            partition: Ledger(
                self.delivered.get(partition, 0),
                facts.get(partition, audit.EMPTY).counted,
                self.quarantined.get(partition, 0),
                self.duplicates.get(partition, 0),
                is_aggregate=self.counted_by is not None,
            )
            for partition in partitions
        }


@dataclass(frozen=True)
class Proposal:
    """Staged rows proposed as the new content of a table's window.

    `ledgers` are those of every partition, or what publish needs to complete them. `quarantine`
    holds the rejected rows and the contract of their table, `deliveries` what the rows of each
    partition were ingested from, `delivered_files` which files these were. `constants` are the
    columns that have one value in all rows of a partition. `rejected` says why rows of a partition
    were rejected, most frequent first. `files` are the staged Parquet files of each partition of
    the window, where they hold the rows just as the table would. `partitions` are those of the
    window that are meant, if not all: of the others nothing is changed and nothing is said.
    `outcomes` are those of checks that the step made itself; they count as the audit's do. `facts`
    are those of these very rows, where a step had to measure them before it knew whether to propose
    them, as ingestion has to.
    """

    contract: Contract
    window: Window
    rows: "DataFrame"
    ledgers: dict[str, Ledger] | Accounting
    quarantine: "tuple[Contract, DataFrame] | None" = None
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    delivered_files: dict[str, Identity] = field(default_factory=dict)
    constants: dict[str, dict[str, str]] = field(default_factory=dict)
    rejected: dict[str, list[Rejection]] = field(default_factory=dict)
    files: dict[str, list[Path]] | None = None
    partitions: tuple[str, ...] | None = None
    outcomes: tuple[CheckOutcome, ...] = ()
    facts: dict[str, PartitionFacts] | None = None

    @property
    def meant(self) -> tuple[str, ...]:
        """The partitions that it is about."""
        return tuple(self.window) if self.partitions is None else self.partitions

    @property
    def predicate(self) -> str:
        """SQL that holds for the rows of the partitions that are to be replaced."""
        column = self.contract.partition_column
        if len(self.meant) == len(list(self.window)):
            return self.window.predicate(column)
        return f"`{column}` IN ({', '.join(map(quoted, self.meant))})"

    def only(self, partitions: Collection[str]) -> "Proposal":
        """The part of it that replaces some partitions of the window."""
        if len(partitions) == len(self.meant):
            return self
        files = self.files and {p: files for p, files in self.files.items() if p in partitions}
        part = replace(self, partitions=tuple(partitions), files=files)
        return replace(part, rows=self.rows.where(part.predicate))

    def preview(self, limit: int) -> list[Row]:
        """Some of the rows, to look at."""
        if self.files is None:
            return [row.asDict() for row in self.rows.limit(limit).collect()]
        return first_rows((file for files in self.files.values() for file in files), limit)

    @property
    def schemas(self) -> "list[StructType]":
        """The columns of the rows, in each form there is: if files become the table's, of these."""
        staged = [file for files in (self.files or {}).values() for file in files]
        found = {schema.simpleString(): schema for schema in map(schema_of, staged)}
        return list(found.values()) or [self.rows.schema]

    @property
    def counted_by(self) -> str:
        """SQL that counts what the rows stand for."""
        declared = self.ledgers.counted_by if isinstance(self.ledgers, Accounting) else None
        return declared or "count(*)"

    def completed(self, facts: dict[str, PartitionFacts]) -> dict[str, Ledger]:
        """The ledger of each partition, with what the facts say is to be published."""
        if isinstance(self.ledgers, Accounting):
            return self.ledgers.completed(self.meant, facts)
        return self.ledgers
