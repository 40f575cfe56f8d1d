"""Groups: how far forecasts of groups of protected attributes are off. Nothing is judged here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Interval
from finance_assets.ml.grouping import groupings
from finance_assets.ml.tasks.regression.blocks import block_ratio

if TYPE_CHECKING:
    import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class GroupError:
    """A group's mean absolute error, and `ratio`, that over the error of all rows.

    `attribute` is `region, size`, `group` names it: `region=north, size=small`. The intervals of
    all groups hold at once.
    """

    attribute: str
    group: str
    rows: int
    mae: float
    ratio: Interval


def compare_errors(
    attributes: dict[str, "np.ndarray"], error: "np.ndarray", min_rows: int, block: int
) -> tuple[tuple[GroupError, ...], dict[str, int]]:
    """Every group, intersections of up to three attributes included, against all rows.

    Groups of fewer than `min_rows` rows are returned apart, with their size.
    """
    import numpy as np

    found: list[tuple[str, str, np.ndarray]] = []
    small: dict[str, int] = {}
    for attribute, labels in groupings(attributes):
        for group in sorted(set(labels.tolist())):
            rows = labels == group
            if int(rows.sum()) < min_rows:
                small[group] = int(rows.sum())
            else:
                found.append((attribute, group, rows))
    confidence = 1 - (1 - CONFIDENCE) / max(len(found), 1)
    compared = []
    for attribute, group, rows in found:
        # As a ratio of means over the same rows, blocks of time stay together.
        share = float(rows.mean())
        estimate = block_ratio(np.where(rows, error / share, 0.0), error, block)
        ratio = estimate.interval(confidence)
        mae = float(error[rows].mean())
        compared.append(GroupError(attribute, group, int(rows.sum()), mae, ratio))
    return tuple(compared), small
