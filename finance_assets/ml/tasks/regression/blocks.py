"""Estimates over rows that follow each other in time, and so are not independent.

The variance of a mean is that of a paired block bootstrap: circular blocks of rows are drawn with
replacement (Politis and Romano 1992). Of a mean it has a closed form, the variance of the blocks'
means over the number of blocks, so nothing is drawn and the cost is linear in the rows.
"""

import math
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Estimate

if TYPE_CHECKING:
    import numpy as np


def block_mean(values: "np.ndarray", block: int) -> Estimate:
    """The mean of values in the order of time, with the error of blocks of `block` rows.

    Raises:
        ValueError: there are fewer than two blocks: nothing can be said of the error.
    """
    import numpy as np

    blocks = len(values) // block
    if blocks < 2:
        raise ValueError(f"{len(values)} rows are fewer than two blocks of {block}")
    mean = float(values.mean())
    if block == 1:
        return Estimate(mean, float(np.std(values, ddof=1) / math.sqrt(len(values))))
    around = np.concatenate([values, values[: block - 1]])
    sums = np.concatenate([[0.0], np.cumsum(around - mean)])
    means = (sums[block:] - sums[:-block]) / block
    # Blocks that overlap vary too little by this factor where there are few of them.
    fewness = blocks / (blocks - 1)
    return Estimate(mean, float(math.sqrt(np.mean(means**2) * fewness / blocks)))


def block_ratio(above: "np.ndarray", below: "np.ndarray", block: int) -> Estimate:
    """The mean of one figure over the mean of another on the same rows, by the delta method.

    Raises:
        ValueError: the lower mean is 0, or there are too few rows.
    """
    mean = float(below.mean())
    if mean == 0:
        raise ValueError("the figure to compare with is 0 on every row")
    ratio = float(above.mean()) / mean
    return Estimate(ratio, block_mean((above - ratio * below) / mean, block).error)
