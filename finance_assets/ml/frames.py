"""Frames: the labelled rows a model may see as of a partition, split by time.

Point-in-time is decided here and nowhere else: a row counts as labelled as of p only if its
outcome was known in p or before. Fitting and measuring do not belong here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.errors import HistoryError
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.windows import Calendar, Window, shift_month
from finance_assets.ml.spec import ModelSpec

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TimeSplit:
    """Feature months to fit on, and the later ones to measure on, as of a partition."""

    as_of: str
    train: Window
    holdout: Window

    @property
    def matured(self) -> Window:
        """The months in which the outcomes of all these rows became known."""
        return Window(shift_month(self.train.first, 1), shift_month(self.holdout.last, 1))


def split_as_of(calendar: Calendar, spec: ModelSpec, as_of: str) -> TimeSplit:
    """The split whose outcomes had all matured by `as_of`; the holdout is the latest.

    Raises:
        HistoryError: fewer months have matured than training and holdout need.
    """
    last = shift_month(as_of, -1)
    last_train = shift_month(last, -spec.holdout_months)
    if shift_month(last_train, 1 - spec.min_train_months) < calendar.first:
        first_possible = first_as_of(calendar, spec)
        raise HistoryError(
            f"as of {as_of} too few outcomes are known to train and to hold out",
            where=f"model {spec.name}, as of {as_of}",
            remedy=f"train as of {first_possible} or later",
        )
    return TimeSplit(
        as_of, Window(calendar.first, last_train), Window(shift_month(last_train, 1), last)
    )


def first_as_of(calendar: Calendar, spec: ModelSpec) -> str:
    """The earliest partition as of which a candidate can be trained."""
    return shift_month(calendar.first, spec.min_train_months + spec.holdout_months)


def labelled_frame(lakehouse: Lakehouse, spec: ModelSpec, window: Window) -> "pd.DataFrame":
    """Features and target of the window's months, in the order of month and key.

    Rows whose outcome never became known are left out. Columns: key, features, target (0/1).
    """
    outcomes = (
        lakehouse.read(spec.labels, window.widened(1, 1))
        .where(f"{spec.target} IS NOT NULL AND {window.predicate(spec.features.partition_column)}")
        .select(*spec.key, spec.target)
    )
    rows = lakehouse.read(spec.features, window).join(outcomes, list(spec.key))
    frame = rows.select(*spec.key, *spec.feature_names, spec.target).toPandas()
    if frame.empty:
        raise HistoryError(
            "no labelled rows",
            where=f"{spec.features.table} with {spec.labels.table}, months {window}",
            remedy="materialise features and labels of these months first",
        )
    frame[spec.target] = frame[spec.target].astype("int8")
    partition = spec.features.partition_column
    order = [partition, *(name for name in spec.key if name != partition)]
    ordered: pd.DataFrame = frame.sort_values(order, ignore_index=True)
    return ordered


def dataset_version(lakehouse: Lakehouse, spec: ModelSpec, split: TimeSplit) -> str:
    """Every input table with the Delta version at which the months used last changed.

    Example: `features.credit_default@3,labels.credit_default@5`.
    """
    months = Window(split.train.first, split.holdout.last)
    inputs = [(spec.features, months), (spec.labels, split.matured)]
    versions = []
    for contract, window in inputs:
        version = lakehouse.history(contract.table).version_of(window)
        if version is None:
            raise HistoryError(
                "an input was never published",
                where=f"{contract.table}, {window}",
                remedy="materialise it first",
            )
        versions.append(f"{contract.table}@{version}")
    return ",".join(versions)
