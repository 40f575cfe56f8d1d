"""AUC and gains in it, with DeLong's standard error. Pure functions over arrays."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Gain, clustered_error, freedom_of

if TYPE_CHECKING:
    import numpy as np


def auc_gain(
    outcome: "np.ndarray",
    candidate: "np.ndarray",
    other: "np.ndarray",
    reseeded: Sequence["np.ndarray"] = (),
    clusters: "np.ndarray | None" = None,
) -> Gain:
    """The gain in AUC with DeLong's paired standard error.

    DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988), by midranks as Sun and Xu (IEEE
    Signal Processing Letters 21, 2014) compute it. `reseeded` are scores of retrainings. Of rows
    in `clusters`, placements are added up first (Obuchowski, Biometrics 53, 1997).
    """
    import numpy as np

    (bad, good), (bad_other, good_other) = (
        _placements(outcome, candidate),
        _placements(outcome, other),
    )
    moves = bad - bad_other, good - good_other
    if clusters is None:
        error = math.sqrt(sum(float(np.var(part, ddof=1)) / len(part) for part in moves))
    else:
        by_row = np.empty(len(outcome))
        for part, rows in zip(moves, (outcome > 0, outcome <= 0), strict=True):
            by_row[rows] = (part - part.mean()) / len(part)
        error = clustered_error(by_row, clusters)
    return Gain(
        value=float(moves[0].mean()),
        error=error,
        reseeded=tuple(auc(outcome, score) for score in reseeded),
        freedom=freedom_of(clusters),
    )


def auc(outcome: "np.ndarray", score: "np.ndarray") -> float:
    """Area under the ROC curve; ties count half."""
    return float(_placements(outcome, score)[0].mean())


def _placements(outcome: "np.ndarray", score: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
    """Of each positive the share of negatives below it, of each negative that of those above."""
    import numpy as np
    from scipy.stats import rankdata

    is_bad = outcome > 0
    bad, good = score[is_bad], score[~is_bad]
    ranks = rankdata(np.concatenate([bad, good]))
    of_bad = (ranks[: len(bad)] - rankdata(bad)) / len(good)
    of_good = 1 - (ranks[len(bad) :] - rankdata(good)) / len(bad)
    return of_bad, of_good
