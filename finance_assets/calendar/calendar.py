"""The Calendar itself: which partitions a use case has by now, and when each of them is due."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from finance_assets.calendar.frequency import Frequency
from finance_assets.calendar.window import Window
from finance_assets.declarations import Mistake, refuse

# How a run asks for the partition that is due when it is triggered.
DUE = "due"
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# A month has 28 days for certain: a later day would be left out in February.
MAX_MONTHLY_DUE = timedelta(days=28)


@dataclass(frozen=True)
class Calendar:
    """The partitions of a use case, from `first` to `last`, both included.

    Without `last` it is open: partitions exist up to now. A partition exists once it has ended;
    with `is_growing` from its beginning, and it is published again each day until its end.

    `timezone` says when a day begins. The delivery of a partition is due `due_after` its end (by
    the clock on the wall), late `late_after` that, and overdue `overdue_after` it.
    """

    frequency: Frequency
    first: str
    last: str | None = None
    timezone: str = "UTC"
    is_growing: bool = False
    due_after: timedelta = timedelta(hours=6)
    late_after: timedelta = timedelta(days=1)
    overdue_after: timedelta = timedelta(days=3)

    def __post_init__(self) -> None:
        """Refuse a calendar that contradicts itself.

        Raises:
            DeclarationError: naming every mistake.
        """
        refuse("calendar", self._mistakes())

    def _mistakes(self) -> Iterator[Mistake]:
        ends = {"first": self.first, "last": self.last}
        wrong = [n for n, end in ends.items() if end is not None and not self.is_partition(end)]
        for name in wrong:
            written = self.frequency.written
            yield Mistake(name, f"{ends[name]!r} is no {self.frequency} partition", written)
        if not wrong and self.last is not None and self.last < self.first:
            yield Mistake("last", f"{self.last} is before first", "none, or first or later")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield Mistake("timezone", f"{self.timezone!r} is no time zone", "such as Europe/Berlin")
        if self.due_after < timedelta(0) or self.due_after % timedelta(minutes=1):
            yield Mistake("due_after", f"is {self.due_after}", "whole minutes, none or more")
        if self.frequency is Frequency.monthly and self.due_after >= MAX_MONTHLY_DUE:
            yield Mistake("due_after", f"is {self.due_after}", "less than 28 days: months differ")
        if not timedelta(0) < self.late_after <= self.overdue_after:
            yield Mistake("late_after", f"is {self.late_after}", "above 0, at most overdue_after")

    def window(self, first: str, last: str | None = None) -> Window:
        """The window from `first` to `last`; without `last` the one partition.

        Raises:
            ValueError: one of them is no partition, or it ends before it begins.
        """
        for partition in (first, last or first):
            self.frequency.parse(partition)
        return Window(first, last or first, self)

    def read_window(self, text: str) -> Window:
        """The window that a text names as `str(window)` writes it, inside the calendar or not.

        Raises:
            ValueError: it names none.
        """
        first, _, last = text.partition("..")
        return self.window(first, last or None)

    def shift(self, partition: str, by: int) -> str:
        """The partition `by` partitions later (earlier when negative)."""
        return self.frequency.named(self.frequency.parse(partition) + by)

    def partitions(self, now: datetime | None = None) -> list[str]:
        """Every partition that exists by now, oldest first."""
        newest = self._newest(now)
        return list(self.window(self.first, newest)) if newest >= self.first else []

    def is_partition(self, text: str) -> bool:
        """Whether a text is written as its partitions are, whether or not the calendar has it."""
        try:
            self.frequency.parse(text)
        except ValueError:
            return False
        return True

    def has(self, partition: str, now: datetime | None = None) -> bool:
        """Whether the calendar has this partition by now; false for what is none."""
        is_inside = self.first <= partition <= self._newest(now)
        return is_inside and self.is_partition(partition)

    def through(self, partition: str | None) -> list[str]:
        """The partitions up to and including `partition` (all of them for None)."""
        return [p for p in self.partitions() if partition is None or p <= partition]

    def due_at(self, partition: str) -> datetime:
        """When the delivery of the whole partition is due."""
        return self._on_the_wall(self.frequency.parse(partition) + 1, self.due_after)

    def hours_late(self, partition: str, at: datetime) -> float:
        """Hours from when the delivery was due until it came; below 0 if it came before.

        Of a growing partition one is due each day: the newest that was due counts.
        """
        number = self.frequency.parse(partition)
        days = self.frequency.first_day(number + 1) - self.frequency.first_day(number)
        waits = range(1 if self.is_growing else days.days, days.days + 1)
        due = [self._on_the_wall(number, self.due_after + timedelta(days=n)) for n in waits]
        return (at - max((one for one in due if one <= at), default=due[0])) / timedelta(hours=1)

    def is_whole(self, partition: str, now: datetime | None = None) -> bool:
        """Whether what was delivered of it by now is all: of a growing one once it is due."""
        return not self.is_growing or (now or datetime.now(UTC)) >= self.due_at(partition)

    def is_settled(self, partition: str, now: datetime | None = None) -> bool:
        """Whether a published partition is whole, with the time that its last run may take.

        Who did not run it can rely on that; a growing one is settled once it would be late.
        """
        return self.is_whole(partition, (now or datetime.now(UTC)) - self.late_after)

    def broke_off(self, partition: str, came: datetime | None) -> bool:
        """Whether deliveries of a growing partition ended so long before it that they were late.

        `came`: when the newest one did. A file that is older than the partition does not tell.
        """
        if came is None or not self.is_growing:
            return False
        number = self.frequency.parse(partition)
        begin, end = (self._on_the_wall(n, timedelta(0)) for n in (number, number + 1))
        return begin <= came < end - self.freshness[0]

    def overdue(
        self,
        published: Collection[str],
        now: datetime | None = None,
        came: Mapping[str, datetime] | None = None,
    ) -> list[str]:
        """The partitions that should have been published by now, and were not.

        Or of which a day's delivery should have been, if they grow: `came` has the newest of each.
        """
        at, of = now or datetime.now(UTC), (came or {}).get
        lacks = [p for p in self.partitions(now) if p not in published or self.broke_off(p, of(p))]
        return [p for p in lacks if at >= self._next_due(p, of(p)) + self.overdue_after]

    def scheduled(self, at: datetime) -> str | None:
        """The partition that a run at this moment is for; None outside the calendar.

        The newest one whose first run was due by now. Runs start late, so it stays the same until
        the next due time; the run at the due time of a growing partition is the last of it.
        """
        number = self.frequency.number(at.astimezone(ZoneInfo(self.timezone)).date())
        while self._first_run(number) > at:
            number -= 1
        partition = self.frequency.named(number)
        is_inside = self.first <= partition <= (self.last or partition)
        return partition if is_inside else None

    @property
    def cron(self) -> str:
        """When runs are due, as cron has it; in `timezone`."""
        minute, hour, day, weekday = self._times()
        return f"{minute} {hour} {day or '*'} * {'*' if weekday is None else weekday}"

    @property
    def quartz(self) -> str:
        """The same as Quartz has it, which Databricks' schedules are written in."""
        minute, hour, day, weekday = self._times()
        if weekday is not None:
            return f"0 {minute} {hour} ? * {WEEKDAYS[weekday]}"
        return f"0 {minute} {hour} {day or '*'} * ?"

    @property
    def freshness(self) -> tuple[timedelta, timedelta]:
        """After how long without a delivery the source is late, and overdue."""
        between = timedelta(days=1) if self.is_growing else self.frequency.longest
        return between + self.late_after, between + self.overdue_after

    def _times(self) -> tuple[int, int, int | None, int | None]:
        """Minute, hour, day of the month and weekday (0 is Sunday) of the due times."""
        minutes = self.due_after.seconds // 60
        of_day = minutes % 60, minutes // 60
        if self.is_growing or self.frequency is Frequency.daily:
            return *of_day, None, None
        if self.frequency is Frequency.weekly:
            return *of_day, None, (1 + self.due_after.days) % 7
        return *of_day, 1 + self.due_after.days, None

    def _first_run(self, number: int) -> datetime:
        """When a partition is run first; a growing one on the day after the one before was due."""
        if self.is_growing:
            return self._on_the_wall(number, self.due_after + timedelta(days=1))
        return self._on_the_wall(number + 1, self.due_after)

    def _next_due(self, partition: str, came: datetime | None) -> datetime:
        """When the first delivery of a partition is due, or the one after what came of it."""
        if came is None or not self.is_growing:
            return self._first_run(self.frequency.parse(partition))
        return came + timedelta(days=1)

    def _on_the_wall(self, number: int, after: timedelta) -> datetime:
        """The moment `after` a partition begins, by the clock on the wall.

        Where the clock skips that time, the moment at which it goes on; where it shows it twice,
        the first. Cron and Quartz mean one of these moments or a later one, never an earlier one,
        so at their tick the partition is due.
        """
        zone = ZoneInfo(self.timezone)
        wall = datetime.combine(self.frequency.first_day(number), time()) + after
        while True:
            moment = wall.replace(tzinfo=zone).astimezone(UTC)
            if moment.astimezone(zone).replace(tzinfo=None) == wall:
                return moment
            wall += timedelta(minutes=1)

    def _newest(self, now: datetime | None) -> str:
        """The newest partition that exists; before `first` where there is none."""
        here = (now or datetime.now(UTC)).astimezone(ZoneInfo(self.timezone))
        number = self.frequency.number(here.date())
        newest = self.frequency.named(number if self.is_growing else number - 1)
        return newest if self.last is None else min(newest, self.last)


def moment(text: str) -> datetime:
    """A time as ISO 8601; in UTC where it names no zone.

    Raises:
        ValueError: the text is no time.
    """
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
