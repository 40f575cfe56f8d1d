"""Suspects: columns that are the outcome in other words, and how well each column ranks it."""

from typing import TYPE_CHECKING

from finance_assets.ml.tasks.binary import defaults as binary_defaults
from finance_assets.ml.tasks.regression import defaults as regression_defaults

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# Rows that are looked at, and how many rows a value of words needs to say anything.
SAMPLE, ROWS_PER_VALUE = 200_000, 20
# A rank correlation of few rows may be perfect by chance.
LEAST = 30


def gives_away(values: "pd.Series[float]", outcome: "pd.Series[float]", task: str) -> str:
    """Why a column is the outcome itself and no feature; empty if it is not.

    It equals the outcome, orders it, or is there in just the rows in which the outcome came.
    """
    import numpy as np

    known = outcome.notna()
    values, outcome = _sampled(values[known]), _sampled(outcome[known])
    if len(outcome) < LEAST or outcome.nunique() < 2:
        return ""
    there = values.notna()
    if there.sum() >= LEAST and np.array_equal(values[there], outcome[there]):
        return "it equals the label"
    limit = (binary_defaults if task == "binary" else regression_defaults).GIVES_AWAY
    if task == "binary":
        if 0 < there.mean() < 1:
            told = _both_ways(there.astype("float64"), outcome)
            if told >= limit:
                return f"whether it is filled in orders the label (AUC {told:.3f})"
        told = _both_ways(values, outcome)
        return f"it orders the label (AUC {told:.3f})" if told >= limit else ""
    if there.sum() < LEAST or values[there].nunique() < 2:
        return ""
    told = abs(float(values[there].corr(outcome[there], method="spearman")))
    return f"it orders the label (rank correlation {told:.5f})" if told >= limit else ""


def told_by_words(texts: "pd.Series[str]", outcome: "pd.Series[float]") -> "pd.Series[float]":
    """Words as numbers: the mean outcome of each, in the other half of the rows that have it.

    In its own half the rows of rare events would tell of themselves. Words of few rows say nothing
    by themselves, and are all one.
    """
    import numpy as np
    import pandas as pd

    filled = texts.fillna("")
    counts = filled.map(filled.value_counts())
    same = filled.where(counts >= ROWS_PER_VALUE, "(rare)")
    half = np.random.default_rng(0).integers(0, 2, len(same))
    means = outcome.groupby([same.to_numpy(), half]).mean()
    other = means.reindex(pd.MultiIndex.from_arrays([same.to_numpy(), 1 - half]))
    return pd.Series(other.to_numpy(), index=outcome.index).fillna(outcome.mean())


def ranking(values: "np.ndarray", outcome: "np.ndarray", task: str) -> float:
    """How well plain values rank the outcome, with the sign of the direction: -1 to 1, 0 nothing.

    Of a binary outcome 2 · AUC - 1, else the rank correlation; missing values rank lowest.
    """
    import numpy as np
    from scipy.stats import rankdata, spearmanr

    plain = np.where(np.isnan(values), -np.inf, values)
    if len(plain) < 2 or len(np.unique(plain)) < 2 or len(np.unique(outcome)) < 2:
        return 0.0
    if task == "binary":
        from finance_assets.ml.tasks.binary.auc import auc

        return 2 * auc(outcome, plain) - 1
    return float(spearmanr(rankdata(plain), outcome).statistic)


def _both_ways(values: "pd.Series[float]", outcome: "pd.Series[float]") -> float:
    reached = ranking(values.to_numpy("float64"), outcome.to_numpy("float64"), "binary")
    return (1 + abs(reached)) / 2


def _sampled(values: "pd.Series[float]") -> "pd.Series[float]":
    """Rows spread evenly over all of them."""
    step = max(len(values) // SAMPLE, 1)
    return values.iloc[::step]
