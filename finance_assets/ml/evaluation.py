"""Evaluation: models on the same holdout, measured as a whole, by partition and by group.

Pure functions over frames and arrays. Loading models and rows is the evaluation step's, judging
the gate's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from finance_assets.ml.tasks.task import Metrics
from finance_assets.monitoring.drift import population_stability_index
from finance_assets.monitoring.reference import (
    build_reference,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from finance_assets.ml.spec import ModelSpec

ALL = "all"
# Chance alone gives 500 rows in ten bins a PSI of 0.04; 40 rows, one of 0.5.
STRETCH_ROWS = 500
CANDIDATE, CHAMPION, SCORECARD, NAIVE = "candidate", "champion", "scorecard", "naive"


@dataclass(frozen=True)
class Holdout:
    """The rows that models are measured on.

    `frame` has key, features, target and one column per protected attribute; `trained` the rows
    of the training partitions, without the attributes.
    """

    spec: "ModelSpec"
    frame: "pd.DataFrame"
    trained: "pd.DataFrame"

    @property
    def last_trained(self) -> "pd.DataFrame":
        """The rows of the last training partition; of as many as make a stretch, if it is small."""
        partitions = self.trained[self.spec.partition_column].astype(str)
        counts = partitions.value_counts().sort_index(ascending=False).cumsum()
        enough = counts[counts >= STRETCH_ROWS]
        first = enough.index[0] if len(enough) else partitions.min()
        last: pd.DataFrame = self.trained[partitions >= first]
        return last

    @property
    def outcome(self) -> "np.ndarray":
        """What came: of an event 1 or 0, of a number its value."""
        return self.frame[self.spec.target].to_numpy("float64")

    @property
    def entity(self) -> list[str]:
        """The columns that say who or what a row is of: its key without the partition."""
        return [name for name in self.spec.key if name != self.spec.partition_column]

    @cached_property
    def clusters(self) -> "np.ndarray | None":
        """The number of each row's entity; None: each comes once, and rows are independent."""
        return clusters_of(self.frame, self.entity)

    @cached_property
    def segments(self) -> dict[str, "np.ndarray"]:
        """Which rows belong to each partition and to each group, by `attribute=value`."""
        import numpy as np

        names = [self.spec.partition_column]
        if self.spec.protected:
            names += [attribute.name for attribute in self.spec.protected.attributes]
        found = {}
        for name in names:
            values, codes = np.unique(self.frame[name].to_numpy().astype(str), return_inverse=True)
            for place, value in enumerate(values):
                found[f"{name}={value}"] = codes == place
        return found


def clusters_of(frame: "pd.DataFrame", entity: Sequence[str]) -> "np.ndarray | None":
    """A number for each row, the same for rows of one entity.

    None if no entity comes again, or there is one alone: then who the rows are of tells none of
    them apart.
    """
    if not entity or not frame.duplicated(list(entity)).any():
        return None
    numbers: np.ndarray = frame.groupby(list(entity), sort=False).ngroup().to_numpy()
    return numbers if numbers.any() else None


def measure_segments(holdout: Holdout, output: "np.ndarray") -> dict[str, Metrics]:
    """Metrics over all rows and over each segment that is large enough."""
    outcome, task = holdout.outcome, holdout.spec.task
    measured = {ALL: task.measure(outcome, output)}
    for name, rows in holdout.segments.items():
        if task.can_measure(outcome[rows]):
            measured[name] = task.measure(outcome[rows], output[rows])
    return measured


def _stretches(partitions: "np.ndarray") -> "np.ndarray":
    """For each row the last partition of its stretch; what is left over goes to the one before."""
    import numpy as np

    names, place, counts = np.unique(partitions, return_inverse=True, return_counts=True)
    ends, rows = [], 0
    for number, count in enumerate(counts.tolist()):
        rows += count
        if rows >= STRETCH_ROWS:
            ends.append(number)
            rows = 0
    last = len(names) - 1
    ends = [*ends[:-1], last] if ends else [last]
    found: np.ndarray = names[np.asarray(ends)[np.searchsorted(ends, place)]]
    return found


def stability(holdout: Holdout, before: "np.ndarray", output: "np.ndarray") -> dict[str, float]:
    """PSI of what the model says from one partition to the next, from the last trained one on.

    Partitions of few rows are taken together until they are enough to say anything: a stretch,
    named by its last partition.
    """
    column = holdout.spec.partition_column
    partitions = holdout.frame[column].to_numpy().astype(str)
    stretches = _stretches(partitions)
    outputs = {str(holdout.last_trained[column].max()): before}
    outputs |= {name: output[stretches == name] for name in sorted(set(stretches))}
    names, found = sorted(outputs), {}
    for earlier, name in zip(names, names[1:], strict=False):
        reference = build_reference("output", outputs[earlier])
        now = build_reference("output", outputs[name], reference.edges)
        found[name] = population_stability_index(reference.counts, now.counts)
    return found
