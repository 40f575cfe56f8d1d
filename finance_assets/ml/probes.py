"""Probes for a leak: what single features reach, and whether the holdout repeats the training.

Measured on plain frames and independent of the candidate's family. Judging is the gate's.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from finance_assets.ml.estimates import auc, auc_gain

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# Small models of few rows: they only have to show a leak, not to be good. 20,000 rows and 40
# rounds find a leak of 0.02 AUC where honest features stay below 0.004.
PROBE_ROWS = 10_000
PROBE_ROUNDS = 30
PROBE_PARAMS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.2,
    "num_leaves": 8,
    "min_data_in_leaf": 50,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 1,
    "verbosity": -1,
}
# Rank correlation from which two features count as one.
TWINS = 0.98
# Standard errors that a loss must exceed: the lower end of a 95 % interval.
SURE = 1.96
# A value is common if this share of the rows has it; two rows may well share a common value.
COMMON = 0.01


@dataclass(frozen=True)
class Repetition:
    """How far holdout rows repeat rows of a training month, key left out.

    `share` of the holdout rows have the same values of `features` as some row of `month`;
    `usual` is the share that training rows reach without any copying: see `_usual`.
    """

    share: float
    usual: float
    month: str
    features: tuple[str, ...]

    @property
    def excess(self) -> float:
        """The share beyond what is usual."""
        return self.share - self.usual


def alone(
    frame: "pd.DataFrame", features: tuple[str, ...], outcome: "np.ndarray"
) -> dict[str, float]:
    """AUC of each feature by itself, in the better direction; missing values rank lowest."""
    import numpy as np

    found = {}
    for name in features:
        values = frame[name].to_numpy("float64")
        reached = auc(outcome, np.where(np.isnan(values), -np.inf, values))
        found[name] = max(reached, 1 - reached)
    return found


def unique_gains(
    trained: "pd.DataFrame", holdout: "pd.DataFrame", features: tuple[str, ...], target: str
) -> dict[str, float]:
    """AUC that is surely lost without each feature, all others kept: what only this one knows.

    Surely: the lower end of DeLong's 95 % interval of the loss, so that few rows, whose AUC moves
    by chance, accuse nobody. Features honestly made of the same history stand in for each other;
    the outcome has no stand-in. Twins, which rank the rows all but alike, leave together, or a
    leak that is there twice would stand in for itself. Measured with small models on part of the
    rows.
    """
    import numpy as np

    rows, held = _spread(trained, PROBE_ROWS), _spread(holdout, PROBE_ROWS)
    outcome, twins = held[target].to_numpy("float64"), _twins(held, features)
    whole = _probe(rows, held, features, target)

    def lost_without(name: str) -> float:
        kept = tuple(f for f in features if f not in twins[name])
        rest = _probe(rows, held, kept, target) if kept else np.zeros(len(held))
        loss = auc_gain(outcome, whole, rest)
        return loss.value - SURE * loss.error

    # LightGBM works outside Python's lock; two probes at a time, each with one thread.
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(features, pool.map(lost_without, features), strict=True))


def _twins(frame: "pd.DataFrame", features: tuple[str, ...]) -> dict[str, set[str]]:
    """For each feature, itself and those with nearly the same order of the rows."""
    ranks = frame[list(features)].astype("float64").fillna(-1e300).rank()
    alike = ranks.corr().abs() >= TWINS
    return {name: {name, *(f for f in features if alike.loc[name, f])} for name in features}


def _spread(frame: "pd.DataFrame", most: int) -> "pd.DataFrame":
    """At most so many rows, evenly spread over the frame."""
    import numpy as np

    if len(frame) <= most:
        return frame
    return frame.iloc[np.linspace(0, len(frame) - 1, most).astype("int64")]


def _probe(
    rows: "pd.DataFrame", held: "pd.DataFrame", features: tuple[str, ...], target: str
) -> "np.ndarray":
    """Scores of the held rows by a small model of these features."""
    import lightgbm as lgb
    import numpy as np

    names = list(features)
    data = lgb.Dataset(rows[names].to_numpy("float64"), label=rows[target].to_numpy())
    booster = lgb.train(PROBE_PARAMS, data, num_boost_round=PROBE_ROUNDS)
    return np.asarray(booster.predict(held[names].to_numpy("float64"), num_threads=1))


def repetition(
    trained: "pd.DataFrame", holdout: "pd.DataFrame", month: str, features: tuple[str, ...]
) -> Repetition:
    """The worst repetition over training months and sets of features.

    A month delivered twice repeats only in features of that month: those that look back differ.
    So pairs of telling features are compared, those that few rows share a value of; without two
    of them, all features at once. Rows repeat naturally too (an account without business has
    the same balance each month), which is what `usual` measures.
    """
    months = {str(name): rows for name, rows in trained.groupby(month, sort=True)}
    held = _codes(holdout, features)
    known = {name: _codes(rows, features) for name, rows in months.items()}
    telling = [name for name in features if _is_telling(held[name])]
    sets: list[tuple[str, ...]] = [*combinations(telling, 2)] or [features]
    worst: Repetition | None = None
    for chosen in sets:
        ours = _together(held, chosen)
        parts = {name: _together(codes, chosen) for name, codes in known.items()}
        usual = _usual(list(parts.values()))
        for name, theirs in parts.items():
            found = Repetition(_share_in(ours, theirs), usual, name, chosen)
            if worst is None or found.excess > worst.excess:
                worst = found
    if worst is None:
        raise ValueError("there is no training month to compare with")
    return worst


def _codes(frame: "pd.DataFrame", features: tuple[str, ...]) -> dict[str, "np.ndarray"]:
    import pandas as pd

    return {
        name: pd.util.hash_array(frame[name].fillna(-1e300).to_numpy("float64"))
        for name in features
    }


def _is_telling(codes: "np.ndarray") -> bool:
    """Whether most rows have a value that few others have."""
    import numpy as np

    _, place, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return bool(np.median(counts[place]) <= max(COMMON * len(codes), 1))


def _together(codes: dict[str, "np.ndarray"], chosen: tuple[str, ...]) -> "np.ndarray":
    """One number for the values of several features."""
    import numpy as np

    total = codes[chosen[0]]
    for name in chosen[1:]:
        total = total * np.uint64(0x9E3779B97F4A7C15) + codes[name]
    return total


def _usual(months: list["np.ndarray"]) -> float:
    """The share of rows that repeat without any copying, as the training months show it.

    The higher of two: rows of a month that an earlier one has, at most; rows of a month that
    another row of the same month has, at least (a feature that is not known yet in one month
    would make its rows alike). Never measured on the holdout, whose copies could be copied twice.
    """
    between = [_share_in(later, earlier) for earlier, later in combinations(months, 2)]
    return max(*between, min(map(_share_alike, months)), 0.0)


def _share_in(rows: "np.ndarray", others: "np.ndarray") -> float:
    import pandas as pd

    return float(pd.Series(rows).isin(others).mean())


def _share_alike(rows: "np.ndarray") -> float:
    """Share of the rows whose values another of them has."""
    import pandas as pd

    return float(pd.Series(rows).duplicated(keep=False).mean())
