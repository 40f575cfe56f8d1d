"""The window: what a step runs over and reads. It computes by the calendar that it is bound to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finance_assets.calendar.calendar import Calendar


@dataclass(frozen=True)
class Window:
    """One partition or a contiguous range of them, both ends included, bound to its calendar.

    Made by `Calendar.window`. Only a single partition can do without a calendar: that of a
    journal, of which nothing has to be computed.
    """

    first: str
    last: str
    calendar: "Calendar | None" = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a window that ends before it begins, or whose partitions nobody can list."""
        if self.first > self.last:
            raise ValueError(f"window ends ({self.last}) before it begins ({self.first})")
        if self.calendar is None and self.first != self.last:
            raise ValueError(f"a range ({self}) is made by its calendar: calendar.window(…)")

    def __iter__(self) -> Iterator[str]:
        """The partitions of the window, oldest first."""
        if self.calendar is None:
            return iter((self.first,))
        frequency = self.calendar.frequency
        numbers = range(frequency.parse(self.first), frequency.parse(self.last) + 1)
        return map(frequency.named, numbers)

    def __str__(self) -> str:
        """`2005-04` or `2005-04..2005-09`."""
        return self.first if self.first == self.last else f"{self.first}..{self.last}"

    def at(self, partition: str) -> "Window":
        """A single partition, bound to the same calendar."""
        return Window(partition, partition, self.calendar)

    def through(self, later: "Window") -> "Window":
        """From the beginning of this window to the end of a later one."""
        return Window(self.first, later.last, self.calendar)

    def widened(self, first_offset: int | None, last_offset: int) -> "Window":
        """The window with its ends moved by numbers of partitions; None: from the very first.

        Where that would end before the calendar begins, it is the partition at its end, which
        does not exist and has no rows.

        Raises:
            ValueError: the window has no calendar.
        """
        if self.calendar is None:
            raise ValueError(f"the window {self} has no calendar to move its ends by")
        last = self.calendar.shift(self.last, last_offset)
        if first_offset is None:
            return Window(min(self.calendar.first, last), last, self.calendar)
        return Window(self.calendar.shift(self.first, first_offset), last, self.calendar)

    def predicate(self, column: str) -> str:
        """SQL condition that holds for exactly the rows of this window."""
        return f"{column} >= '{self.first}' AND {column} <= '{self.last}'"
