"""The holdout: how many partitions have to be kept to measure on, so that the gate can judge."""

from typing import TYPE_CHECKING, Any

from finance_assets.ml.tasks.binary import defaults as binary_defaults
from finance_assets.ml.tasks.regression import defaults as regression_defaults
from finance_assets.scaffold.deliveries import Split, least_partitions
from finance_assets.scaffold.outcome import Outcome
from finance_assets.scaffold.plan import Decision

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# Of all stretches of so many partitions, this share has to have what the gate asks for.
NEARLY_ALL = 0.9


def holdout_of(
    outcome: Outcome, lag: int, split: Split, values: "pd.Series[float]"
) -> tuple[int, Decision]:
    """The fewest partitions in a row that nearly always have what the gate asks for.

    Partitions without rows count, as they do where a candidate is measured: a weekend is no
    holdout. But a candidate is as of a partition with rows, and its holdout ends `lag` before it.

    Returns:
        Their number, and what is said of it; 1, where there are not enough partitions: the gate
        will say so.
    """
    import numpy as np

    known = values[values.notna()]
    by_partition = known.groupby(split.partitions[values.notna()].to_numpy())
    task: Any = binary_defaults if outcome.task == "binary" else regression_defaults
    bounds = task.GATE.criterion("enough_rows")
    each, least = by_partition.agg(["size", "sum"]), f"{bounds.min_rows:,} rows"
    has = f"{each['size'].median():,.0f} rows"
    if outcome.task == "binary":
        least = f"{least} and {bounds.min_positives} events, and as many others"
        has = f"{has} and {each['sum'].median():,.0f} events"
    each = each.reindex(list(split.calendar), fill_value=0)
    ends, sums = each["size"].to_numpy().nonzero()[0] + 1 - lag, each.cumsum().to_numpy()
    sums = np.vstack([np.zeros_like(sums[:1]), sums])
    said = f"a partition with rows has about {has}; the gate asks for {least}"
    most = len(split.calendar) - least_partitions(split.training(outcome.task, lag), lag) + 1
    for count in range(1, most + 1):
        late = ends[ends >= count]
        rows, events = (sums[late] - sums[late - count]).T
        if len(late) and _are_enough(rows, events, bounds) >= NEARLY_ALL:
            return count, Decision("holdout", f"{count} partition(s)", said)
    reason = f"{said}: it will turn candidates down until there is more"
    return 1, Decision("!holdout", "1 partition, too small", reason)


def _are_enough(rows: "np.ndarray", events: "np.ndarray", bounds: Any) -> float:
    """The share of stretches that are enough, of the later half: what came first may be little."""
    rows, events = rows[len(rows) // 2 :], events[len(events) // 2 :]
    are_enough = rows >= bounds.min_rows
    if hasattr(bounds, "min_positives"):
        are_enough &= (events >= bounds.min_positives) & (rows - events >= bounds.min_positives)
    return float(are_enough.mean())
