"""Declared tables: what a use case writes, each giving its contract and its steps together.

The two kinds are `Entity` (entity.py: a delivery, taken over and typed) and `Table` (derived.py:
derived from other tables). How steps run is in ingest.py and table.py.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from finance_assets.lakehouse.contract import Contract
from finance_assets.step.declaration import Input, Step


class Declared(ABC):
    """A table of a use case, with how it is made."""

    contract: Contract

    @abstractmethod
    def steps(self, use_case: str, samples: Path) -> tuple[Step, ...]:
        """The steps that make it; `samples` holds the deliveries where there is no landing."""

    def at(self, first: int, last: int | None = None) -> Input:
        """This table as an input, by partitions from the reader's own: `at(-1)` is the one before,
        `at(-2, 0)` these three.
        """
        return Input(self.contract, first, first if last is None else last)


def table_steps(use_case: str, tables: Iterable[Declared], samples: Path) -> tuple[Step, ...]:
    """The steps of these tables, in their order."""
    return tuple(step for table in tables for step in table.steps(use_case, samples))
