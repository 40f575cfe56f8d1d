"""Entity: what a system delivers and its typed form, declared once.

Gives the source, the bronze table of the rows as they came, the silver table of the typed ones,
and the two steps between them. Rules of reading are in lakehouse/readable.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from finance_assets.declarations import Mistake, refuse
from finance_assets.lakehouse.contract import Column, Contract, RowRule, TableRule
from finance_assets.lakehouse.readable import require_readable
from finance_assets.lakehouse.sources.bronze import bronze_contract
from finance_assets.lakehouse.sources.source import Source, SourceColumn
from finance_assets.step.declaration import Step
from finance_assets.steps.declared import Declared
from finance_assets.steps.ingest import ingest_step
from finance_assets.steps.table import refine_step

DELIVERED_FOR = "delivered_for"


@dataclass(frozen=True)
class Delivered:
    """A delivered column and its typed form.

    `type` is that of the silver table. `at_source` is the column's name in the file and
    `delivered_type` its type there, where these are others; text has no types. `null_tokens` stand
    for a missing value, beside those of the source and blank text. `is_bronze_only`: silver does
    not have it.
    """

    name: str
    type: str
    description: str
    at_source: str | None = None
    is_nullable: bool = False
    unit: str | None = None
    is_pii: bool = False
    null_tokens: tuple[str, ...] = ()
    delivered_type: str | None = None
    is_bronze_only: bool = False

    def as_delivered(self, is_typed: bool) -> SourceColumn:
        """The column of the source, and of bronze."""
        kind = (self.delivered_type or self.type) if is_typed else "string"
        return SourceColumn(
            self.name, self.at_source, kind, null_tokens=self.null_tokens, is_pii=self.is_pii
        )

    def as_typed(self) -> Column:
        """The column of silver."""
        return Column(
            self.name, self.type, self.description, self.is_nullable, self.unit, self.is_pii
        )


@dataclass(frozen=True)
class Bronze:
    """How the bronze table is called, where `bronze.<entity>_deliveries` and the rest do not do.

    `partition_column` holds the partition that a delivery is for.
    """

    table: str | None = None
    description: str = "Every delivered row as it came, with where it came from."
    partition_column: str = DELIVERED_FOR
    partition_description: str = "Partition that the delivery is for"


@dataclass(frozen=True)
class Entity(Declared):
    """A silver table with the delivery that it is read from.

    `source` says who delivers which files; its columns follow from `columns`. A source with columns
    of its own keeps them: those that silver does not name stay in bronze. `partition_column` is a
    delivered column, whose values must be the partition of their delivery, or else a new one that
    holds it. `min_rows` is 1 unless the source may be absent.
    """

    table: str
    description: str
    source: Source
    columns: tuple[Delivered | Column, ...]
    key: tuple[str, ...]
    partition_column: str = DELIVERED_FOR
    rules: tuple[RowRule | TableRule, ...] = ()
    min_rows: int | None = None
    max_quarantine_share: float = 0.0
    bronze: Bronze = Bronze()
    bronze_contract: Contract = field(init=False)
    contract: Contract = field(init=False)

    def __post_init__(self) -> None:
        """Derive the contracts.

        Raises:
            DeclarationError: naming every mistake in the declaration, its source or a contract.
        """
        refuse(f"entity {self.table}", self._mistakes())
        object.__setattr__(self, "bronze_contract", self._bronze())
        object.__setattr__(self, "contract", self._silver())
        require_readable(self.bronze_contract, self.contract)

    @cached_property
    def full_source(self) -> Source:
        """The source with its columns."""
        if self.source.columns:
            return self.source
        typed = self.source.format.is_typed
        delivered = (c.as_delivered(typed) for c in self.columns if isinstance(c, Delivered))
        return replace(self.source, columns=tuple(delivered))

    def steps(self, use_case: str, samples: Path) -> tuple[Step, ...]:
        """The two steps: one takes deliveries over into bronze, one refines them into silver."""
        return (
            ingest_step(use_case, self.full_source, self.bronze_contract, samples),
            refine_step(use_case, self.bronze_contract, self.contract),
        )

    def _mistakes(self) -> Iterator[Mistake]:
        if self.source.columns:
            for column in self.columns:
                if isinstance(column, Delivered):
                    yield Mistake(
                        f"column {column.name}",
                        "is Delivered, but the source declares its columns itself",
                        "leave `columns` out of the Source, or declare a Column here",
                    )
            return
        for column in self.columns:
            if isinstance(column, Column):
                yield Mistake(
                    f"column {column.name}",
                    "is a Column, and nothing says that it is delivered",
                    "Delivered(name, type, description), or a Source with columns of its own",
                )

    def _bronze(self) -> Contract:
        bronze = self.bronze
        entity = self.table.rpartition(".")[2]
        if self.partition_column not in self.full_source.column_names:
            bronze = replace(bronze, partition_column=self.partition_column)
        return bronze_contract(
            self.full_source,
            bronze.table or f"bronze.{entity}_deliveries",
            bronze.description,
            bronze.partition_column,
            bronze.partition_description,
        )

    def _silver(self) -> Contract:
        columns = [
            column.as_typed() if isinstance(column, Delivered) else column
            for column in self.columns
            if not (isinstance(column, Delivered) and column.is_bronze_only)
        ]
        if self.partition_column not in [column.name for column in columns]:
            about = self.bronze.partition_description
            columns.append(Column(self.partition_column, "string", about))
        least = 0 if self.source.may_be_absent else 1
        upstream = self.bronze_contract.table
        return Contract(
            table=self.table,
            description=self.description,
            columns=tuple(
                replace(c, derived_from=c.derived_from or (f"{upstream}.{c.name}",))
                for c in columns
            ),
            key=self.key,
            partition_column=self.partition_column,
            row_rules=tuple(rule for rule in self.rules if isinstance(rule, RowRule)),
            table_rules=tuple(rule for rule in self.rules if isinstance(rule, TableRule)),
            min_rows=least if self.min_rows is None else self.min_rows,
            max_quarantine_share=self.max_quarantine_share,
            has_quarantine=True,
        )
