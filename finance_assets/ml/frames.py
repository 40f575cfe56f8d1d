"""Frames: the labelled rows a model may see as of a partition.

A row counts as labelled as of p only if its outcome was known in p or before. How the partitions
are split is said in splits.py. Fitting and measuring do not belong here.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from finance_assets.calendar import Window
from finance_assets.errors import HistoryError, ModelError
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import TimeSplit

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from pyspark.sql import DataFrame

    from finance_assets.lakehouse.contract import Contract


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
        .where(predicate)
        .transform(lambda labels: _newest(labels, spec, split.label_lag))
        .where(f"{spec.target} IS NOT NULL")
    )
    features = lakehouse.read(spec.features, window, at.get(spec.features.table))
    rows = features.join(outcomes, list(spec.key))
    # Every feature there is: the champion may have learned from others than the candidate.
    return LabelledRows(spec, window, rows.select(*spec.features.column_names, spec.target))


def with_groups(
    spec: ModelSpec, frame: "pd.DataFrame", read: "Callable[[Contract], DataFrame]"
) -> "pd.DataFrame":
    """The rows with a column for each protected attribute; `read`: their partitions of a table.

    Raises:
        ModelError: a row of the table has the key of another, so that the group is left open.
    """
    if spec.protected is None:
        return frame
    source = read(spec.protected.source)
    import pandas as pd

    attributes = spec.protected.attributes
    groups = source.selectExpr(*spec.key, *(f"{a.expression} as `{a.name}`" for a in attributes))
    try:
        return frame.merge(groups.toPandas(), "left", list(spec.key), validate="many_to_one")
    except pd.errors.MergeError as error:
        raise ModelError(
            f"two rows have the same {', '.join(spec.key)}: which says the group is left open",
            where=f"model {spec.name}, protected.source: {spec.protected.source.table}",
            remedy="mend the table, so that it has each row of the model once",
        ) from error


@dataclass(frozen=True)
class Dataset:
    """The stored rows of a split: where they are read, and which they are.

    `version` names every input table with the Delta version at which the partitions used last
    changed: `features.a@3,labels.b@5`. A table that was made anew counts its versions anew, so
    `contents` has for each table a digest of what these partitions hold.
    """

    version: str
    contents: dict[str, str]


def windows_of(spec: ModelSpec, split: TimeSplit) -> dict[str, Window]:
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
    for table, window in windows_of(spec, split).items():
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


def _newest(labels: "DataFrame", spec: ModelSpec, label_lag: int) -> "DataFrame":
    """One outcome of each row. A later partition of labels may correct it, or say that it is not
    known after all: the newest one counts.

    Without a lag the outcome lies with its row, in a partition that has each key once.
    """
    if not label_lag:
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
