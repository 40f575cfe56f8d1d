"""Events: what is told while a use case goes through its partitions, wherever it runs.

They are plain values, so that a process that runs a use case can send them to the one that shows
them. Showing is display.py's business.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Began:
    """A run began: of one partition, or of the past; `steps` is how many it has."""

    title: str
    steps: int


@dataclass(frozen=True)
class StepBegan:
    """A step began."""

    key: str


@dataclass(frozen=True)
class StepEnded:
    """A step ended well."""


@dataclass(frozen=True)
class SensorSpoke:
    """What the retraining sensor said after a partition."""

    partition: str
    text: str


@dataclass(frozen=True)
class Ended:
    """The run ended well, with whatever retraining it brought about."""


Event = Began | StepBegan | StepEnded | SensorSpoke | Ended
Tell = Callable[[Event], None]
