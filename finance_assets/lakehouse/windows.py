"""Months as partitions: the calendar of a use case and the windows a step runs over.

Partition keys are `YYYY-MM`, which sort as text in the order of time. Dagster's own partition
objects do not belong here; `automation/partitions.py` makes them from a calendar.
"""

from collections.abc import Iterator
from dataclasses import dataclass


def shift_month(partition: str, months: int) -> str:
    """The partition `months` later (earlier when negative)."""
    year, month = (int(part) for part in partition.split("-"))
    index = year * 12 + (month - 1) + months
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


@dataclass(frozen=True)
class Window:
    """One partition or a contiguous range of them, both ends included."""

    first: str
    last: str

    def __post_init__(self) -> None:
        """Refuse a window that ends before it begins."""
        if self.first > self.last:
            raise ValueError(f"window ends ({self.last}) before it begins ({self.first})")

    def __iter__(self) -> Iterator[str]:
        """The partitions of the window, oldest first."""
        partition = self.first
        while partition <= self.last:
            yield partition
            partition = shift_month(partition, 1)

    def __str__(self) -> str:
        """`2005-04` or `2005-04..2005-09`."""
        return self.first if self.first == self.last else f"{self.first}..{self.last}"

    def widened(self, first_offset: int, last_offset: int) -> "Window":
        """The window with its ends moved by the given numbers of months."""
        return Window(
            shift_month(self.first, first_offset),
            shift_month(self.last, last_offset),
        )

    def predicate(self, column: str) -> str:
        """SQL condition that holds for exactly the rows of this window."""
        return f"{column} >= '{self.first}' AND {column} <= '{self.last}'"


@dataclass(frozen=True)
class Calendar:
    """The partitions of a use case: from `first` to `last`, both included."""

    first: str
    last: str

    def partitions(self) -> list[str]:
        """Every partition, oldest first."""
        return list(Window(self.first, self.last))

    def has(self, partition: str) -> bool:
        """Whether the calendar has this partition."""
        return self.first <= partition <= self.last

    def through(self, partition: str | None) -> list[str]:
        """The partitions up to and including `partition` (all of them for None)."""
        return [p for p in self.partitions() if partition is None or p <= partition]
