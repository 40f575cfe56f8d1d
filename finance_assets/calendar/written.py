"""Written times: how a column of texts writes its days, and which partition holds each of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from finance_assets.calendar.frequency import Frequency

# As strptime has it, and for people; the first that reads every text is taken.
FORMATS = (
    ("ISO8601", "ISO 8601"),
    ("%Y-%m", "YYYY-MM"),
    ("%Y/%m/%d", "YYYY/MM/DD"),
    ("%Y/%m/%d %H:%M", "YYYY/MM/DD HH:MM"),
    ("%Y/%m/%d %H:%M:%S", "YYYY/MM/DD HH:MM:SS"),
    ("%Y%m%d", "YYYYMMDD"),
    ("%Y%m", "YYYYMM"),
    ("%m%Y", "MMYYYY"),
    ("%m/%Y", "MM/YYYY"),
    ("%d.%m.%Y", "DD.MM.YYYY"),
    ("%d.%m.%Y %H:%M", "DD.MM.YYYY HH:MM"),
    ("%d.%m.%Y %H:%M:%S", "DD.MM.YYYY HH:MM:SS"),
    ("%d/%m/%Y", "DD/MM/YYYY"),
    ("%m/%d/%Y", "MM/DD/YYYY"),
    ("%d/%m/%Y %H:%M", "DD/MM/YYYY HH:MM"),
    ("%m/%d/%Y %H:%M", "MM/DD/YYYY HH:MM"),
    ("%d/%m/%Y %H:%M:%S", "DD/MM/YYYY HH:MM:SS"),
    ("%m/%d/%Y %H:%M:%S", "MM/DD/YYYY HH:MM:SS"),
    ("%d-%m-%Y", "DD-MM-YYYY"),
    ("%m-%d-%Y", "MM-DD-YYYY"),
    ("%b-%Y", "Mon-YYYY"),
    ("%b-%y", "Mon-YY"),
    ("%d-%b-%Y", "DD-Mon-YYYY"),
    ("%d-%b-%y", "DD-Mon-YY"),
    ("%b %d %Y", "Mon DD YYYY"),
    ("%b %d, %Y", "Mon DD, YYYY"),
    ("%B %d, %Y", "Month DD, YYYY"),
)
MONTH_ONLY = ("%Y-%m", "%Y%m", "%m%Y", "%m/%Y", "%b-%Y", "%b-%y")
# Formats without a mark between their parts, and how many digits they have.
DIGITS = {"%Y%m%d": 8, "%Y%m": 6, "%m%Y": 6}
# The zone of a moment, which has a time of day.
ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
# Of a column of times nearly all texts are some.
NEARLY_ALL = 0.95
# Days beyond these are a mistake in the file, or a stand-in for «never».
EARLIEST, LATEST = 1900, 2100


class UnreadableTimesError(ValueError):
    """Texts that are no times of one format; `examples` are some of them.

    `is_open`: several formats read all of them, with different days.
    """

    def __init__(self, what: str, examples: tuple[str, ...], *, is_open: bool = False) -> None:
        """Say what is wrong, and show it."""
        self.what, self.examples, self.is_open = what, examples, is_open
        super().__init__(f"{what}: {', '.join(examples)}")


@dataclass(frozen=True)
class WrittenDays:
    """The day of each text, and the format that all are written in.

    `zones`: some texts name a zone. A day is the one that the text shows, whatever its zone.
    """

    format: str
    has_days: bool
    days: dict[str, date]
    zones: bool = False

    def partitions(self, frequency: Frequency) -> dict[str, str]:
        """The partition that holds each text's day."""
        return {text: frequency.named(frequency.number(day)) for text, day in self.days.items()}


def read_days(texts: Sequence[str]) -> WrittenDays:
    """The days of texts that are all written in one way.

    Raises:
        UnreadableTimesError: no format reads all of them, two do with different days, or the days
            lie outside of living memory.
    """
    best: tuple[int, tuple[str, ...]] = (len(texts) + 1, ())
    found: list[WrittenDays] = []
    for pattern, shown in FORMATS:
        days, failed = _parsed(texts, pattern)
        if not failed:
            zones = pattern == "ISO8601" and any(ZONE.search(text) for text in texts)
            found.append(WrittenDays(shown, pattern not in MONTH_ONLY, days, zones))
        elif len(failed) < best[0]:
            best = len(failed), failed
    if not found:
        raise UnreadableTimesError("these are no times of one format", best[1][:3])
    if any(other.days != found[0].days for other in found[1:]):
        shown = " or ".join(one.format for one in found)
        what = f"these may be read as {shown}"
        raise UnreadableTimesError(what, tuple(texts[:3]), is_open=True)
    odd = [t for t, day in found[0].days.items() if not EARLIEST <= day.year <= LATEST]
    if odd:
        raise UnreadableTimesError("these lie too far off", tuple(odd[:3]))
    return found[0]


def are_times(texts: Sequence[str]) -> bool:
    """Whether texts are times, in any format that `read_days` knows, but for a few of them."""
    for pattern, _ in FORMATS:
        days, _ = _parsed(texts, pattern)
        near = [day for day in days.values() if EARLIEST <= day.year <= LATEST]
        if near and len(near) >= NEARLY_ALL * len(texts):
            return True
    return False


def partitions_between(first: str, last: str, frequency: Frequency) -> tuple[str, ...]:
    """Every partition from the first to the last, both included."""
    numbers = range(frequency.parse(first), frequency.parse(last) + 1)
    return tuple(frequency.named(number) for number in numbers)


def made_up(count: int) -> tuple[Frequency, list[str]]:
    """Partitions for data without time: months that mean nothing, all of them in the past."""
    first = Frequency.monthly.parse("2000-01")
    return Frequency.monthly, [Frequency.monthly.named(first + i) for i in range(count)]


def _parsed(texts: Sequence[str], pattern: str) -> tuple[dict[str, date], tuple[str, ...]]:
    """The day of each text, and the texts that the format does not read."""
    import pandas as pd

    given = pd.Series(list(texts), dtype="object")
    usable = given
    if pattern in DIGITS:
        usable = given.where(given.str.fullmatch(rf"\d{{{DIGITS[pattern]}}}"))
    elif pattern == "ISO8601":
        # A year, or a number of seconds, is no day.
        usable = given.where(given.str.match(r"\d{4}-\d{2}-\d{2}"))
    elif pattern == "%Y-%m":
        usable = given.where(given.str.fullmatch(r"\d{4}-\d{2}"))
    try:
        walls = usable.str.replace(ZONE, "", regex=True)
        read = pd.to_datetime(
            walls if pattern == "ISO8601" else usable, format=pattern, errors="coerce"
        )
    except (ValueError, TypeError):
        return {}, tuple(texts)
    failed = tuple(given[read.isna()])
    return {text: day.date() for text, day in zip(texts, read, strict=True) if day == day}, failed
