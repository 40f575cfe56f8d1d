"""References: how a variable was distributed at training, and how to count rows over its bins.

Comparing a partition with it is drift.py's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np

# The values of a variable; an array is not copied.
Values: TypeAlias = "Sequence[float] | np.ndarray"
QUANTILE_BINS = 10
MAX_INTEGER_BINS = 20


@dataclass(frozen=True)
class Reference:
    """A variable's distribution at training: bin edges, rows per bin, and the range of values.

    Bins are: missing, below the first edge, [edge, next edge) …, from the last edge on. `low` and
    `high` are None where every value is missing.
    """

    variable: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    low: float | None = None
    high: float | None = None

    @property
    def is_coded(self) -> bool:
        """Whether its values are a few whole numbers, with a bin each."""
        return bool(self.edges) and self.high is not None and self.edges[-1] > self.high

    @property
    def codes(self) -> tuple[str, ...]:
        """What the bins of a coded variable hold, but for the one of missing values."""
        known = tuple(f"{edge:g}" for edge in self.edges[:-1])
        return (f"below {self.edges[0]:g}", *known, f"{self.edges[-1]:g} or above")

    @property
    def rows(self) -> int:
        """Rows of the training."""
        return sum(self.counts)


def choose_edges(values: Values) -> tuple[float, ...]:
    """Edges of the bins for a variable's known values at training.

    A few whole numbers get a bin each, also those between that never occurred: a code that
    comes into use later must not hide in its neighbour's bin. Everything else gets deciles.
    """
    import numpy as np

    given = np.asarray(values, dtype="float64")
    # Stable, so that of equal values (0.0 and -0.0) the first stays the first.
    known = np.sort(given[~np.isnan(given)], kind="stable")
    if not known.size:
        return ()
    low, high = float(known[0]), float(known[-1])
    if high - low <= MAX_INTEGER_BINS and bool((known == np.trunc(known)).all()):
        return tuple(float(edge) for edge in range(int(low), int(high) + 2))
    cuts = [float(known[known.size * i // QUANTILE_BINS]) for i in range(1, QUANTILE_BINS)]
    return tuple(sorted(set(cuts)))


def build_reference(
    variable: str, values: Values, edges: tuple[float, ...] | None = None
) -> Reference:
    """The distribution of a variable's values, missing ones (NaN) included.

    With `edges`, over the bins of another distribution.
    """
    import numpy as np

    given = np.asarray(values, dtype="float64")
    edges = choose_edges(given) if edges is None else edges
    bins = np.searchsorted(np.asarray(edges, dtype="float64"), given, side="right") + 1
    bins[np.isnan(given)] = 0
    counts = np.bincount(bins, minlength=len(edges) + 2)
    known = given[~np.isnan(given)]
    low, high = (float(known.min()), float(known.max())) if known.size else (None, None)
    return Reference(variable, edges, tuple(counts.tolist()), low, high)


def bin_conditions(reference: Reference) -> list[str]:
    """SQL conditions, one per bin in the order of the counts, over the variable's column."""
    name = f"`{reference.variable}`"
    missing = f"({name} IS NULL OR isnan({name}))"
    if not reference.edges:
        return [missing, f"NOT {missing}"]
    literals = [f"{edge!r}D" for edge in reference.edges]
    inner = [
        f"{name} >= {a} AND {name} < {b}" for a, b in zip(literals, literals[1:], strict=False)
    ]
    bounds = [f"{name} < {literals[0]}", *inner, f"{name} >= {literals[-1]}"]
    return [missing, *(f"NOT {missing} AND {bound}" for bound in bounds)]


def breach_condition(reference: Reference) -> str:
    """SQL condition of the rows outside the range of training; codes are counted as unseen."""
    if reference.low is None or reference.high is None or reference.is_coded:
        return "false"
    name = f"`{reference.variable}`"
    return (
        f"{name} IS NOT NULL AND NOT isnan({name})"
        f" AND ({name} < {reference.low!r}D OR {name} > {reference.high!r}D)"
    )
