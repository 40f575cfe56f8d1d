"""The holdout: how many partitions have to be kept to measure on, so that the gate can judge."""

from typing import TYPE_CHECKING, Any

from finance_assets.ml.tasks.binary import defaults as binary_defaults
from finance_assets.ml.tasks.regression import defaults as regression_defaults
from finance_assets.scaffold.deliveries import Split, least_partitions
from finance_assets.scaffold.outcome import Outcome
from finance_assets.scaffold.plan import Decision

if TYPE_CHECKING:
    import pandas as pd


def holdout_of(
    outcome: Outcome, lag: int, split: Split, values: "pd.Series[float]"
) -> tuple[int, Decision]:
    """The fewest partitions that have the rows and events which the gate asks for, usually.

    One, where there are not enough partitions for it: the gate will say so.
    """
    known = values[values.notna()]
    by_partition = known.groupby(split.partitions[values.notna()].to_numpy())
    task: Any = binary_defaults if outcome.task == "binary" else regression_defaults
    bounds = task.GATE.criterion("enough_rows")
    rows = float(by_partition.size().median())
    wanted, least = bounds.min_rows / rows, f"{bounds.min_rows:,} rows"
    has = f"{rows:,.0f} rows"
    if outcome.task == "binary":
        events = float(by_partition.sum().median())
        rarer = min(events, rows - events)
        wanted = max(wanted, bounds.min_positives / max(rarer, 0.5))
        least = f"{least} and {bounds.min_positives} events, and as many others"
        has = f"{has} and {events:,.0f} events"
    count = max(1, -int(-wanted // 1))
    said = f"a partition has about {has}; the gate asks for {least}"
    if count + least_partitions(outcome.task, lag) - 1 <= len(split.names):
        return count, Decision("holdout", f"{count} partition(s)", said)
    reason = f"{said}: it will turn candidates down until there is more"
    return 1, Decision("!holdout", "1 partition, too small", reason)
