"""Strays: a few days so far from all others that they are mistakes, or stand for «never»."""

from collections.abc import Mapping
from datetime import date

from finance_assets.calendar.frequency import Frequency

# More rows than these are no mistakes of single rows.
FEW, SHARE = 3, 0.01
# A shorter gap makes no calendar of nothing.
GAP = Frequency.monthly.longest.days


def stray_days(rows: Mapping[date, int]) -> set[date]:
    """Days behind a gap that is longer than everything between the earliest and latest others.

    From the days that nearly all rows lie in it is gone outwards: what comes after a long gap is
    far off, with all behind it.

    Args:
        rows: how many rows each day has.
    """
    few = max(FEW, int(SHARE * sum(rows.values())))
    days = sorted(rows)
    first, last = _outermost(days, rows, few), _outermost(days[::-1], rows, few)
    if first > last:
        # So few rows that none of them are nearly all.
        return set()
    longest = max((last - first).days, GAP)
    early = _behind_a_gap([day for day in days[::-1] if day <= first], longest)
    found = early | _behind_a_gap([day for day in days if day >= last], longest)
    # Of a few rows most cannot be strays.
    return found if 2 * sum(rows[day] for day in found) < sum(rows.values()) else set()


def _outermost(days: list[date], rows: Mapping[date, int], few: int) -> date:
    """The first of the days with which there are more than a few rows."""
    seen = 0
    for day in days:
        seen += rows[day]
        if seen > few:
            return day
    return days[-1]


def _behind_a_gap(days: list[date], longest: int) -> set[date]:
    """Of days in an order, those behind the first gap that is longer."""
    for place, (day, after) in enumerate(zip(days, days[1:], strict=False), 1):
        if abs((after - day).days) > longest:
            return set(days[place:])
    return set()
