"""Drift: how far a month's distributions lie from the champion's training reference.

Pure: references and counts in, a frozen report out. Counting happens in the monitoring step,
deciding about a retraining in retraining.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

# The values of a variable; an array is not copied.
Values: TypeAlias = "Sequence[float] | np.ndarray"
QUANTILE_BINS = 10
MAX_INTEGER_BINS = 20
SCORE = "score"


class DriftVerdict(StrEnum):
    """What a month's report says."""

    no_champion = "no_champion"
    too_few_rows = "too_few_rows"
    stable = "stable"
    warning = "warning"
    drift = "drift"


@dataclass(frozen=True)
class DriftLimits:
    """Population stability index from which a variable counts as moving, and as drifted.

    Below `min_rows` nothing is said: with n rows, chance alone gives a PSI of about
    2 · bins / n.
    """

    warning_psi: float = 0.1
    drift_psi: float = 0.25
    min_rows: int = 1000


@dataclass(frozen=True)
class Reference:
    """A variable's distribution at training: bin edges, and rows per bin.

    Bins are: missing, below the first edge, [edge, next edge) …, from the last edge on.
    """

    variable: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "Reference":
        """Read a reference back from JSON."""
        return cls(record["variable"], tuple(record["edges"]), tuple(record["counts"]))


@dataclass(frozen=True)
class VariableDrift:
    """The PSI of one variable in one month, and its share of missing values then and now."""

    variable: str
    psi: float
    reference_missing_share: float
    missing_share: float


@dataclass(frozen=True)
class DriftReport:
    """One month against one champion's reference."""

    rows: int
    variables: tuple[VariableDrift, ...]
    limits: DriftLimits

    @property
    def verdict(self) -> DriftVerdict:
        """The worst that any variable says."""
        if not self.variables:
            return DriftVerdict.no_champion
        if self.rows < self.limits.min_rows:
            return DriftVerdict.too_few_rows
        if self.max_psi >= self.limits.drift_psi:
            return DriftVerdict.drift
        return (
            DriftVerdict.warning if self.max_psi >= self.limits.warning_psi else DriftVerdict.stable
        )

    @property
    def max_psi(self) -> float:
        """The largest PSI; one that is not a number counts as infinitely large."""
        values = [v.psi if math.isfinite(v.psi) else math.inf for v in self.variables]
        return max(values, default=0.0)

    @property
    def drifted(self) -> list[str]:
        """Names of the variables at or over the drift limit, worst first."""
        over = [v for v in self.variables if not v.psi < self.limits.drift_psi]
        return [v.variable for v in sorted(over, key=lambda v: -v.psi)]


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
    return Reference(variable, edges, tuple(counts.tolist()))


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


def population_stability_index(reference: Sequence[int], observed: Sequence[int]) -> float:
    """PSI between two counts over the same bins; 0 is identical, over 0.25 is a large shift.

    Half a row is added to every bin, so that an empty one gives a large number, not infinity.
    """
    if len(reference) != len(observed):
        raise ValueError(f"{len(reference)} bins against {len(observed)}")
    bins = len(reference)
    before = [(n + 0.5) / (sum(reference) + 0.5 * bins) for n in reference]
    now = [(n + 0.5) / (sum(observed) + 0.5 * bins) for n in observed]
    return sum((b - a) * math.log(b / a) for a, b in zip(before, now, strict=True))


def compare(reference: Reference, observed: Sequence[int]) -> VariableDrift:
    """One variable's drift from its reference."""
    return VariableDrift(
        reference.variable,
        population_stability_index(reference.counts, observed),
        reference.counts[0] / max(sum(reference.counts), 1),
        observed[0] / max(sum(observed), 1),
    )
