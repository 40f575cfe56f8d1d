"""Derived tables: contract and step of a table that is made from others, declared together.

What follows from the inputs is not written: columns that are taken over, their lineage, key,
partitions, and which rows must be accounted for. Reading a SELECT is step/origins.py's business.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.declarations import refuse
from finance_assets.lakehouse.contract import Column, Contract, RowRule, TableRule
from finance_assets.step.declaration import Input, Step
from finance_assets.step.select import Select
from finance_assets.steps.declared import Declared
from finance_assets.steps.derived_rules import mistakes_of_columns, mistakes_of_making
from finance_assets.steps.table import Conservation, table_step

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Passed:
    """A column taken over from an input under its name: unchanged, or as another type."""

    name: str
    type: str | None = None


def passed(names: Iterable[str], as_type: str | None = None) -> tuple[Passed, ...]:
    """Columns taken over from an input: unchanged, or all as another type."""
    return tuple(Passed(name, as_type) for name in names)


@dataclass(frozen=True)
class Table(Declared):
    """A table made from other tables.

    `inputs` are tables, of the same partition, or what `at` makes of them. A column is a `Column`;
    or a name, alone or `Passed`, for one that is taken over from an input with its description.

    `transform` makes the rows:
    - a SELECT over the inputs, by their entities. Lineage is read from it.
    - a function of frames whose parameters are the inputs' entities. What it computes needs
      `derived_from`, or cannot be under a feature. It is taken at its word: a test that changes
      the inputs should hold it to that.
    - none: the rows of the only input, with the columns that are passed.

    Key and partition column are the first input's unless they are said. So is what must be
    accounted for: each of its rows once, in the same partition, or that of its only offset.
    `counted_by` is SQL that counts the input's rows that the table's rows stand for, when they are
    aggregated; `conserves` says all of it.
    """

    table: str
    description: str
    inputs: tuple[Declared | Contract | Input, ...]
    columns: tuple[Column | Passed | str, ...]
    transform: "Callable[..., DataFrame] | str | None" = None
    key: tuple[str, ...] = ()
    partition_column: str = ""
    rules: tuple[RowRule | TableRule, ...] = ()
    min_rows: int = 0
    counted_by: str | None = None
    conserves: Conservation | None = None
    contract: Contract = field(init=False)

    def __post_init__(self) -> None:
        """Derive the contract.

        Raises:
            DeclarationError: naming every mistake in the declaration.
        """
        what = f"table {self.table}"
        refuse(what, mistakes_of_making(self))
        refuse(what, mistakes_of_columns(self))
        contract = Contract(
            table=self.table,
            description=self.description,
            columns=tuple(self._column(column) for column in self.columns),
            key=self.key or self.first.contract.key,
            partition_column=self.partition_column or self.first.contract.partition_column,
            row_rules=tuple(rule for rule in self.rules if isinstance(rule, RowRule)),
            table_rules=tuple(rule for rule in self.rules if isinstance(rule, TableRule)),
            min_rows=self.min_rows,
        )
        object.__setattr__(self, "contract", contract)

    def steps(self, use_case: str, samples: Path) -> tuple[Step, ...]:
        """The one step that makes it."""
        made = self.select or self.transform
        assert callable(made), "refused when it was declared"
        return (table_step(use_case, self.contract, self.read, made, self.accounts_for),)

    @cached_property
    def read(self) -> tuple[Input, ...]:
        """The inputs with the partitions that are read of each."""
        given = (i.contract if isinstance(i, Declared) else i for i in self.inputs)
        return tuple(Input(i) if isinstance(i, Contract) else i for i in given)

    @property
    def first(self) -> Input:
        """The input from which the table takes what it does not say itself."""
        return self.read[0]

    @cached_property
    def by_entity(self) -> dict[str, Contract]:
        """The inputs by the names that a transform knows them by."""
        return {item.contract.entity: item.contract for item in self.read}

    @cached_property
    def select(self) -> Select | None:
        """The transform as a SELECT, unless it is a function."""
        if callable(self.transform):
            return None
        return Select(self.transform or self._passing(), self.known_columns)

    @cached_property
    def known_columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each input."""
        return {entity: tuple(c.column_names) for entity, c in self.by_entity.items()}

    @cached_property
    def accounts_for(self) -> Conservation:
        """The rows that the table must account for."""
        if self.conserves is not None:
            return self.conserves
        is_single = self.first.first_offset == self.first.last_offset
        offset = self.first.last_offset if is_single else 0
        return Conservation(self.first.contract, offset, self.counted_by)

    def upstream(self, name: str) -> Contract | None:
        """The input that a column is taken over from."""
        if self.select is not None:
            plain = self.select.origins[name].plain
            return None if plain is None or plain[1] != name else self.by_entity[plain[0]]
        return next((c for c in self.by_entity.values() if name in c.column_names), None)

    def lineage(self, name: str) -> tuple[str, ...]:
        """The inputs' columns that a column is made of, as far as the transform says."""
        if self.select is None:
            return ()
        places = self.select.origins[name].places
        return tuple(
            f"{contract.table}.{column}"
            for entity, contract in self.by_entity.items()
            for column in contract.column_names
            if (entity, column) in places
        )

    def _column(self, column: Column | Passed | str) -> Column:
        if isinstance(column, Column):
            return replace(column, derived_from=column.derived_from or self.lineage(column.name))
        taken = Passed(column) if isinstance(column, str) else column
        source = self.upstream(taken.name)
        assert source is not None, "refused when it was declared"
        passed_on = source.passed_on(taken.name, taken.type)
        # The text may say more: the columns of its filters.
        return replace(passed_on, derived_from=self.lineage(taken.name) or passed_on.derived_from)

    def _passing(self) -> str:
        """The SELECT that takes over every column."""
        names = [c if isinstance(c, str) else c.name for c in self.columns]
        types = {c.name: c.type for c in self.columns if isinstance(c, Passed) and c.type}
        columns = [f"cast({n} as {types[n]}) as {n}" if n in types else n for n in names]
        return f"SELECT {', '.join(columns)} FROM {self.first.contract.entity}"
