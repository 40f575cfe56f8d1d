"""Judging several figures at once, each against its own bound."""

from collections.abc import Iterable

from finance_assets.ml.criteria.numbers import finite
from finance_assets.ml.criterion import Finding


def all_within(figures: Iterable[tuple[str, float, float]]) -> Finding:
    """Passed if every figure (what, value, bound) is at most its bound.

    `what` may name a detail behind a colon; what is required is said without it.

    Raises:
        ValueError: a value is no number.
    """
    found = {what: (value, bound) for what, value, bound in figures}
    over = {what for what, (value, bound) in found.items() if finite(value, what) > bound}
    shown = over or set(found)
    return Finding(
        not over,
        "; ".join(f"{what.split(':')[0]} <= {bound:g}" for what, (_, bound) in found.items()),
        "; ".join(f"{what} {value:.4f}" for what, (value, _) in found.items() if what in shown),
        {what: value for what, (value, _) in found.items()},
    )
