"""Frequencies: how long a partition is, and how its name and its place in time follow.

Which partitions exist, and when they are due, is the calendar's business.
"""

from datetime import date, timedelta
from enum import StrEnum


class Frequency(StrEnum):
    """How long a partition is. A week is named by its Monday, a month as year and month."""

    daily = "daily"
    weekly = "weekly"
    monthly = "monthly"

    @property
    def pattern(self) -> str:
        """How its partitions are written, for `strftime`."""
        return "%Y-%m" if self is Frequency.monthly else "%Y-%m-%d"

    @property
    def boundaries(self) -> str:
        """When its partitions begin, as cron has it: days at 0:00, weeks on Mondays."""
        return {
            Frequency.daily: "0 0 * * *",
            Frequency.weekly: "0 0 * * 1",
            Frequency.monthly: "0 0 1 * *",
        }[self]

    @property
    def written(self) -> str:
        """How its partitions are written, for people."""
        return {
            Frequency.daily: "YYYY-MM-DD",
            Frequency.weekly: "YYYY-MM-DD of a Monday",
            Frequency.monthly: "YYYY-MM",
        }[self]

    @property
    def longest(self) -> timedelta:
        """The longest that a partition can be."""
        days = {Frequency.daily: 1, Frequency.weekly: 7, Frequency.monthly: 31}[self]
        return timedelta(days=days)

    @property
    def in_a_year(self) -> int:
        """After how many partitions the same season comes again, on the same day of the week."""
        return {Frequency.daily: 364, Frequency.weekly: 52, Frequency.monthly: 12}[self]

    @property
    def in_fifty_years(self) -> int:
        """Partitions in fifty years, which no past of a use case exceeds."""
        return {Frequency.daily: 18_300, Frequency.weekly: 2_610, Frequency.monthly: 600}[self]

    def number(self, day: date) -> int:
        """The place of the partition that holds a day, counted without gaps."""
        if self is Frequency.monthly:
            return day.year * 12 + day.month - 1
        return day.toordinal() if self is Frequency.daily else (day.toordinal() - 1) // 7

    def first_day(self, number: int) -> date:
        """The day that a partition begins with."""
        if self is Frequency.monthly:
            return date(number // 12, number % 12 + 1, 1)
        return date.fromordinal(number if self is Frequency.daily else number * 7 + 1)

    def parse(self, text: str) -> int:
        """The place of a partition by its name.

        Raises:
            ValueError: the text names no partition of this frequency.
        """
        try:
            day = date.fromisoformat(f"{text}-01" if self is Frequency.monthly else text)
            if self.named(self.number(day)) == text:
                return self.number(day)
        except ValueError:
            pass
        raise ValueError(f"{text!r} is no {self} partition; they are written {self.written}")

    def named(self, number: int) -> str:
        """The name of a partition by its place."""
        day = self.first_day(number).isoformat()
        return day.rpartition("-")[0] if self is Frequency.monthly else day

    def sql_shift(self, column: str, by: int) -> str:
        """SQL: the partition that lies `by` partitions after the one that a column names."""
        if self is Frequency.monthly:
            return f"date_format(add_months(to_date(concat({column}, '-01')), {by}), 'yyyy-MM')"
        days = by * self.longest.days
        return f"date_format(date_add(to_date({column}), {days}), 'yyyy-MM-dd')"

    def sql_named(self, day: str) -> str:
        """SQL: the partition that holds the day of a column of dates."""
        if self is Frequency.weekly:
            # Not by weekday(), which Sail 0.7.2 has as -1 on Sundays.
            day = f"date_trunc('week', {day})"
        pattern = "yyyy-MM" if self is Frequency.monthly else "yyyy-MM-dd"
        return f"date_format({day}, '{pattern}')"

    def sql_first_day(self, column: str) -> str:
        """SQL: the day that the partition which a column names begins with."""
        day = f"concat({column}, '-01')" if self is Frequency.monthly else column
        return f"to_date({day})"

    def sql_last_day(self, column: str) -> str:
        """SQL: the day that the partition which a column names ends with."""
        return f"date_sub({self.sql_first_day(self.sql_shift(column, 1))}, 1)"

    def sql_number(self, column: str) -> str:
        """SQL: the place of the partition that a column names, counted without gaps."""
        if self is Frequency.monthly:
            year, month = (f"cast(substring({column}, {at}) as int)" for at in ("1, 4", "6, 2"))
            return f"{year} * 12 + {month}"
        days = f"datediff(to_date({column}), to_date('1970-01-05'))"
        return days if self is Frequency.daily else f"cast(floor({days} / 7) as int)"


def sql_days(earlier: str, later: str) -> str:
    """SQL: how many days lie between two days, as a whole number."""
    return f"datediff({later}, {earlier})"
