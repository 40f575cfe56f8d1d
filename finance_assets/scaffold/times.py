"""Times: the day of each row by the column of times, or why it has none."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from finance_assets.calendar import Frequency
from finance_assets.calendar.strays import stray_days
from finance_assets.calendar.written import UnreadableTimesError, WrittenDays, read_days
from finance_assets.scaffold.given import Given
from finance_assets.scaffold.profile import texts_of
from finance_assets.scaffold.request import CannotScaffoldError, Request

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("2024-01-31T10:00:00", "31.01.2024")
EACH_ROW = (
    f"a day, a moment, a week or a month in every row, such as {' or '.join(SHOWN)}: mend or take "
    "out the others; or --frequency none, which takes the order of the rows for time"
)
# So many rows are shown of those that are wrong.
EXAMPLES = 3


@dataclass(frozen=True)
class Times:
    """The times of all rows, as they are written, and what was read of them.

    `clock` says whose day it is where times name a zone, or are counted in one.
    """

    texts: "pd.Series[str]"
    days: WrittenDays
    clock: str

    def frequencies(self, request: Request) -> list[Frequency]:
        """The frequencies to try, the coarsest first.

        Raises:
            CannotScaffoldError: what was asked for is none that the times tell.
        """
        told = [f for f in _coarse_to_fine() if f in self.days.partitions_told]
        wanted = [f for f in told if request.frequency in (None, f)]
        if not wanted:
            what = f"{self.days.format} tells {told[0]} partitions, not {request.frequency} ones"
            raise _bad_time(request, what, f"--frequency {told[0]}")
        return wanted


def times_of(request: Request, given: Given) -> Times:
    """The times of the rows.

    Raises:
        CannotScaffoldError: a row has none, they cannot be read, or a few lie far from all others.
    """
    assert request.time is not None
    column = given.column(request.time)
    texts = texts_of(column)
    blank = int(texts.isna().sum())
    if blank:
        raise _bad_time(request, f"{blank} of {len(texts)} rows have no time")
    try:
        days = read_days([str(text) for text in texts.unique()])
    except UnreadableTimesError as error:
        anew = "no day in the file says which: write the column anew as 2024-01-31"
        raise _bad_time(request, str(error), anew if error.is_open else EACH_ROW) from error
    _refuse_strays(request, texts, days)
    return Times(texts, days, _clock(column.type, days))


def _refuse_strays(request: Request, texts: "pd.Series[str]", days: WrittenDays) -> None:
    """Refuse a few times far from all others: the calendar would be empty for years."""
    found = texts.map(days.days)
    strays = stray_days(Counter(found))
    if not strays:
        return
    are_far = found.isin(strays)
    far, near = texts[are_far], found[~are_far]
    rows = are_far.to_numpy().nonzero()[0][:EXAMPLES] + 1
    shown = [f"{text} in row {row}" for text, row in zip(far, rows, strict=False)]
    more = f" and {len(far) - EXAMPLES} more" if len(far) > EXAMPLES else ""
    raise _bad_time(
        request,
        f"{len(far)} of {len(texts)} rows lie far from all others, which are of {near.min()} to "
        f"{near.max()}: {', '.join(shown)}{more}",
        "a calendar that reaches there would have hardly anything but empty partitions: correct "
        "these rows or take them out; or --frequency none, which takes the order of the rows for "
        "time",
    )


def _clock(kind: pa.DataType, days: WrittenDays) -> str:
    """Whose clock shows the day of a moment; empty for times without a zone."""
    if pa.types.is_timestamp(kind):
        return f"the clock in {kind.tz or 'UTC'}"
    if days.is_unix:
        return "the clock in UTC"
    return "the clock that the file shows, whatever its zone" if days.zones else ""


def _coarse_to_fine() -> tuple[Frequency, ...]:
    return Frequency.monthly, Frequency.weekly, Frequency.daily


def _bad_time(request: Request, what: str, remedy: str = EACH_ROW) -> CannotScaffoldError:
    return CannotScaffoldError(what, where=f"--time {request.time}", remedy=remedy)
