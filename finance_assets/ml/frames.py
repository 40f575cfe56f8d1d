"""Frames: the labelled rows a model may see as of a partition, split by time.

Point-in-time is decided here and nowhere else: a row counts as labelled as of p only if its
outcome was known in p or before. Fitting and measuring do not belong here.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from finance_assets.errors import HistoryError, TooEarlyError
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.windows import Calendar, Window, shift_month
from finance_assets.ml.spec import ModelSpec

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame


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
        TooEarlyError: fewer months have matured than training and holdout need.
    """
    last = shift_month(as_of, -1)
    last_train = shift_month(last, -spec.holdout_months)
    if shift_month(last_train, 1 - spec.min_train_months) < calendar.first:
        first_possible = first_as_of(calendar, spec)
        raise TooEarlyError(
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


@dataclass(frozen=True)
class LabelledRows:
    """Features and target of the rows whose outcome is known, in the engine and as a frame.

    Grain: key. Columns: those of the feature table, target (0/1). Rows whose outcome never
    became known are not among them.
    """

    spec: ModelSpec
    window: Window
    plan: "DataFrame"

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """All rows in this process, in the order of month and key.

        Raises:
            HistoryError: there are none.
        """
        frame = self.plan.toPandas()
        if frame.empty:
            raise HistoryError(
                "no labelled rows",
                where=f"{self.spec.features.table} with {self.spec.labels.table}, {self.window}",
                remedy="materialise features and labels of these months first",
            )
        frame[self.spec.target] = frame[self.spec.target].astype("int8")
        order = [self.spec.month, *(name for name in self.spec.key if name != self.spec.month)]
        ordered: pd.DataFrame = frame.sort_values(order, ignore_index=True)
        return ordered

    def within(self, window: Window) -> "LabelledRows":
        """The rows of some of the months; a frame that is there already is cut, not read anew."""
        month = self.spec.month
        part = LabelledRows(self.spec, window, self.plan.where(window.predicate(month)))
        if "frame" in self.__dict__:
            inside = self.frame[month].between(window.first, window.last)
            part.__dict__["frame"] = self.frame[inside].reset_index(drop=True)
        return part

    @property
    def is_remote(self) -> bool:
        """Whether the rows lie behind Spark Connect, out of reach of Spark's own workers."""
        return "connect" in type(self.plan).__module__

    def partitioned(self, parts: int) -> "DataFrame":
        """The rows in a fixed order over a fixed number of partitions, target as a double."""
        numbers = self.plan.selectExpr(
            "*", f"cast(`{self.spec.target}` as double) as `_{self.spec.target}`"
        ).drop(self.spec.target)
        renamed = numbers.withColumnRenamed(f"_{self.spec.target}", self.spec.target)
        return renamed.repartitionByRange(parts, *self.spec.key).sortWithinPartitions(
            *self.spec.key
        )


def labelled_rows(
    lakehouse: Lakehouse, spec: ModelSpec, window: Window, versions: dict[str, int] | None = None
) -> LabelledRows:
    """Features and target of the window's months; with `versions`, by time travel per table."""
    at = versions or {}
    predicate = window.predicate(spec.month)
    outcomes = (
        lakehouse.read(spec.labels, window.widened(1, 1), at.get(spec.labels.table))
        .where(f"{spec.target} IS NOT NULL AND {predicate}")
        .select(*spec.key, spec.target)
    )
    features = lakehouse.read(spec.features, window, at.get(spec.features.table))
    rows = features.join(outcomes, list(spec.key))
    # Every feature there is: the champion may have learned from others than the candidate.
    return LabelledRows(spec, window, rows.select(*spec.features.column_names, spec.target))


def versions_of(dataset: str) -> dict[str, int]:
    """`features.credit_default@3,labels.credit_default@5` as tables with their versions."""
    pairs = (part.split("@") for part in dataset.split(","))
    return {table: int(version) for table, version in pairs}


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
