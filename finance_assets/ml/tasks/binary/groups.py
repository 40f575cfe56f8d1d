"""Groups: how the decisions treat the groups of protected attributes. Nothing is judged here."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Interval, clustered_error
from finance_assets.ml.grouping import Grouping, groupings

if TYPE_CHECKING:
    import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class GroupGap:
    """How a group fares against the best-off group, at one threshold.

    `group` names it, e.g. `sex=male, age_band=under 25`; `attribute` is `sex, age_band`. A
    decision is favourable when the row is not flagged: its score lies below `threshold`.
    `rate` is the share of favourable decisions and `ratio` that over the highest of any group
    (`reference`); `deserving_rate` the share among rows whose outcome did not come, and
    `opportunity_gap` that less the highest of any group (`deserving_reference`).
    """

    attribute: str
    group: str
    threshold: float
    rows: int
    reference: str
    rate: float
    ratio: Interval
    deserving_reference: str
    deserving_rate: float
    opportunity_gap: Interval


@dataclass(frozen=True)
class _Counts:
    """Rows of a group, the favoured among them, and the same of its deserving members.

    `clustered` and `deserving_clustered` are the variances of the two shares where entities come
    with several rows, else 0.
    """

    rows: int
    favoured: int
    deserving: int
    deserving_favoured: int
    clustered: float = 0.0
    deserving_clustered: float = 0.0

    @property
    def rate(self) -> float:
        return self.favoured / self.rows

    @property
    def deserving_rate(self) -> float:
        return self.deserving_favoured / self.deserving if self.deserving else math.nan

    @property
    def spread(self) -> float:
        """Variance of the rate, never less than that of rows which are independent."""
        return max(_spread(self.favoured, self.rows), self.clustered)

    @property
    def deserving_spread(self) -> float:
        return max(_spread(self.deserving_favoured, self.deserving), self.deserving_clustered)


def compare_groups(
    attributes: dict[str, "np.ndarray"],
    outcome: "np.ndarray",
    score: "np.ndarray",
    thresholds: tuple[float, ...],
    min_rows: int,
    clusters: "np.ndarray | None" = None,
) -> tuple[tuple[GroupGap, ...], dict[str, int]]:
    """Every group, intersections of up to three attributes included, against the best-off one.

    Groups of fewer than `min_rows` rows are returned apart, with their size. The intervals hold
    all at once (Bonferroni over every pair of groups of the same attributes, both figures and
    all thresholds), because the reference is chosen by looking: an interval for every pair
    covers the pair that was picked, whichever it was.
    """
    counted: dict[tuple[str, float], dict[str, _Counts]] = {}
    small: dict[str, int] = {}
    for grouping in groupings(attributes):
        for threshold in thresholds:
            found = dict(_count(grouping, outcome, score < threshold, clusters))
            small |= {g: c.rows for g, c in found.items() if c.rows < min_rows}
            large = {g: c for g, c in found.items() if c.rows >= min_rows}
            counted[grouping.attribute, threshold] = large
    compared = 2 * sum(math.comb(len(groups), 2) for groups in counted.values())
    confidence = 1 - (1 - CONFIDENCE) / max(compared, 1)
    gaps = [
        gap
        for (attribute, threshold), groups in counted.items()
        if len(groups) > 1
        for gap in _gaps(attribute, threshold, groups, confidence)
    ]
    return tuple(gaps), small


def _count(
    grouping: Grouping,
    outcome: "np.ndarray",
    is_favoured: "np.ndarray",
    clusters: "np.ndarray | None",
) -> Iterator[tuple[str, _Counts]]:
    import numpy as np

    groups, codes = grouping.names, grouping.codes
    deserves = outcome == 0
    figures = [
        np.bincount(codes[rows], minlength=len(groups))
        for rows in (deserves | True, is_favoured, deserves, deserves & is_favoured)
    ]
    for place, group in enumerate(groups):
        counts = _Counts(*(int(figure[place]) for figure in figures))
        if clusters is not None:
            inside = codes == place
            deserving = inside & deserves
            counts = replace(
                counts,
                clustered=_clustered(is_favoured[inside], clusters[inside]),
                deserving_clustered=_clustered(is_favoured[deserving], clusters[deserving]),
            )
        yield group, counts


def _clustered(is_favoured: "np.ndarray", clusters: "np.ndarray") -> float:
    """The variance of a share of rows of which those of a cluster hang together."""
    if not len(is_favoured):
        return 0.0
    moves = (is_favoured - is_favoured.mean()) / len(is_favoured)
    return clustered_error(moves, clusters) ** 2


def _gaps(
    attribute: str, threshold: float, groups: dict[str, _Counts], confidence: float
) -> Iterator[GroupGap]:
    """Each group but a best-off one; that is the other's reference in one figure at most."""
    best = max(groups, key=lambda g: groups[g].rate)
    # Not a number counts as best, so that the gaps say so and cannot be judged.
    fairest = max(groups, key=lambda g: _or_infinite(groups[g].deserving_rate))
    for name, group in groups.items():
        if name == best == fairest:
            continue
        yield GroupGap(
            attribute=attribute,
            group=name,
            threshold=threshold,
            rows=group.rows,
            reference=best,
            rate=group.rate,
            ratio=_ratio(group, groups[best], confidence),
            deserving_reference=fairest,
            deserving_rate=group.deserving_rate,
            opportunity_gap=_difference(group, groups[fairest], confidence),
        )


def _or_infinite(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _spread(hits: int, rows: int) -> float:
    """Variance of a share; from one hit and one miss more, so that 0 % and 100 % have one too."""
    share = (hits + 1) / (rows + 2)
    return share * (1 - share) / (rows + 2)


def _difference(group: _Counts, best: _Counts, confidence: float) -> Interval:
    """Of the deserving rates, with a normal interval (Agresti and Caffo 2000)."""
    value = group.deserving_rate - best.deserving_rate
    variance = sum(g.deserving_spread for g in (group, best))
    reach = _quantile(confidence) * math.sqrt(variance)
    return Interval(value, value - reach, value + reach, confidence)


def _ratio(group: _Counts, best: _Counts, confidence: float) -> Interval:
    """Of the favourable rates, with an interval that is normal in the logarithm (Katz 1978)."""
    if best.favoured == 0:
        return Interval(math.nan, math.nan, math.nan, confidence)
    value = group.rate / best.rate
    relative = sum(g.spread / ((g.favoured + 1) / (g.rows + 2)) ** 2 for g in (group, best))
    factor = math.exp(_quantile(confidence) * math.sqrt(relative))
    return Interval(value, value / factor, value * factor, confidence)


def _quantile(confidence: float) -> float:
    from scipy.stats import norm

    return float(norm.isf((1 - confidence) / 2))
