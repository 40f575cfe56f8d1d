"""Called: what the name of a column says of its numbers: that they count time, or are years."""

import re
from typing import TYPE_CHECKING

from finance_assets.calendar.written import EARLIEST, LATEST
from finance_assets.scaffold.naming import slug

if TYPE_CHECKING:
    from finance_assets.scaffold.profile import Profile

# Names of columns of times, and so many digits their numbers have at least: `balance_at_close` and
# `day_rate` are amounts, `salary_at` may be one.
TIMES = (
    (re.compile(r"(^|_)(date|datum|timestamp)($|_)|(^|_)time$"), 5),
    (re.compile(r"(^|_)(time|ts|epoch|unix|zeit)($|_)|_(at|on|day)$"), 9),
)
# Whatever they are called, numbers of so many digits that count to a day of our time may be one.
LONG = 10
YEAR = re.compile(r"(^|_)(year|yr|jahr)($|_)")


def called_time(name: str) -> int | None:
    """From how many digits on the numbers of a column count time; None if its name says nothing."""
    return next((digits for called, digits in TIMES if called.search(slug(name))), None)


def are_years(found: "Profile") -> bool:
    """Whether the numbers of a column are years, and it is called so."""
    if found.written or found.low is None or found.high is None:
        return False
    is_near = found.low >= EARLIEST and found.high <= LATEST
    return is_near and YEAR.search(slug(found.name)) is not None
