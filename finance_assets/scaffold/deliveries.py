"""Deliveries: which partition each row belongs to, and the file of each partition."""

import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finance_assets.calendar import Frequency
from finance_assets.calendar.written import made_up, partitions_between
from finance_assets.lakehouse.sources.parquet import ParquetFile
from finance_assets.ml.splits import gap_partitions
from finance_assets.scaffold.formats import ending_of, text_of
from finance_assets.scaffold.given import Given
from finance_assets.scaffold.profile import texts_of
from finance_assets.scaffold.request import CannotScaffoldError, Request
from finance_assets.scaffold.times import Times, times_of

if TYPE_CHECKING:
    import pandas as pd

MAX_MADE_UP, ROWS_EACH = 6, 1500
# Another partition may have this much of the mean share of events, or the order is no time.
MIXED = 0.5


def least_training(task: str, lag: int) -> int:
    """Partitions that a candidate has to learn from: of a regression, one with a past."""
    return 1 if task == "binary" else 1 + max(lag, 1)


def least_partitions(training: int, lag: int) -> int:
    """Partitions to learn from, to measure on and to score, once the outcomes are known."""
    return training + gap_partitions(lag) + 1 + lag + 1


@dataclass(frozen=True)
class Split:
    """The partition of each row.

    `is_named`: the texts of the time column are the names of their partitions. `times` are None
    without time; then `order` says how the rows were put into an order. `repeated` rows are in all
    columns the same as another one of their partition.
    """

    frequency: Frequency
    partitions: "pd.Series[str]"
    reason: str
    is_named: bool = False
    times: Times | None = None
    order: str = ""
    repeated: int = 0

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The partitions that have rows, oldest first."""
        return tuple(sorted(set(self.partitions)))

    @property
    def sizes(self) -> dict[str, int]:
        """How many rows each partition has, of those that have some."""
        counts = self.partitions.value_counts().sort_index()
        return {str(name): int(rows) for name, rows in counts.items()}

    @cached_property
    def calendar(self) -> tuple[str, ...]:
        """Every partition from the first to the last, with rows or without."""
        return partitions_between(self.names[0], self.names[-1], self.frequency)

    def training(self, task: str, lag: int) -> int:
        """Partitions that a candidate has to learn from, those without rows among them."""
        least, filled = least_training(task, lag), set(self.names)
        return next(i for i, name in enumerate(self.calendar, 1) if i >= least and name in filled)

    @property
    def gaps(self) -> tuple[str, ...]:
        """The partitions that have no rows, oldest first."""
        filled = set(self.names)
        return tuple(name for name in self.calendar if name not in filled)


def split_by_time(request: Request, given: Given, task: str) -> Split:
    """Partitions by the column of times.

    Raises:
        CannotScaffoldError: times that cannot be read, too few partitions, or repeated keys.
    """
    times = times_of(request, given)
    texts, days = times.texts, times.days
    keys = [given.column(name) for name in request.key]
    problem, least = "", _least(task, request.label_lag)
    for frequency in times.frequencies(request):
        names = texts.map(days.partitions(frequency))
        count = names.nunique()
        repeated, twice = _repeated(given, keys, names)
        if count >= least and not repeated:
            why = "asked for" if request.frequency else "the coarsest that has enough partitions"
            # A day that is typed is no name, though its text looks like one.
            assert request.time is not None
            is_text = pa.types.is_string(given.column(request.time).type)
            is_named = is_text and bool((names == texts).all())
            return Split(frequency, names, why, is_named, times, repeated=twice)
        problem = repeated or f"the rows lie in {count} {frequency} partition(s)"
    raise CannotScaffoldError(
        f"{problem}, so they are no deliveries of a use case"
        if problem.startswith("the rows")
        else problem,
        where=f"--key {','.join(request.key)} --time {request.time}",
        remedy=f"{least} partitions or more (--frequency daily, or none), and a key that "
        "is unique in each: name every column that tells the rows apart",
    )


def _least(task: str, lag: int) -> int:
    """The fewest partitions of a use case that trains on as few as it can."""
    return least_partitions(least_training(task, lag), lag)


def split_by_order(request: Request, given: Given, outcome: "pd.Series[float]", task: str) -> Split:
    """Partitions of rows without time: in their order, or in that of a digest of the key.

    Raises:
        CannotScaffoldError: repeated keys.
    """
    import pandas as pd

    rows, key = given.rows.num_rows, request.key
    keys = [given.column(name) for name in key]
    repeated, twice = _repeated(given, keys, pd.Series(["all rows"] * rows))
    if repeated:
        raise CannotScaffoldError(
            repeated, where=f"--key {','.join(key)}", remedy="every column that tells rows apart"
        )
    least = _least(task, request.label_lag)
    count = int(np.clip(rows // ROWS_EACH, least, max(MAX_MADE_UP, least)))
    frequency, names = made_up(count)
    place = np.arange(rows) * count // rows
    order = "the order of the rows"
    if not _is_mixed(outcome, place):
        told = pd.DataFrame({str(i): texts_of(column) for i, column in enumerate(keys)})
        mixed = pd.util.hash_pandas_object(told, index=False).to_numpy()
        place = np.argsort(np.argsort(mixed, kind="stable")) * count // rows
        order = "a digest of the key, as the rows are sorted by the label"
    partitions = pd.Series(np.asarray(names, dtype="object")[place])
    return Split(frequency, partitions, "there is no time", order=order, repeated=twice)


def _is_mixed(outcome: "pd.Series[float]", place: "np.ndarray") -> bool:
    """Whether each part has about the same outcomes, as rows in no order of the label have."""
    means = outcome.groupby(place).mean()
    if outcome.nunique() == 2:
        return bool(means.notna().all() and (means >= MIXED * outcome.mean()).all()) and bool(
            (1 - means >= MIXED * (1 - outcome.mean())).all()
        )
    spread = float(outcome.std())
    return bool(((means - outcome.mean()).abs() <= MIXED * spread).all())


def _repeated(
    given: Given, keys: list[pa.ChunkedArray], partitions: "pd.Series[str]"
) -> tuple[str, int]:
    """What is wrong with the key, if anything: several different rows share it in a partition.

    And how many rows are there again, the same in every column.
    """
    import pandas as pd

    frame = pd.DataFrame({str(i): texts_of(column) for i, column in enumerate(keys)})
    missing = frame.isna()
    if missing.to_numpy().any():
        count = int(missing.any(axis=1).sum())
        return f"{count} rows have no value in a column of the key", 0
    frame["partition"] = partitions.to_numpy()
    twice = frame.duplicated(keep=False)
    if not twice.any():
        return "", 0
    # Rows that are the same in every column are one row that came twice: the house drops these.
    suspects = given.rows.filter(pa.array(twice.to_numpy())).to_pandas().drop_duplicates()
    labels = frame[twice.to_numpy()].reset_index(drop=True).loc[suspects.index]
    again = labels[labels.duplicated(keep=False)]
    if again.empty:
        return "", int(twice.sum()) - len(suspects)
    example = ", ".join(str(value) for value in again.iloc[0])
    return f"{len(again)} rows share their key with another row, such as {example}", 0


def write_deliveries(given: Given, split: Split, folder: Path, stem: str) -> dict[str, int]:
    """Write a file for each partition, with its rows in their order; the rows of each."""
    folder.mkdir(parents=True, exist_ok=True)
    partitions, written = split.partitions.to_numpy(), {}
    for name in split.names:
        rows = given.rows.take(pa.array(np.flatnonzero(partitions == name)))
        path = folder / f"{stem}_{name}.{ending_of(given.format)}"
        if isinstance(given.format, ParquetFile):
            pq.write_table(rows, path)
        else:
            # Without a time of its own the same rows give the same bytes.
            text = text_of(rows, given.format)
            path.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
        written[name] = rows.num_rows
    return written
