"""Partitions of every frequency: names, order, what exists by now, and when it is due."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dagster._utils.schedules import cron_string_iterator

from finance_assets.calendar import Calendar, Frequency, Window, moment, sql_days
from finance_assets.errors import DeclarationError

BERLIN = "Europe/Berlin"
MONTHS = Calendar(Frequency.monthly, "2005-04", "2005-09")
WEEKS = Calendar(Frequency.weekly, "2024-12-30", timezone=BERLIN)
DAYS = Calendar(Frequency.daily, "2024-02-27", timezone=BERLIN)


def at(text, zone=UTC):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_shifting_crosses_years_leap_days_and_weeks_in_both_directions():
    assert MONTHS.shift("2005-12", 1) == "2006-01"
    assert MONTHS.shift("2005-06", -18) == "2003-12"
    assert WEEKS.shift("2024-12-30", 1) == "2025-01-06"
    assert WEEKS.shift("2025-01-06", -53) == "2024-01-01"
    assert DAYS.shift("2024-02-28", 1) == "2024-02-29"
    assert DAYS.shift("2024-03-01", -2) == "2024-02-28"


@pytest.mark.parametrize("frequency", list(Frequency))
def test_a_partition_has_one_name_and_names_sort_like_time(frequency):
    numbers = range(frequency.number(date(1999, 1, 1)), frequency.number(date(2009, 12, 31)))
    names = [frequency.named(number) for number in numbers]
    assert [frequency.parse(name) for name in names] == list(numbers)
    assert names == sorted(set(names))
    days = (date(1999, 1, 1) + timedelta(days=n) for n in range(4000))
    for day in days:
        first = frequency.first_day(frequency.number(day))
        after = frequency.first_day(frequency.number(day) + 1)
        assert first <= day < after


@pytest.mark.parametrize(
    ("frequency", "text"),
    [
        *((Frequency.monthly, t) for t in ("2005-13", "2005-4", "2005-04-01", "05-04", "", "2005")),
        *((Frequency.daily, t) for t in ("2023-02-29", "20230201", "2023-W05-1", "2023-02", " ")),
        *((Frequency.weekly, t) for t in ("2025-01-07", "2025-W02", "2025-01", "2025-01-06 ")),
    ],
)
def test_what_is_no_partition_is_told_apart(frequency, text):
    with pytest.raises(ValueError, match=f"no {frequency} partition; they are written YYYY-MM"):
        frequency.parse(text)
    assert not Calendar(frequency, frequency.named(frequency.number(date(2005, 1, 1)))).has(text)


def test_a_window_lists_its_partitions_and_selects_exactly_them():
    window = MONTHS.window("2005-11", "2006-02")
    assert list(window) == ["2005-11", "2005-12", "2006-01", "2006-02"]
    assert window.predicate("m") == "m >= '2005-11' AND m <= '2006-02'"
    assert str(window) == "2005-11..2006-02"
    assert list(WEEKS.window("2024-12-30", "2025-01-13")) == [
        "2024-12-30",
        "2025-01-06",
        "2025-01-13",
    ]
    assert len(list(DAYS.window("2024-02-28", "2024-03-01"))) == 3


def test_a_window_moves_its_ends_by_its_calendar():
    assert str(DAYS.window("2024-03-01").widened(-2, -1)) == "2024-02-28..2024-02-29"
    assert str(MONTHS.window("2005-07").widened(None, -1)) == "2005-04..2005-06"
    assert str(MONTHS.window("2005-04").widened(None, -1)) == "2005-03", "which does not exist"
    assert str(MONTHS.window("2005-04").through(MONTHS.window("2005-06"))) == "2005-04..2005-06"
    assert MONTHS.window("2005-04", "2005-06").at("2005-05") == MONTHS.window("2005-05")


def test_a_range_without_its_calendar_is_refused():
    assert list(Window("any", "any")) == ["any"]
    for act in (
        lambda: Window("2005-04", "2005-05"),
        lambda: Window("2005-04", "2005-04").widened(0, 1),
        lambda: MONTHS.window("2005-05", "2005-04"),
        lambda: MONTHS.window("2005-05-01"),
        lambda: WEEKS.window("2025-01-07"),
    ):
        with pytest.raises(ValueError, match=r"calendar|before|no \w+ partition"):
            act()


def test_a_calendar_with_an_end_has_its_partitions_whatever_the_time():
    assert MONTHS.partitions() == [f"2005-0{month}" for month in range(4, 10)]
    assert MONTHS.has("2005-09")
    assert not MONTHS.has("2005-10")
    assert not MONTHS.has("2005-03")
    assert MONTHS.through("2005-05") == ["2005-04", "2005-05"]


def test_a_calendar_that_ends_in_the_future_has_what_ended_by_now():
    assert MONTHS.partitions(at("2005-07-15T12:00")) == ["2005-04", "2005-05", "2005-06"]
    assert not MONTHS.has("2005-07", at("2005-07-15T12:00"))


def test_a_calendar_may_have_one_partition_only():
    alone = Calendar(Frequency.monthly, "2005-04", "2005-04")
    assert alone.partitions() == ["2005-04"]
    assert alone.has("2005-04")
    assert not alone.has("2005-05")


def test_an_open_calendar_has_what_ended_by_now_where_it_is_kept():
    days, new_york = replace(DAYS, first="2024-03-30"), "America/New_York"
    late = at("2024-03-31 22:30")  # In Berlin summer time began that day: it is half past midnight.
    assert days.partitions(late) == ["2024-03-30", "2024-03-31"]
    assert replace(days, timezone="UTC").partitions(late) == ["2024-03-30"]
    assert replace(days, timezone=new_york).partitions(late) == ["2024-03-30"]
    assert WEEKS.partitions(at("2025-01-05 23:30")) == ["2024-12-30"]
    assert WEEKS.partitions(at("2025-01-05 22:30")) == []
    open_months = replace(MONTHS, last=None)
    assert open_months.partitions(at("2005-06-30 23:59"))[-1] == "2005-05"
    assert open_months.partitions(at("2005-07-01 00:00"))[-1] == "2005-06"
    assert open_months.partitions(at("2005-01-01 00:00")) == []


def test_a_growing_partition_exists_from_its_first_moment():
    growing = replace(MONTHS, last=None, is_growing=True)
    assert growing.partitions(at("2005-05-01 00:00")) == ["2005-04", "2005-05"]
    assert growing.has("2005-05", at("2005-05-01 00:00"))
    assert not growing.has("2005-05", at("2005-04-30 23:59"))


def test_a_growing_partition_is_whole_once_it_is_due_and_settled_once_it_would_be_late():
    growing = replace(MONTHS, last=None, is_growing=True)
    assert not growing.is_whole("2005-05", at("2005-06-01 05:59"))
    assert growing.is_whole("2005-05", at("2005-06-01 06:00"))
    assert not growing.is_settled("2005-05", at("2005-06-02 05:59"))
    assert growing.is_settled("2005-05", at("2005-06-02 06:00"))
    ended = replace(growing, is_growing=False)
    assert ended.is_whole("2005-05", at("2005-05-02 00:00"))
    assert ended.is_settled("2005-05", at("2005-05-02 00:00"))


CALENDARS = [
    replace(MONTHS, last=None, due_after=timedelta(days=2, hours=6)),
    replace(MONTHS, last=None, timezone=BERLIN, due_after=timedelta(days=27, hours=23)),
    replace(WEEKS, due_after=timedelta(hours=6, minutes=30)),
    replace(WEEKS, due_after=timedelta(days=6)),
    replace(WEEKS, timezone="America/New_York", due_after=timedelta(days=9)),
    replace(DAYS, due_after=timedelta(hours=5)),
    replace(DAYS, due_after=timedelta(days=3, hours=1)),
    # On some days there is no such time, on others there are two.
    replace(DAYS, due_after=timedelta(hours=2, minutes=30)),
    replace(DAYS, timezone="America/New_York", due_after=timedelta(hours=1, minutes=30)),
    replace(DAYS, timezone="America/Havana", due_after=timedelta(0)),
    replace(WEEKS, timezone="America/New_York", due_after=timedelta(days=6, hours=1, minutes=30)),
]
ZONES = [f"{c.frequency} {c.due_after} {c.timezone}" for c in CALENDARS]


def ticks(calendar, count=500):
    """When Dagster would run it."""
    zone = ZoneInfo(calendar.timezone)
    start = datetime.fromisoformat(f"{calendar.first}-01"[:10]).replace(tzinfo=zone)
    found = cron_string_iterator(start.timestamp(), calendar.cron, calendar.timezone)
    return list(itertools.islice(found, count))


@pytest.mark.parametrize("calendar", CALENDARS, ids=ZONES)
def test_every_partition_is_run_once_and_just_when_it_is_due(calendar):
    runs = [(tick, calendar.scheduled(tick)) for tick in ticks(calendar)]
    partitions = [partition for _, partition in runs if partition is not None]
    assert partitions == list(calendar.window(calendar.first, partitions[-1]))
    assert len(partitions) > 400
    late = [tick - calendar.due_at(partition) for tick, partition in runs if partition is not None]
    # Of a time that the clock shows twice cron may take the second, an hour later.
    assert set(late) <= {timedelta(0), timedelta(hours=1)}
    assert late.count(timedelta(0)) >= len(late) - 10
    assert all(calendar.has(p, tick) for tick, p in runs if p is not None)


@pytest.mark.parametrize("calendar", CALENDARS, ids=ZONES)
def test_a_growing_partition_is_run_each_day_and_for_the_last_time_when_it_is_due(calendar):
    growing = replace(calendar, is_growing=True)
    runs = [(tick, growing.scheduled(tick)) for tick in ticks(growing, 200)]
    days = {tick.date() for tick, _ in runs}
    assert len(days) == 200
    for (tick, now), (_, after) in itertools.pairwise(runs):
        if now is not None and after != now:
            assert after == growing.shift(now, 1)
            assert growing.is_whole(now, tick), "the run at the due time has all of it"


@pytest.mark.parametrize("calendar", CALENDARS, ids=ZONES)
def test_a_run_that_starts_late_is_for_the_partition_of_the_tick_before_it(calendar):
    for one in (calendar, replace(calendar, is_growing=True)):
        for tick, next_tick in itertools.pairwise(ticks(one, 400)):
            tick, next_tick = tick.astimezone(UTC), next_tick.astimezone(UTC)
            # Of a time that the clock shows twice the first counts, and cron may take the second.
            at_the_end = next_tick - timedelta(hours=1, seconds=1)
            for late in (tick + timedelta(seconds=1), tick + timedelta(hours=1), at_the_end):
                assert one.scheduled(late) == one.scheduled(tick), (tick, late)


def test_the_schedules_are_those_of_cron_and_quartz():
    month, _, week, _, _, day, *_ = CALENDARS
    assert (month.cron, month.quartz) == ("0 6 3 * *", "0 0 6 3 * ?")
    assert (week.cron, week.quartz) == ("30 6 * * 1", "0 30 6 ? * MON")
    assert (day.cron, day.quartz) == ("0 5 * * *", "0 0 5 * * ?")
    assert replace(month, is_growing=True).cron == "0 6 * * *"


def test_a_run_outside_the_calendar_is_for_nothing():
    assert MONTHS.scheduled(at("2005-10-01 06:00")) == "2005-09"
    assert MONTHS.scheduled(at("2005-11-01 06:00")) is None
    assert MONTHS.scheduled(at("2005-05-01 05:59")) is None


def test_what_never_came_is_overdue_after_the_days_of_grace():
    assert MONTHS.overdue({"2005-04"}, at("2005-06-04 05:59")) == []
    assert MONTHS.overdue({"2005-04"}, at("2005-06-04 06:00")) == ["2005-05"]
    assert MONTHS.freshness == (timedelta(days=32), timedelta(days=34))
    assert replace(MONTHS, is_growing=True).freshness == (timedelta(days=2), timedelta(days=4))


def test_a_delivery_is_so_many_hours_late_or_early():
    assert MONTHS.hours_late("2005-04", at("2005-05-01 06:00")) == 0
    assert MONTHS.hours_late("2005-04", at("2005-05-02 07:30")) == 25.5
    assert MONTHS.hours_late("2005-04", at("2005-05-01 00:00")) == -6
    # By the clock on the wall, which is put forward on the last Sunday of March.
    assert WEEKS.hours_late("2025-03-24", at("2025-03-31 04:00")) == 0


def test_of_a_growing_partition_the_delivery_of_the_day_is_late():
    growing = replace(MONTHS, is_growing=True)
    assert growing.hours_late("2005-04", at("2005-04-01 12:00")) == -18
    assert growing.hours_late("2005-04", at("2005-04-02 07:00")) == 1
    assert growing.hours_late("2005-04", at("2005-04-20 05:00")) == 23
    assert growing.hours_late("2005-04", at("2005-04-20 06:00")) == 0
    # Nothing of it is due any more once it has ended.
    assert growing.hours_late("2005-04", at("2005-05-03 06:00")) == 48


def test_a_growing_partition_whose_deliveries_broke_off_is_not_whole():
    """As soon as the source was late before the end: a day, and `late_after`."""
    growing = replace(MONTHS, is_growing=True)
    assert growing.broke_off("2005-05", at("2005-05-10 06:00"))
    assert growing.broke_off("2005-05", at("2005-05-29 23:59"))
    assert not growing.broke_off("2005-05", at("2005-05-30 00:00"))
    assert not growing.broke_off("2005-05", at("2026-01-01 00:00"))
    # A long weekend at the end of the month is allowed for.
    patient = replace(growing, late_after=timedelta(days=3))
    assert not patient.broke_off("2005-05", at("2005-05-28 16:00"))
    # Nobody knows when it came, or the file's time is none of a delivery.
    assert not growing.broke_off("2005-05", None)
    assert not growing.broke_off("2005-05", at("1980-01-01 00:00"))
    assert not MONTHS.broke_off("2005-05", at("2005-05-10 06:00"))
    days = replace(DAYS, is_growing=True)
    assert not days.broke_off("2024-05-10", at("2024-05-10 01:00"))


def test_a_growing_partition_that_falls_silent_is_overdue_while_it_runs_and_after_it():
    growing, came = replace(MONTHS, is_growing=True), {"2005-05": at("2005-05-10 06:00")}
    published = {"2005-04", "2005-05"}
    # The day that was missed, and the days of grace.
    assert growing.overdue(published, at("2005-05-14 05:59"), came) == []
    assert growing.overdue(published, at("2005-05-14 06:00"), came) == ["2005-05"]
    published.add("2005-06")
    assert growing.overdue(published, at("2005-06-04 06:00"), came) == ["2005-05"]
    came["2005-05"] = at("2005-06-01 06:00")
    assert growing.overdue(published, at("2005-06-04 06:00"), came) == []
    assert growing.overdue(published, at("2005-06-04 06:00")) == []


def test_a_growing_partition_of_which_nothing_came_is_overdue_once_its_first_delivery_is():
    growing = replace(MONTHS, is_growing=True)
    assert growing.overdue({"2005-04"}, at("2005-05-05 05:59")) == []
    assert growing.overdue({"2005-04"}, at("2005-05-05 06:00")) == ["2005-05"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"first": "2005-4"}, "2005-4"),
        ({"last": "2005-03"}, "before first"),
        ({"timezone": "Berlin"}, "Berlin"),
        ({"timezone": ""}, "time zone"),
        ({"due_after": timedelta(days=28)}, "due_after"),
        ({"due_after": timedelta(hours=-1)}, "due_after"),
        ({"due_after": timedelta(seconds=30)}, "due_after"),
        ({"late_after": timedelta(0)}, "late_after"),
        ({"late_after": timedelta(days=9)}, "late_after"),
    ],
)
def test_a_calendar_that_contradicts_itself_does_not_load(change, named):
    with pytest.raises(DeclarationError, match=named):
        replace(MONTHS, **change)


def test_a_time_without_a_zone_is_utc():
    assert moment("2005-08-03T06:00:00") == moment("2005-08-03T06:00:00.000Z")
    assert moment("2005-08-03T08:00:00+02:00") == moment("2005-08-03T06:00:00Z")


@pytest.mark.parametrize("frequency", list(Frequency))
def test_the_engine_computes_with_partitions_as_the_calendar_does(spark, frequency):
    start = frequency.number(date(1968, 12, 20))
    names = [frequency.named(number) for number in range(start, start + 800)]
    rows = spark.createDataFrame([(name,) for name in names], "p string").selectExpr(
        "p",
        f"{frequency.sql_number('p')} as number",
        *[f"{frequency.sql_shift('p', by)} as shifted_{by + 5}" for by in (-5, -1, 0, 1, 5)],
    )
    found = {row["p"]: row for row in rows.collect()}
    for place, name in enumerate(names):
        assert found[name]["number"] == found[names[0]]["number"] + place
        for by in (-5, -1, 0, 1, 5):
            assert found[name][f"shifted_{by + 5}"] == frequency.named(start + place + by)


@pytest.mark.parametrize("frequency", list(Frequency))
def test_the_engine_finds_the_days_of_a_partition_as_the_calendar_does(spark, frequency):
    start = frequency.number(date(2023, 12, 20))
    names = [frequency.named(number) for number in range(start, start + 120)]
    first, last = frequency.sql_first_day("p"), frequency.sql_last_day("p")
    rows = spark.createDataFrame([(name,) for name in names], "p string").selectExpr(
        *("p", f"{first} as first", f"{last} as last", f"{sql_days(first, last)} as between"),
        *(f"{frequency.sql_named(day)} as p_{n}" for n, day in enumerate((first, last))),
    )
    for row in rows.collect():
        begins = frequency.first_day(frequency.parse(row["p"]))
        ends = frequency.first_day(frequency.parse(row["p"]) + 1) - timedelta(days=1)
        assert (row["first"], row["last"]) == (begins, ends)
        assert row["between"] == (ends - begins).days
        assert (row["p_0"], row["p_1"]) == (row["p"], row["p"])
