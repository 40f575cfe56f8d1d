"""Splits: which partitions a candidate learns from and which it is measured on, as of a partition.

Pure. Point-in-time is decided here and in frames.py, which reads the rows, and nowhere else.
"""

from dataclasses import dataclass

from finance_assets.calendar import Calendar, Window
from finance_assets.errors import TooEarlyError
from finance_assets.ml.spec import ModelSpec


@dataclass(frozen=True)
class TimeSplit:
    """Partitions of features to fit on, and the later ones to measure on, as of a partition.

    `label_lag`: after how many partitions the outcome of a row is known. With more than one, the
    partitions between the two are in neither (see `gap_partitions`).
    """

    as_of: str
    train: Window
    holdout: Window
    label_lag: int

    @property
    def rows(self) -> Window:
        """The partitions of all these rows, and those between them."""
        return self.train.through(self.holdout)

    @property
    def matured(self) -> Window:
        """The partitions in which the outcomes of all these rows became known."""
        return self.rows.widened(self.label_lag, self.label_lag)


def split_as_of(calendar: Calendar, spec: ModelSpec, as_of: str) -> TimeSplit:
    """The split whose outcomes had all matured by `as_of`; the holdout is the latest.

    Raises:
        TooEarlyError: fewer partitions have matured than training and holdout need.
    """
    first_possible = first_as_of(calendar, spec)
    if as_of < first_possible:
        raise TooEarlyError(
            f"as of {as_of} too few outcomes are known to train and to hold out",
            where=f"model {spec.name}, as of {as_of}",
            remedy=f"train as of {first_possible} or later",
        )
    last = calendar.shift(as_of, -spec.label_lag)
    held_out = calendar.shift(last, 1 - spec.holdout_partitions)
    last_learned = calendar.shift(held_out, -1 - gap_partitions(spec.label_lag))
    return TimeSplit(
        as_of,
        calendar.window(_first_learned(calendar, spec), last_learned),
        calendar.window(held_out, last),
        spec.label_lag,
    )


def gap_partitions(label_lag: int) -> int:
    """Partitions left out between those to learn from and those to measure on.

    The outcome of a row is made of the partitions up to the one in which it is known. Rows of
    partitions that are closer together than the lag share some of them: whoever learned from the
    one would know part of the other's outcome, and know it again by all that tells who the row is
    of.
    """
    return max(label_lag - 1, 0)


def first_as_of(calendar: Calendar, spec: ModelSpec) -> str:
    """The earliest partition as of which a candidate can be trained."""
    gap = gap_partitions(spec.label_lag)
    needed = spec.min_train_partitions + gap + spec.holdout_partitions
    return calendar.shift(_first_learned(calendar, spec), needed - 1 + spec.label_lag)


def _first_learned(calendar: Calendar, spec: ModelSpec) -> str:
    return calendar.shift(calendar.first, spec.warm_up_partitions)


def require_whole(calendar: Calendar, spec: ModelSpec, window: Window) -> None:
    """Refuse to train as of a partition that still grows: its outcomes are not all in.

    Raises:
        TooEarlyError: naming the partitions.
    """
    growing = [p for p in window if not calendar.is_whole(p)]
    if growing:
        raise TooEarlyError(
            f"as of {', '.join(growing)} the partition still grows: its outcomes are not all known",
            where=f"model {spec.name}",
            remedy="train as of an earlier partition, or once this one has ended and is in",
        )
