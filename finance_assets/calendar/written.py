"""Written times: how a column of texts writes its days, and which partition holds each of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finance_assets.calendar.frequency import Frequency
from finance_assets.calendar.notations import NOTATIONS, UNIX, Notation

# Of a column of times nearly all texts are some.
NEARLY_ALL = 0.95
# Days beyond these are a mistake in the file, or a stand-in for «never».
EARLIEST, LATEST = 1900, 2100
# So many texts, evenly over all, show which notations are worth reading all with.
SAMPLE, FEW = 200, 20
# A day whose year has two digits may begin or end with it. Of days of the month there are many.
YEAR_LAST = ("DD-MM-YY", "DD/MM/YY", "DD.MM.YY")
YEAR_FIRST = ("YY-MM-DD", "YY/MM/DD", "YY.MM.DD")
MANY_DAYS = 13
# How a float of many digits is written.
FOLDED = re.compile(r"\d(\.\d+)?[eE]\+?\d{1,2}")


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

    `partitions_told` are those that the texts tell: a month tells no day. `zones`: some texts name
    a zone. A day is the one that the text shows, whatever its zone. `doubt` is what a person should
    look at: a number that was taken for a count of time; `is_unix`, of a moment in UTC.
    """

    format: str
    partitions_told: tuple[Frequency, ...]
    days: dict[str, date]
    zones: bool = False
    doubt: str = ""
    is_unix: bool = False

    def partitions(self, frequency: Frequency) -> dict[str, str]:
        """The partition that holds each text's day."""
        names = {day: frequency.named(frequency.number(day)) for day in set(self.days.values())}
        return {text: names[day] for text, day in self.days.items()}


def read_days(texts: Sequence[str]) -> WrittenDays:
    """The days of texts that are all written in one way.

    Raises:
        UnreadableTimesError: no format reads all of them, two do with different days, or the days
            lie outside of living memory.
    """
    sample = texts[:: max(len(texts) // SAMPLE, 1)]
    tried = [_Reading(notation, sample) for notation in NOTATIONS]
    found = [_Reading(one.notation, texts) for one in tried if not one.failed]
    whole = [one for one in found if not one.failed]
    if not whole:
        best = min(found or tried, key=lambda one: len(one.failed))
        failed = best.failed if found else _Reading(best.notation, texts).failed
        raise UnreadableTimesError("these are no times of one format", failed[:3])
    near = _likely([one for one in whole if not one.odd])
    # 2024011510 names an hour; as seconds it would be in 2034. Those of today name no hour.
    near = [one for one in near if not one.notation.a_day] or near
    if not near:
        raise UnreadableTimesError("these lie too far off", whole[0].odd[:3])
    first = near[0]
    if any(other.days != first.days for other in near[1:]):
        shown = " or ".join(one.notation.shown for one in near)
        what = f"these may be read as {shown}"
        raise UnreadableTimesError(what, tuple(texts[:3]), is_open=True)
    notation = first.notation
    if not notation.partitions:
        what = f"these name {notation.names}, and a partition is a month, a week or a day"
        raise UnreadableTimesError(what, tuple(texts[:3]))
    doubt = ""
    if notation.a_day:
        doubt = f"{_unfolded(texts[0])} is read as {first.days[texts[0]]}: is it that day?"
    return WrittenDays(
        *(notation.shown, notation.partitions, first.days, first.zones, doubt),
        is_unix=notation.first == UNIX,
    )


def are_times(rows: Mapping[str, int], least: int | None = None) -> bool:
    """Whether texts are times, in any notation, but for a few of their rows.

    Years alone are none: the year in which a house was built is known beforehand. A number may
    count seconds or anything else.

    Args:
        rows: how many rows each text has.
        least: the digits from which on a number counts time; without it, none does.
    """
    texts, nearly_all = tuple(rows), NEARLY_ALL * sum(rows.values())
    some = [_unfolded(text) for text in texts[:: max(len(texts) // FEW, 1)]]
    for notation in NOTATIONS:
        if notation.names == "years" or (notation.a_day and least is None):
            continue
        if any(map(notation.may_read, some)):
            read = _Reading(notation, texts)
            near = set(read.days) - set(read.odd)
            if notation.a_day and least is not None:
                near = {text for text in near if len(_unfolded(text).split(".")[0]) >= least}
            if near and sum(rows[text] for text in near) >= nearly_all:
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


class _Reading:
    """Texts as one notation reads them: the days, and the texts that it does not read.

    `odd` are texts of days outside of living memory.
    """

    def __init__(self, notation: Notation, texts: Sequence[str]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self.notation = notation
        plain = pa.array([_unfolded(text) for text in texts], pa.string())
        found = pc.extract_regex(plain, pattern=notation.whole)
        named = pc.struct_field(found, "day").dictionary_encode()
        # Many moments share a day: each is read once.
        known = [notation.day(text) for text in named.dictionary.to_pylist()]
        days = [None if at is None else known[at] for at in named.indices.to_pylist()]
        self.days = {t: day for t, day in zip(texts, days, strict=True) if day is not None}
        self.failed = tuple(t for t, day in zip(texts, days, strict=True) if day is None)
        far = {day for day in set(self.days.values()) if not EARLIEST <= day.year <= LATEST}
        self.odd = tuple(t for t, day in self.days.items() if day in far) if far else ()
        has_zone = found.type.get_field_index("zone") >= 0
        self.zones = bool(
            has_zone and pc.any(pc.not_equal(pc.struct_field(found, "zone"), "")).as_py()
        )


def _likely(readings: list[_Reading]) -> list[_Reading]:
    """The same without years first, or years last, where the days say which of two digits is one.

    26/01/24, 27/01/24 … are days of one year; whose first days of months are 22/01/01, 23/01/01,
    nobody knows.
    """
    last, first = (
        next((one for one in readings if one.notation.shown in shown), None)
        for shown in (YEAR_LAST, YEAR_FIRST)
    )
    if last is None or first is None:
        return readings
    spread = len({day.day for day in last.days.values()})
    other = len({day.day for day in first.days.values()})
    if max(spread, other) < MANY_DAYS or max(spread, other) < 2 * min(spread, other):
        return readings
    return [one for one in readings if one is not (first if spread > other else last)]


def _unfolded(text: str) -> str:
    """A number without an exponent, as a float of many digits has one."""
    return f"{Decimal(text):f}" if FOLDED.fullmatch(text) else text
