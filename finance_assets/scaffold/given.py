"""Given: the rows of the files that somebody has, and what was seen while they were read."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from finance_assets.scaffold.formats import Format, written_as
from finance_assets.scaffold.request import CannotScaffoldError, listed


@dataclass(frozen=True)
class Note:
    """What deserves a look in how a file was read, and why it was read so."""

    choice: str
    reason: str


@dataclass(frozen=True)
class Given:
    """What the files hold.

    `rows` have the names of the file; text unless the format is typed. `format` is that of the
    deliveries, `read_as` that of each file. `malformed` lines are no records, `skipped` ones stand
    above a header, `totals` have neither time nor label. `left_out` are columns of types that no
    table can hold, `notes` what else deserves a look.
    """

    read_as: tuple[Format, ...]
    rows: pa.Table
    malformed: int = 0
    skipped: int = 0
    left_out: tuple[str, ...] = ()
    totals: int = 0
    notes: tuple[Note, ...] = ()

    @cached_property
    def format(self) -> Format:
        """How the rows are written into deliveries: all in one way."""
        return written_as(self.read_as)

    @property
    def header(self) -> tuple[str, ...]:
        """The names in the file."""
        return tuple(self.rows.column_names)

    def column(self, name: str) -> pa.ChunkedArray:
        """A column by its name, blanks around which do not count.

        Raises:
            CannotScaffoldError: there is none.
        """
        return self.rows.column(self.place(name))

    def place(self, name: str, where: str = "the file") -> int:
        """The position of a column in the files."""
        stripped = [known.strip() for known in self.header]
        if name in [known.strip() for known in self.left_out]:
            raise CannotScaffoldError(
                f"the column {name!r} has a type that no table can hold",
                where=where,
                remedy="write it as a text, a number or a time: no list, no object, no bytes",
            )
        if name not in stripped:
            raise CannotScaffoldError(
                f"there is no column {name!r}",
                where=where,
                remedy=f"one of: {listed(self.header)}",
            )
        return stripped.index(name)
