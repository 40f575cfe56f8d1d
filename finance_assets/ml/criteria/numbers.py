"""What every criterion asks of a figure before it compares it."""

import math


def finite(value: float, what: str) -> float:
    """The value, if it is a number at all.

    Raises:
        ValueError: it is not.
    """
    if not math.isfinite(value):
        raise ValueError(f"{what} is {value}")
    return value
