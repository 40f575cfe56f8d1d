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
        """The rows of some of the partitions; a frame that is there is cut, and not copied."""
        partition = self.spec.partition_column
        part = LabelledRows(self.spec, window, self.plan.where(window.predicate(partition)))
        if "frame" in self.__dict__:
            ordered = self.frame[partition].to_numpy()
            after = ordered.searchsorted(window.last, "right")
            cut = self.frame.iloc[ordered.searchsorted(window.first) : after]
            cut.index = self.frame.index[: len(cut)]
            part.__dict__["frame"] = cut
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
    lakehouse: Lakehouse, spec: ModelSpec, split: TimeSplit, versions: dict[str, int] | None = None
) -> LabelledRows:
    """Features and target of a split's rows; with `versions`, by time travel per table."""
    at, window = versions or {}, split.rows
    predicate = window.predicate(spec.partition_column)
    outcomes = (
        lakehouse.read(spec.labels, split.matured, at.get(spec.labels.table))
        .where(f"{spec.target} IS NOT NULL AND {predicate}")
        .select(*spec.key, spec.target)
    )
    features = lakehouse.read(spec.features, window, at.get(spec.features.table))
    rows = features.join(outcomes, list(spec.key))
    # Every feature there is: the champion may have learned from others than the candidate.
    return LabelledRows(spec, window, rows.select(*spec.features.column_names, spec.target))


@dataclass(frozen=True)
class Dataset:
    """The stored rows of a split: where they are read, and which they are.

    `version` names every input table with the Delta version at which the partitions used last
    changed: `features.a@3,labels.b@5`. A table that was made anew counts its versions anew, so
    `contents` has for each table a digest of what these partitions hold.
    """

    version: str
    contents: dict[str, str]


def tables_of(spec: ModelSpec, split: TimeSplit) -> dict[str, Window]:
    """The tables that a model learns from, with the partitions that a split reads of each."""
    return {spec.features.table: split.rows, spec.labels.table: split.matured}


def versions_of(dataset: str) -> dict[str, int]:
    """`features.a@3,labels.b@5` as tables with their versions."""
    pairs = (part.split("@") for part in dataset.split(","))
    return {table: int(version) for table, version in pairs}


def dataset_of(lakehouse: Lakehouse, spec: ModelSpec, split: TimeSplit) -> Dataset:
    """The rows of a split as they are stored now.

    Raises:
        HistoryError: one of the partitions was never published.
    """
    versions, contents = [], {}
    for table, window in tables_of(spec, split).items():
        history = lakehouse.history(table)
        version, missing = history.version_of(window), set(window) - history.recorded()
        if version is None or missing:
            raise HistoryError(
                "an input was never published",
                where=f"{table}, {', '.join(sorted(missing)) or window}",
                remedy="materialise it first",
            )
        versions.append(f"{table}@{version}")
        contents[table] = history.digest_of(window)
    return Dataset(",".join(versions), contents)


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
