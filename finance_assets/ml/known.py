"""Known outcomes: of how many of the rows there are, partition by partition, the outcome is known.

It counts; whether that is enough, the gate says (criteria/known.py).
"""

from dataclasses import dataclass

from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.frames import LabelledRows
from finance_assets.ml.splits import TimeSplit


@dataclass(frozen=True)
class Known:
    """Of how many of a partition's rows the outcome is known. It is held out, or learned from."""

    partition: str
    is_held_out: bool
    known: int
    rows: int


def known_outcomes(lakehouse: Lakehouse, rows: LabelledRows, split: TimeSplit) -> tuple[Known, ...]:
    """The count of every partition that has rows of features, labelled or not."""
    spec, windows = rows.spec, ((split.train, False), (split.holdout, True))
    counts = lakehouse.history(spec.features.table).row_counts()
    labelled = rows.frame[spec.partition_column].astype(str).value_counts().to_dict()
    return tuple(
        Known(partition, is_held_out, int(labelled.get(partition, 0)), counts[partition])
        for window, is_held_out in windows
        for partition in window
        if counts.get(partition)
    )
