"""Rules of the typed table, from what was seen of a column."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context

from finance_assets.scaffold.plan import Rule
from finance_assets.scaffold.profile import Profile
from finance_assets.scaffold.sql import quoted, readable_sql

# The slack around what was seen: half of its range.
SLACK = 0.5
# Beyond it a double has no exact whole numbers, and a bound says nothing.
MOST = 1e15


def number_rule(name: str, found: Profile) -> tuple[Rule, ...]:
    """What is no number, or is far outside of everything that was seen, is a mistake."""
    if not found.written:
        return range_rule(name, found)
    reason = f"Seen were {found.written}; what is written in another way cannot be read."
    return (Rule(f"{name}_readable", readable_sql(name, found), reason),)


def range_rule(name: str, found: Profile) -> tuple[Rule, ...]:
    """What is far outside of everything that was seen is a mistake."""
    if found.low is None or found.high is None:
        return ()
    slack = SLACK * (found.high - found.low) or max(abs(found.high), 1.0)
    ends = (0.0 if found.low >= 0 else found.low - slack), found.high + slack
    if not all(abs(end) < MOST for end in ends):
        return ()
    low, high = _rounded(ends[0], ROUND_FLOOR), _rounded(ends[1], ROUND_CEILING)
    whole = found.type in ("int", "bigint")
    first, last = (str(int(x)) if whole or x.is_integer() else repr(x) for x in (low, high))
    condition = f"{name} >= {first} AND {name} <= {last}"
    if found.missing or found.tokens or found.sentinels:
        condition = f"{name} IS NULL OR ({condition})"
    reason = f"Seen were {found.low:g} to {found.high:g}; what lies far outside is a mistake."
    return (Rule(f"{name}_range", condition, reason),)


def _rounded(value: float, towards: str) -> float:
    """A bound with two digits that count, however small it is."""
    return float(Context(prec=2, rounding=towards).create_decimal(repr(value)))


def known_rule(name: str, found: Profile) -> tuple[Rule, ...]:
    """A new word is news: the model has never seen it."""
    if not found.is_category or found.type != "string":
        return ()
    listed = ", ".join(quoted(value) for value in sorted(found.values))
    is_new = f"CASE WHEN {name} IS NULL OR {name} IN ({listed}) THEN 0.0D ELSE 1.0D END"
    condition = f"avg({is_new}) <= 0.01"
    reason = f"More than 1 % of new values in {name}: the model has never seen them."
    return (Rule(f"{name}_known", condition, reason, warns=True),)
