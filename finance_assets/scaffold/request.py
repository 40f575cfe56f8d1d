"""The request: what was asked for, and the refusal of what cannot be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from finance_assets.calendar import Frequency
from finance_assets.errors import FinanceAssetsError

NO_TIME = "none"
SHOWN = 30


class CannotScaffoldError(FinanceAssetsError):
    """No use case can be made of this; nothing was written."""


def listed(names: Sequence[str]) -> str:
    """Names for a person to choose from: not hundreds of them."""
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


@dataclass(frozen=True)
class Request:
    """What a person asked for. None is what can be told from the data.

    `key` are columns that tell the entities apart, by their names in the file; without one the
    rows are numbered. `frequency` is a calendar's, or `none` for data without time. `positive` is
    the value of the label that is the event.
    """

    name: str
    files: tuple[Path, ...]
    label: str
    key: tuple[str, ...] = ()
    time: str | None = None
    task: str | None = None
    frequency: str | None = None
    label_lag: int = 0
    positive: str | None = None
    owner: str = ""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            CannotScaffoldError: naming the option.
        """
        if not self.files:
            raise CannotScaffoldError("no file was named", where="--from", remedy="--from FILE")
        if self.task not in (None, "binary", "regression"):
            raise CannotScaffoldError(
                f"there is no task {self.task!r}", where="--task", remedy="binary or regression"
            )
        allowed = (*(f.value for f in Frequency), NO_TIME)
        if self.frequency not in (None, *allowed):
            raise CannotScaffoldError(
                f"there is no frequency {self.frequency!r}",
                where="--frequency",
                remedy=", ".join(allowed),
            )
        if self.time is None and self.frequency not in (None, NO_TIME):
            raise CannotScaffoldError(
                f"--frequency {self.frequency} needs a column of times",
                where="--time",
                remedy="name it with --time, or leave --frequency out: then the order of the rows "
                "stands for time",
            )
        if self.label_lag < 0:
            raise CannotScaffoldError(
                f"an outcome cannot be known {-self.label_lag} partitions before its row",
                where="--label-lag",
                remedy="0 (it comes with the row) or more",
            )
        if self.positive is not None and self.task == "regression":
            raise CannotScaffoldError(
                "a number to forecast has no positive value",
                where="--positive",
                remedy="leave it out, or --task binary",
            )
        named = [*self.key, *([self.time] if self.time else [])]
        if self.label in named:
            raise CannotScaffoldError(
                f"{self.label!r} is the label, and also the key or the time",
                where="--label",
                remedy="three different columns",
            )

    @property
    def has_time(self) -> bool:
        """Whether deliveries follow a column of times."""
        return self.time is not None and self.frequency != NO_TIME
