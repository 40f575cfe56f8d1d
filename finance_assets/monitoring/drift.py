"""Drift: how far a partition's distributions lie from the champion's training reference.

Pure: references and counts in, a frozen report out. Counting happens in the monitoring step,
what it means is triage.py's business, and what chance alone can do significance.py's.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from finance_assets.monitoring.reference import Reference
from finance_assets.monitoring.significance import (
    homogeneity,
    never_before,
    psi_interval,
    shares_differ,
)

# A code of which training saw fewer rows than this share came by mistake, or in a handful of cases.
RARE_SHARE = 0.001


@dataclass(frozen=True)
class DriftLimits:
    """From which size a movement is worth an answer; it must also be more than chance.

    `warning_psi`, `drift_psi`: population stability index from which a variable counts as
    moving, and as drifted. `missing_jump`: by how much the share of missing values rises or
    falls; `maturing`: by how much it falls where the champion learned before there was a past.
    `unseen_share`: share of rows with codes that training all but never saw (less than one row in
    a thousand). `breach_share`: share of rows outside the range of training.
    `quarantine_share`: share of a delivery that was rejected. `outcome_jump`: by how much the
    level of the outcomes moves from one matured partition to the next, scores held equal, in the
    task's own units (log-odds; widths of the interval). `performance_loss`: share of what was to
    be expected of the champion that it does not bring. `alpha`: the chance of any false alarm in
    a partition, over all variables.

    Below `min_rows` nothing is said: with n rows, chance alone gives a PSI of about
    2 · bins / n, and a share of one in a hundred is ten rows.
    """

    warning_psi: float = 0.1
    drift_psi: float = 0.25
    min_rows: int = 1000
    missing_jump: float = 0.05
    maturing: float = 0.2
    unseen_share: float = 0.01
    breach_share: float = 0.1
    quarantine_share: float = 0.1
    outcome_jump: float = 0.5
    performance_loss: float = 0.15
    alpha: float = 0.005


@dataclass(frozen=True)
class VariableDrift:
    """How one variable of one partition differs from its reference.

    `psi` with its 95 % interval; `js`: Jensen-Shannon divergence in bits, from 0 to 1; shares of
    missing values then and now; share of rows with codes all but never seen, and outside the range.
    The `…_chance` are the probabilities that chance alone does as much. `seasonal_psi`: against the
    same season of the year before, where the same champion measured it. `counts`: rows per bin.
    `unseen_codes`: those codes with the share of rows that each has, most frequent first.
    """

    variable: str
    psi: float
    psi_low: float
    psi_high: float
    psi_chance: float
    js: float
    reference_missing_share: float
    missing_share: float
    missing_chance: float
    unseen_share: float
    unseen_chance: float
    breach_share: float
    breach_chance: float
    counts: str
    seasonal_psi: float | None = None
    unseen_codes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class DriftReport:
    """One partition against one champion's reference."""

    rows: int
    variables: tuple[VariableDrift, ...]
    limits: DriftLimits

    @property
    def max_psi(self) -> float:
        """The largest PSI; one that is not a number counts as infinitely large."""
        return max(map(_size, self.variables), default=0.0)

    @property
    def chance(self) -> float:
        """The probability below which a finding is no chance, four being asked per variable."""
        return self.limits.alpha / max(4 * len(self.variables), 1)

    @property
    def is_too_small(self) -> bool:
        """Whether there are too few rows to say anything."""
        return self.rows < self.limits.min_rows

    def moved(self) -> list[VariableDrift]:
        """Variables whose distribution moved, worst first; what the season brings is not drift."""
        limit = self.limits.drift_psi
        found = [
            v
            for v in self.variables
            if not v.psi < limit
            and not v.psi_chance > self.chance
            and not (v.seasonal_psi is not None and v.seasonal_psi < self.limits.warning_psi)
        ]
        return sorted(found, key=lambda v: -_size(v))

    def missing(self) -> list[VariableDrift]:
        """Variables of which much more, or much less, is missing."""
        jump = self.limits.missing_jump
        return [
            v
            for v in self.variables
            if not abs(v.missing_share - v.reference_missing_share) < jump
            and not v.missing_chance > self.chance
        ]

    def unseen(self) -> list[VariableDrift]:
        """Variables with codes that training all but never saw, most of them first."""
        found = [
            v
            for v in self.variables
            if v.unseen_share >= self.limits.unseen_share and v.unseen_chance <= self.chance
        ]
        return sorted(found, key=lambda v: -v.unseen_share)

    def breached(self) -> list[VariableDrift]:
        """Variables of which many values lie outside the range of training."""
        found = [
            v
            for v in self.variables
            if v.breach_share >= self.limits.breach_share and v.breach_chance <= self.chance
        ]
        return sorted(found, key=lambda v: -v.breach_share)


def _size(variable: VariableDrift) -> float:
    return variable.psi if math.isfinite(variable.psi) else math.inf


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


def jensen_shannon(reference: Sequence[int], observed: Sequence[int]) -> float:
    """Jensen-Shannon divergence in bits: 0 is identical, 1 has nothing in common."""
    before, now = max(sum(reference), 1), max(sum(observed), 1)
    total = 0.0
    for r, o in zip(reference, observed, strict=True):
        a, b = r / before, o / now
        middle = (a + b) / 2
        total += sum(share * math.log2(share / middle) / 2 for share in (a, b) if share)
    return min(max(total, 0.0), 1.0)


def compare(
    reference: Reference,
    observed: Sequence[int],
    breaches: int = 0,
    season: Sequence[int] | None = None,
) -> VariableDrift:
    """One variable's drift from its reference.

    `breaches`: rows outside the range of training; `season`: the counts of the same season of the
    year before, over the same bins.
    """
    then, rows = reference.rows, sum(observed)
    known_then, known = then - reference.counts[0], rows - observed[0]
    psi = population_stability_index(reference.counts, observed)
    low, high = psi_interval(psi, reference.counts, observed)
    codes = _unseen(reference, observed)
    unseen_then, unseen = sum(then for _, then, _ in codes), sum(now for _, _, now in codes)
    return VariableDrift(
        variable=reference.variable,
        psi=psi,
        psi_low=low,
        psi_high=high,
        psi_chance=homogeneity(reference.counts, observed),
        js=jensen_shannon(reference.counts, observed),
        reference_missing_share=reference.counts[0] / max(then, 1),
        missing_share=observed[0] / max(rows, 1),
        missing_chance=shares_differ((reference.counts[0], known_then), (observed[0], known)),
        unseen_share=unseen / max(rows, 1),
        unseen_chance=shares_differ(
            (unseen_then, known_then - unseen_then), (unseen, known - unseen)
        ),
        breach_share=breaches / max(rows, 1),
        breach_chance=never_before(known_then, known, breaches),
        counts=json.dumps(list(observed)),
        seasonal_psi=population_stability_index(season, observed) if season else None,
        unseen_codes=tuple(
            (code, now / max(rows, 1))
            for code, _, now in sorted(codes, key=lambda one: -one[2])
            if now
        ),
    )


def _unseen(reference: Reference, observed: Sequence[int]) -> list[tuple[str, int, int]]:
    """The codes that training all but never saw: rows at training, and now."""
    if not reference.is_coded:
        return []
    rare = RARE_SHARE * reference.rows
    bins = zip(reference.codes, reference.counts[1:], observed[1:], strict=True)
    return [(code, then, now) for code, then, now in bins if then < rare or not then]
