"""Significance: what chance alone can do to counts. Pure functions over counts.

Every test here asks one question: can two samples from one distribution differ as much as this?
Rows are taken to be independent. Rows that hang together (days of one series) differ more than
that, which is why a finding also needs a size (drift.py), not a small probability alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Below this, the chi-square distribution says too little of a bin.
MIN_EXPECTED = 5.0
# 97.5 % quantile of the normal distribution: 95 % intervals.
REACH = 1.959964


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def homogeneity(reference: Sequence[int], observed: Sequence[int]) -> float:
    """Probability that chance alone parts two samples as far: Pearson's chi-square test.

    Bins that hold too few rows for the approximation are counted as one.
    """
    from scipy.stats import chi2

    pairs = _merged(reference, observed)
    before, now = sum(r for r, _ in pairs), sum(o for _, o in pairs)
    if len(pairs) < 2 or not before or not now:
        return 1.0
    statistic, share = 0.0, now / (before + now)
    for r, o in pairs:
        expected_now, expected_before = (r + o) * share, (r + o) * (1 - share)
        statistic += (o - expected_now) ** 2 / expected_now
        statistic += (r - expected_before) ** 2 / expected_before
    return float(chi2.sf(statistic, len(pairs) - 1))


def shares_differ(reference: tuple[int, int], observed: tuple[int, int]) -> float:
    """Probability that chance alone parts two shares as far: Fisher's exact test."""
    from scipy.stats import fisher_exact

    return float(fisher_exact([list(reference), list(observed)]).pvalue)


def never_before(reference_rows: int, rows: int, seen: int) -> float:
    """Probability that a value seen `seen` times fell into the new sample each time, by chance."""
    if not seen or not rows:
        return 1.0
    return math.exp(seen * math.log(rows / (reference_rows + rows)))


def psi_interval(
    psi: float, reference: Sequence[int], observed: Sequence[int]
) -> tuple[float, ...]:
    """95 % interval of the PSI that many rows would show: what chance adds is taken off.

    Without any change PSI / (1/n + 1/m) follows about a chi-square distribution with one degree
    of freedom less than there are bins (Yurdakul 2018); with change, a non-central one.
    """
    bins = sum(1 for r, o in zip(reference, observed, strict=True) if r + o)
    noise = 1 / max(sum(reference), 1) + 1 / max(sum(observed), 1)
    freedom = max(bins - 1, 1)
    shift = max(psi / noise - freedom, 0.0)
    reach = REACH * math.sqrt(2 * (freedom + 2 * shift))
    return noise * max(shift - reach, 0.0), noise * (shift + reach)


def _merged(reference: Sequence[int], observed: Sequence[int]) -> list[tuple[int, int]]:
    """The bins that can be tested, and the others as one."""
    total = sum(reference) + sum(observed)
    smaller = min(sum(reference), sum(observed)) / max(total, 1)
    tested, rest = [], (0, 0)
    for r, o in zip(reference, observed, strict=True):
        if (r + o) * smaller >= MIN_EXPECTED:
            tested.append((r, o))
        else:
            rest = rest[0] + r, rest[1] + o
    if (rest[0] + rest[1]) * smaller >= MIN_EXPECTED:
        tested.append(rest)
    elif tested and sum(rest):
        least = min(range(len(tested)), key=lambda i: sum(tested[i]))
        tested[least] = tested[least][0] + rest[0], tested[least][1] + rest[1]
    return tested
