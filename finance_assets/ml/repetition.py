"""Repetition: whether the holdout repeats rows of the training. Judging is the gate's."""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# A value is common if this share of the rows has it; two rows may well share a common value.
COMMON = 0.01


@dataclass(frozen=True)
class Repetition:
    """How far holdout rows repeat rows of a training partition, key left out.

    `share` of the holdout rows have the same values of `features` as some row of `partition`;
    `usual` is the share that training rows reach without any copying: see `_usual`.
    """

    share: float
    usual: float
    partition: str
    features: tuple[str, ...]

    @property
    def excess(self) -> float:
        """The share beyond what is usual."""
        return self.share - self.usual


def repetition(
    trained: "pd.DataFrame", holdout: "pd.DataFrame", partition: str, features: tuple[str, ...]
) -> Repetition:
    """The worst repetition over training partitions and sets of features.

    A delivery that came twice repeats only in features of its own time: those that look back
    differ.
    So pairs of telling features are compared, those that few rows share a value of; without two
    of them, all features at once. Rows repeat naturally too (an account without business has
    the same balance each partition), which is what `usual` measures.
    """
    import numpy as np

    names, places = np.unique(trained[partition].astype(str).to_numpy(), return_inverse=True)
    if not len(names):
        raise ValueError("there is no training partition to compare with")
    held, known = _codes(holdout, features), _codes(trained, features)
    telling = [name for name in features if _is_telling(held[name])]
    sets: list[tuple[str, ...]] = [*combinations(telling, 2)] or [features]
    worst: Repetition | None = None
    for chosen in sets:
        ours, theirs = _together(held, chosen), _together(known, chosen)
        telling_rows = _occurring_again(theirs, ours)
        counts = _counts(theirs[telling_rows], places[telling_rows])
        shares = _shares_in(ours, counts, len(names))
        most = int(np.argmax(shares))
        usual = _usual(counts, np.bincount(places))
        found = Repetition(float(shares[most]), usual, str(names[most]), chosen)
        if worst is None or found.excess > worst.excess:
            worst = found
    assert worst is not None, "there is always a set"
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


def _occurring_again(codes: "np.ndarray", held: "np.ndarray") -> "np.ndarray":
    """Which rows have values that another row, or one held out, has: of most rows nothing else."""
    import pandas as pd

    rows = pd.Series(codes)
    found: np.ndarray = (rows.duplicated(keep=False) | rows.isin(held)).to_numpy()
    return found


def _counts(codes: "np.ndarray", places: "np.ndarray") -> "pd.DataFrame":
    """How many rows (`n`) of each partition (`place`) have which values (`code`)."""
    import pandas as pd

    rows = pd.DataFrame({"code": codes, "place": places})
    counts: pd.DataFrame = rows.groupby(["code", "place"]).size().rename("n").reset_index()
    return counts


def _shares_in(rows: "np.ndarray", counts: "pd.DataFrame", partitions: int) -> "np.ndarray":
    """The share of the rows whose values each partition has."""
    import numpy as np
    import pandas as pd

    ours = pd.Series(rows).value_counts()
    found = counts["code"].map(ours).fillna(0)
    return np.bincount(counts["place"], weights=found, minlength=partitions) / len(rows)


def _usual(counts: "pd.DataFrame", sizes: "np.ndarray") -> float:
    """The share of rows that repeat without any copying, as the training partitions show it.

    The higher of two: rows of a partition that an earlier one has, at most; rows of a partition
    that another row of it has, at least (a feature that is not known yet in one of them would
    make its rows alike). Never measured on the holdout, whose copies could be copied twice.
    """
    import numpy as np

    # Only values that several partitions have can repeat: of hundreds of partitions a few.
    shared = counts[counts["code"].duplicated(keep=False)]
    # A partition can only repeat one before it: what is above the diagonal.
    between = (np.triu(_overlap(shared, len(sizes)), 1) / sizes).max()
    alike = counts[counts["n"] > 1]
    within = np.bincount(alike["place"], weights=alike["n"], minlength=len(sizes)) / sizes
    return max(float(between), float(within.min()))


def _overlap(counts: "pd.DataFrame", partitions: int) -> "np.ndarray":
    """How many rows of each partition (column) have values that each partition (row) has.

    A product of two tables, partitions by values, which never lists the pairs of partitions that
    share a value: thousands of unchanged rows in a thousand partitions would be billions of them.
    """
    import numpy as np
    from scipy.sparse import csc_array

    if counts.empty:
        return np.zeros((partitions, partitions))
    _, value = np.unique(counts["code"], return_inverse=True)
    rows = counts["n"].to_numpy("float64")
    held = csc_array((rows, (counts["place"], value)), shape=(partitions, value.max() + 1))
    # Most values are in few partitions, which sparse tables are for. Of those in many, dense ones
    # are 30 times as fast, and hold at most four cells for one that is not empty.
    is_common = np.diff(held.indptr) > partitions / 4
    rare, common = held[:, ~is_common], held[:, is_common].toarray()
    found: np.ndarray = (rare.sign() @ rare.T).toarray() + np.sign(common) @ common.T
    return found
