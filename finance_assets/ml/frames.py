"""Frames: the labelled rows a model may see as of a partition, split by time.

Point-in-time is decided here and nowhere else: a row counts as labelled as of p only if its
outcome was known in p or before. Fitting and measuring do not belong here.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from finance_assets.calendar import Calendar, Window
from finance_assets.errors import HistoryError, TooEarlyError
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.spec import ModelSpec

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class TimeSplit:
    """Partitions of features to fit on, and the later ones to measure on, as of a partition.

    `label_lag`: after how many partitions the outcome of a row is known.
    """

    as_of: str
    train: Window
    holdout: Window
    label_lag: int

    @property
    def rows(self) -> Window:
        """The partitions of all these rows."""
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
    return TimeSplit(
        as_of,
        calendar.window(_first_learned(calendar, spec), calendar.shift(held_out, -1)),
        calendar.window(held_out, last),
        spec.label_lag,
    )


def first_as_of(calendar: Calendar, spec: ModelSpec) -> str:
    """The earliest partition as of which a candidate can be trained."""
    needed = spec.min_train_partitions + spec.holdout_partitions
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


@dataclass(frozen=True)
class LabelledRows:
    """Features and target of the rows whose outcome is known, in the engine and as a frame.

    Grain: key. Columns: those of the feature table, target (of an event 0 or 1). Rows whose
    outcome never became known are not among them.
    """

    spec: ModelSpec
    window: Window
    plan: "DataFrame"

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """All rows in this process, in the order of partition and key.

        Raises:
            HistoryError: there are none.
        """
        frame = self.plan.toPandas()
        if frame.empty:
            raise HistoryError(
                "no labelled rows",
                where=f"{self.spec.features.table} with {self.spec.labels.table}, {self.window}",
                remedy="materialise features and labels of these partitions first",
            )
        frame[self.spec.target] = frame[self.spec.target].astype(self.spec.task.outcome_type)
        order = [
            self.spec.partition_column,
            *(name for name in self.spec.key if name != self.spec.partition_column),
        ]
        ordered: pd.DataFrame = frame.sort_values(order, ignore_index=True)
        return ordered

    def within(self, window: Window) -> "LabelledRows":
        """The rows of some of the partitions; a frame that is there is cut, not read anew."""
        partition = self.spec.partition_column
        part = LabelledRows(self.spec, window, self.plan.where(window.predicate(partition)))
        if "frame" in self.__dict__:
            inside = self.frame[partition].between(window.first, window.last)
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
    """Features and target of the window; with `versions`, by time travel per table."""
    at = versions or {}
    predicate = window.predicate(spec.partition_column)
    outcomes = (
        lakehouse.read(spec.labels, _matured(window, spec), at.get(spec.labels.table))
        .where(f"{spec.target} IS NOT NULL AND {predicate}")
        .transform(lambda labels: _newest(labels, spec))
    )
    features = lakehouse.read(spec.features, window, at.get(spec.features.table))
    rows = features.join(outcomes, list(spec.key))
    # Every feature there is: the champion may have learned from others than the candidate.
    return LabelledRows(spec, window, rows.select(*spec.features.column_names, spec.target))


def versions_of(dataset: str) -> dict[str, int]:
    """`features.a@3,labels.b@5` as tables with their versions."""
    pairs = (part.split("@") for part in dataset.split(","))
    return {table: int(version) for table, version in pairs}


def dataset_version(lakehouse: Lakehouse, spec: ModelSpec, split: TimeSplit) -> str:
    """Every input table with the Delta version at which the partitions used last changed.

    Example: `features.a@3,labels.b@5`.

    Raises:
        HistoryError: one of the partitions was never published.
    """
    inputs = [(spec.features, split.rows), (spec.labels, split.matured)]
    versions = []
    for contract, window in inputs:
        history = lakehouse.history(contract.table)
        version, missing = history.version_of(window), set(window) - history.recorded()
        if version is None or missing:
            raise HistoryError(
                "an input was never published",
                where=f"{contract.table}, {', '.join(sorted(missing)) or window}",
                remedy="materialise it first",
            )
        versions.append(f"{contract.table}@{version}")
    return ",".join(versions)


def _newest(labels: "DataFrame", spec: ModelSpec) -> "DataFrame":
    """One outcome of each row. A later partition of labels may correct it: the newest one counts.

    Without a lag the outcome lies with its row, in a partition that has each key once.
    """
    if not spec.label_lag:
        return labels.select(*spec.key, spec.target)
    from pyspark.sql import functions as F

    known = spec.labels.partition_column
    # On Sail 0.7.2 a join with the maximum takes 2 s for 840,000 rows, `max_by` takes 14.
    newest = labels.groupBy(*spec.key).agg(F.expr(f"max(`{known}`) AS `{known}`"))
    return labels.join(newest, [*spec.key, known]).select(*spec.key, spec.target)


def require_labels(lakehouse: Lakehouse, rows: LabelledRows, split: TimeSplit) -> None:
    """Refuse rows in which a whole partition has features and not one known outcome.

    A model would learn as if that time had never been, and a holdout would measure nothing.

    Raises:
        HistoryError: naming the partitions.
    """
    spec = rows.spec
    labelled = set(rows.frame[spec.partition_column].astype(str))
    without = [p for p in split.rows if p not in labelled]
    # A partition without any rows has nothing to know an outcome of: that is the gate's to judge.
    counts = lakehouse.history(spec.features.table).row_counts() if without else {}
    missing = [p for p in without if counts.get(p, 0)]
    if missing:
        raise HistoryError(
            f"no outcome is known of any row of {', '.join(missing)}",
            where=f"model {spec.name} as of {split.as_of}: {spec.labels.table}, {split.matured}",
            remedy="materialise these labels; if they are right, outcomes are known later than "
            f"after the {spec.label_lag} partitions that label_lag declares",
        )


def _matured(window: Window, spec: ModelSpec) -> Window:
    """The partitions in which the outcomes of a window's rows become known."""
    return window.widened(spec.label_lag, spec.label_lag)
