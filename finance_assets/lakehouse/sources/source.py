"""The Source: what a system promises to deliver for a partition, as a use case declares it.

How a format is read is its reader's business; the bronze table of a source is in bronze.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from finance_assets.declarations import Mistake, refuse
from finance_assets.lakehouse.readable import is_token
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.reader import Reader

PARTITION = "{partition}"


@dataclass(frozen=True)
class SourceColumn:
    """A column that is delivered.

    `at_source` is its name there, where that is another. `type` is Spark SQL's name of the
    delivered type; formats of text deliver strings. `null_tokens` stand for a missing value,
    beside those of the source, written as texts whatever the type is; a blank text and NaN always
    do.
    """

    name: str
    at_source: str | None = None
    type: str = "string"
    description: str = ""
    null_tokens: tuple[str, ...] = ()
    is_pii: bool = False

    @property
    def delivered_name(self) -> str:
        """The column's name in the file."""
        return self.name if self.at_source is None else self.at_source


@dataclass(frozen=True)
class Source:
    """What a system promises: a file for each partition, its format and its columns.

    `system` names who delivers, for messages. `file_pattern` names the file of a `{partition}`.
    `null_tokens` stand for a missing value in every column whose type has them. `may_repeat`: two
    partitions may hold the same rows, as with a list that rarely changes; otherwise such a delivery
    is refused as another partition's. `is_optional`: a partition may come without a file. `first`:
    the first partition that has to come, such as the second of the calendar for outcomes that
    become known one partition later; before it, a file may be missing. `last`: the last partition
    that the system delivers; what later ones need of it is not made (step/coming.py). The use case
    checks both against its calendar.
    """

    system: str
    file_pattern: str
    columns: tuple[SourceColumn, ...] = ()
    format: Reader = Csv()
    null_tokens: tuple[str, ...] = ()
    may_repeat: bool = False
    is_optional: bool = False
    first: str | None = None
    last: str | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration that no delivery could keep.

        Raises:
            DeclarationError: naming every mistake in it.
        """
        refuse(f"source {self.file_pattern!r}", self._mistakes())

    def _mistakes(self) -> Iterator[Mistake]:
        if PARTITION not in self.file_pattern:
            what = "the file's name does not depend on the partition"
            yield Mistake("file_pattern", what, f"write {PARTITION}")
        for what, names in (("name", self.column_names), ("name at the source", self.header)):
            for name in sorted({name for name in names if names.count(name) > 1}):
                what_twice = f"two columns have the {what} {name!r}"
                yield Mistake("columns", what_twice, "give each its own")
        for column in self.columns:
            yield from self._of_column(column)

    def _of_column(self, column: SourceColumn) -> Iterator[Mistake]:
        if not column.name or column.name[0] == "_":
            yield Mistake(
                "columns",
                f"{column.name!r} is no name of a delivered column: those with an underscore in "
                "front say where a row came from",
                "rename it: SourceColumn('name', at_source='_name')",
            )
        if column.type != "string" and not self.format.is_typed:
            yield Mistake(
                f"type of {column.name}",
                f"is {column.type}, but the format delivers text",
                "leave `type` out here, and declare it in the silver contract",
            )
        for token in column.null_tokens:
            if not is_token(token, column.type):
                yield Mistake(
                    f"null_tokens of {column.name}",
                    f"it is delivered as {column.type}, and {token!r} never is one",
                    f"a null token that is written as {column.type}, or none",
                )

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The names in the file, in the declared order."""
        return tuple(column.delivered_name for column in self.columns)

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Our names, in the same order."""
        return tuple(column.name for column in self.columns)

    @property
    def may_be_absent(self) -> bool:
        """Whether some partition may come without a file."""
        return self.is_optional or self.first is not None

    def is_expected(self, partition: str) -> bool:
        """Whether a partition must come with a file."""
        is_over = self.last is not None and partition > self.last
        return not (self.is_optional or is_over) and partition >= (self.first or "")

    def file_name(self, partition: str) -> str:
        """What the file of a partition is called."""
        return self.file_pattern.replace(PARTITION, partition)

    def path(self, folder: Path, partition: str) -> Path:
        """Where the delivery of a partition is expected."""
        return folder / self.file_name(partition)


def columns_named(names: Iterable[str], pii: Iterable[str] = ()) -> tuple[SourceColumn, ...]:
    """Columns that need no more than a name; those in `pii` are personal data."""
    private = set(pii)
    return tuple(replace(SourceColumn(name), is_pii=name in private) for name in names)
