"""What every criterion asks of its bounds and of a figure before it compares it."""

import math
from typing import Any


def finite(value: float, what: str) -> float:
    """The value, if it is a number at all.

    Raises:
        ValueError: it is not.
    """
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}")
    return value


def within(criterion: Any, **limits: tuple[float, float]) -> None:
    """Refuse a criterion whose bounds say nothing.

    Raises:
        ValueError: a field is no number, or lies outside its limits.
    """
    for field, (low, high) in limits.items():
        value = getattr(criterion, field)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise ValueError(
                f"criterion {type(criterion).__name__}: {field}={value!r}, "
                f"allowed: a number from {low} to {high}"
            )


def largest(figures: dict[str, float]) -> tuple[str, float]:
    """The feature with the highest figure; whatever is no number comes first."""
    if not figures:
        raise ValueError("no feature was measured")
    return max(
        ((name, finite(value, name)) for name, value in figures.items()), key=lambda item: item[1]
    )
