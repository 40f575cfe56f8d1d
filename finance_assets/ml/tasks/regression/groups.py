"""Groups: how far forecasts of groups of protected attributes are off. Nothing is judged here."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Estimate, Interval
from finance_assets.ml.grouping import groupings
from finance_assets.ml.tasks.regression.blocks import block_mean

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

    Groups of fewer than `min_rows` rows are returned apart, with their size. A group that is the
    only large one of an attribute by itself is compared with nobody: all rows are nearly it.
    """
    import numpy as np

    found: list[tuple[str, str, np.ndarray]] = []
    small: dict[str, int] = {}
    for one in groupings(attributes):
        sizes = dict(zip(one.names, np.bincount(one.codes).tolist(), strict=True))
        small |= {group: size for group, size in sizes.items() if size < min_rows}
        large = [place for place, group in enumerate(one.names) if group not in small]
        if len(large) > 1 or one.is_intersection:
            found += [(one.attribute, one.names[n], one.codes == n) for n in large]
    confidence = 1 - (1 - CONFIDENCE) / max(len(found), 1)
    compared = []
    for attribute, group, rows in found:
        ratio = _ratio(rows, error, block).interval(confidence)
        mae = float(error[rows].mean())
        compared.append(GroupError(attribute, group, int(rows.sum()), mae, ratio))
    return tuple(compared), small


def _ratio(rows: "np.ndarray", error: "np.ndarray", block: int) -> Estimate:
    """The group's mean error over that of all rows, by the delta method.

    What each row moves the ratio by is taken around the group's own mean: how many rows a group
    happens to have is not what its errors are like. Blocks of time stay together.
    """
    import numpy as np

    mean, of_all = float(error[rows].mean()), float(error.mean())
    if of_all == 0:
        raise ValueError("the error to compare with is 0 on every row")
    ratio = mean / of_all
    own = np.where(rows, (error - mean) / float(rows.mean()), 0.0)
    return replace(block_mean((own - ratio * (error - of_all)) / of_all, block), value=ratio)
