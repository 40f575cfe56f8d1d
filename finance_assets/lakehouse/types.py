"""Types: the names that a declaration knows them by, each written in one way."""

import re
from dataclasses import dataclass

# Types that Sail, Spark, Delta and Arrow read and write alike, beside decimals.
TYPES = ("string", "int", "bigint", "double", "boolean", "date", "timestamp")
KNOWN = f"{', '.join(TYPES)} or decimal(p,s) without blanks, 0 <= s <= p <= 38"
# More digits than this, no engine keeps.
MAX_PRECISION = 38
_DECIMAL = re.compile(r"decimal\((0|[1-9][0-9]?),(0|[1-9][0-9]?)\)")


@dataclass(frozen=True)
class Decimal:
    """A decimal's type: how many digits it has, and how many of them after the point."""

    precision: int
    scale: int

    @property
    def whole(self) -> int:
        """How many digits stand before the point."""
        return self.precision - self.scale


def decimal_of(name: str) -> Decimal | None:
    """The decimal that a type's name is of; None if it is of none that every engine keeps."""
    found = _DECIMAL.fullmatch(name)
    if not found:
        return None
    precision, scale = int(found[1]), int(found[2])
    is_kept = 1 <= precision <= MAX_PRECISION and scale <= precision
    return Decimal(precision, scale) if is_kept else None


def is_type(name: str) -> bool:
    """Whether every engine knows a type by this name."""
    return name in TYPES or decimal_of(name) is not None
