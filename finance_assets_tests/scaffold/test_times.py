"""Times of rows and beside them: read however they are written, and never a feature."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finance_assets.calendar import Frequency
from finance_assets.calendar.strays import stray_days
from finance_assets.calendar.written import UnreadableTimesError, read_days
from finance_assets.scaffold.plan import Role
from finance_assets.scaffold.profile import profile
from finance_assets.scaffold.request import CannotScaffoldError
from finance_assets_tests.scaffold.files import (
    EACH,
    MONTHS,
    ROWS,
    column,
    csv_file,
    parcels,
    planned,
)

RANDOM = np.random.default_rng(7)
MOMENTS = pd.Series(pd.date_range("2024-01-01 07:28:33", "2024-08-30", periods=400)).dt.floor("s")
SECONDS = MOMENTS.astype("datetime64[s]").astype("int64")
# Of the machines and the people that write them.
DAYS = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC"),
    *("%Y-%m-%d %H:%M:%S,123", "%Y-%m-%d %H:%M:%S+01", "%Y-%m-%d-%H.%M.%S.000000", "%Y-%-m-%-d"),
    *("%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d", "%d.%m.%Y", "%-d.%-m.%Y", "%d.%m.%y"),
    *("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%y", "%m/%d/%Y", "%m/%d/%y", "%m/%d/%Y %I:%M:%S %p"),
    *("%-m/%-d/%Y %-I:%M %p", "%d-%m-%Y %H:%M", "%m-%d-%Y", "%d. %B %Y", "%d %b %Y", "%d-%b-%y"),
    *("%d-%b-%y %I.%M.%S.000000 %p", "%d%b%Y:%H:%M:%S", "%d/%b/%Y:%H:%M:%S +0000", "%d-%b-%Y"),
    *("%a, %d %b %Y %H:%M:%S +0000", "%a %b %d %H:%M:%S %Y", "%b %d %Y", "%B %d, %Y"),
    *("%Y%m%d", "%Y%m%d.0", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%SZ", "%G-W%V-%u"),
    *("%Y-%m-%dT%H", "%Y-%m-%d %H", "%Y-%m-%dT%HZ", "%Y%m%d%H", "%A, %d. %B %Y"),
)
MONTHLY = (
    *("%Y-%m", "%Y%m", "%Y/%m", "%m%Y", "%m/%Y", "%m.%Y", "%b-%Y", "%b-%y", "%b %Y", "%B %Y"),
)
COUNTED = {
    "seconds": SECONDS.astype(str),
    "seconds with a fraction": SECONDS.astype(str) + ".25",
    "milliseconds": (SECONDS * 1000 + 123).astype(str),
    "milliseconds as floats of many digits": (SECONDS * 1000.0).map("{:.12e}".format),
    "microseconds": (SECONDS * 10**6).astype(str),
}
QUARTERS = MOMENTS.dt.year.astype(str) + "Q" + MOMENTS.dt.quarter.astype(str)


def seen(values, name="odd"):
    """A column of texts, as it was seen."""
    return profile(name, pa.chunked_array([pa.array(list(values), pa.string())]))


def days_of(texts):
    found = read_days(list(dict.fromkeys(texts)))
    return [found.days[text] for text in texts]


@pytest.mark.parametrize("pattern", DAYS)
def test_days_are_read_as_people_and_machines_write_them(pattern):
    assert days_of(MOMENTS.dt.strftime(pattern)) == list(MOMENTS.dt.date)


@pytest.mark.parametrize("how", COUNTED)
def test_time_that_a_machine_counts_is_read_and_told(how):
    assert days_of(COUNTED[how]) == list(MOMENTS.dt.date)
    assert "is read as 2024-01-01" in read_days(list(COUNTED[how])).doubt


@pytest.mark.parametrize("pattern", [*MONTHLY, "%G-W%V"])
def test_months_and_weeks_are_read_and_tell_no_finer_partition(pattern):
    texts = MOMENTS.dt.strftime(pattern)
    found = read_days(list(texts.unique()))
    only = Frequency.weekly if "W" in pattern else Frequency.monthly
    assert found.partitions_told == (only,)
    right = [only.named(only.number(day)) for day in MOMENTS.dt.date]
    assert [found.partitions(only)[text] for text in texts] == right


def test_days_of_a_spreadsheet_are_read_and_told():
    found = read_days(["45317", "45318.75"])
    assert [str(day) for day in found.days.values()] == ["2024-01-26", "2024-01-27"]
    assert found.doubt


def test_names_of_months_are_read_in_german_too():
    found = read_days(["26. Januar 2024", "1. März 2024", "31. Dez. 2024"])
    assert [day.month for day in found.days.values()] == [1, 3, 12]


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (["03/04/2024", "05/06/2024"], "DD/MM/YYYY or MM/DD/YYYY"),
        (["24/01/05", "24/01/31"], "DD/MM/YY or YY/MM/DD"),
        (
            [f"{year}-{month:02d}-01" for year in range(19, 24) for month in range(1, 13)],
            "YY-MM-DD",
        ),
        ([f"{year}/01/31" for year in range(18, 25)], "DD/MM/YY or YY/MM/DD"),
        (["24.03.15", "24.04.30"], "DD.MM.YY or YY.MM.DD"),
        (["2024Q1", "2024Q2"], "these name quarters"),
        (["2014", "2015"], "these name years"),
        (["2024-01-31", "31.01.2024"], "no times of one format"),
        (["2024-01-31 25:00", "2024-01-31 24:01"], "no times of one format"),
        (["2024-02-30"], "no times of one format"),
        (["123456789012345678901"], "no times of one format"),
    ],
)
def test_what_may_be_another_day_is_refused(texts, what):
    with pytest.raises(UnreadableTimesError, match=what):
        read_days(texts)


@pytest.mark.parametrize("mark", "-/.")
def test_of_two_digits_the_one_that_hardly_changes_is_the_year(mark):
    days = pd.Series(pd.date_range("2024-01-15", "2024-06-20"))
    for order in (f"%y{mark}%m{mark}%d", f"%d{mark}%m{mark}%y"):
        found = read_days(list(days.dt.strftime(order)))
        assert list(found.days.values()) == list(days.dt.date), order


def test_clocks_of_several_zones_show_their_own_days_and_warn_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_days(["2024-03-30 23:30:00+01", "2024-04-01 00:30:00+02"])
    assert [day.day for day in found.days.values()] == [30, 1]
    assert found.zones


@pytest.mark.parametrize("pattern", [*DAYS, *MONTHLY, "%G-W%V"])
def test_a_time_is_known_however_it_is_written(pattern):
    texts = MOMENTS.dt.strftime(pattern)
    every = np.arange(len(texts)) % 40 == 3
    broken = texts[0].translate({ord(texts[0][-1]): "x"})
    for values in (texts, texts.mask(every, ""), texts.mask(every, broken)):
        assert seen(values.replace("", None)).is_time


@pytest.mark.parametrize("how", COUNTED)
def test_time_that_a_machine_counts_is_no_amount(how):
    assert seen(COUNTED[how]).is_time
    typed = pa.chunked_array([pa.array(pd.to_numeric(COUNTED[how]))])
    assert profile("odd", typed).is_time


def test_quarters_are_times_and_so_are_short_numbers_that_are_called_so():
    assert seen(QUARTERS).is_time
    serials = [str(45_000 + i) for i in range(300)]
    assert seen(serials, "closed_date").is_time
    assert not seen(serials, "rent").is_time


def test_numbers_that_only_their_size_makes_times_are_told(tmp_path):
    frame = parcels().assign(
        x=RANDOM.integers(1_000_000_000, 2_000_000_000, ROWS),
        exposure_at_default=RANDOM.integers(33_000, 51_000, ROWS),
        salary_at=RANDOM.integers(33_000, 51_000, ROWS),
        rate=[f"1.{n}" for n in RANDOM.integers(1900, 2100, ROWS)],
    )
    plan = planned(csv_file(tmp_path, frame))
    assert column(plan, "x").role is Role.kept
    [told] = [warning for warning in plan.warnings() if warning.startswith("x is no feature")]
    assert "if they are amounts" in told
    for name in ("exposure_at_default", "salary_at", "rate"):
        assert column(plan, name).role is Role.feature, name


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.integers(100_000, 999_999, 400) // 100 * 100 + 50,
        RANDOM.integers(1900, 2100, 400),  # years, and amounts like them
        RANDOM.integers(10**8, 10**10, 400),
        RANDOM.integers(10**12, 10**13, 400),
        RANDOM.lognormal(8, 1, 400).round(2),
        [f"{a}.{b}.{c}" for a, b, c in RANDOM.integers(1, 12, (400, 3))],  # versions
        [f"Sold {day}.01.2024" for day in RANDOM.integers(1, 28, 400)],
    ],
)
def test_an_amount_is_no_time(values):
    assert not seen(map(str, values)).is_time


def test_times_beside_the_rows_own_are_no_features_and_years_are_told(tmp_path):
    seconds = np.resize(SECONDS, ROWS) + RANDOM.integers(0, 10**6, ROWS)
    frame = parcels().assign(closed_at=seconds, year_built=RANDOM.integers(1950, 2020, ROWS))
    plan = planned(csv_file(tmp_path, frame))
    assert column(plan, "closed_at").role is Role.kept
    assert column(plan, "closed_at").reason.startswith("a time beside the row's own")
    assert column(plan, "year_built").role is Role.feature
    [told] = [warning for warning in plan.warnings() if warning.startswith("year_built")]
    assert "can it lie after the row?" in told


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_counted_seconds_make_deliveries_and_a_person_is_asked(tmp_path, ending):
    days = pd.to_datetime(parcels()["sent"]).astype("datetime64[s]").astype("int64")
    frame, path = parcels().assign(sent=days + 70_000), tmp_path / f"parcels.{ending}"
    frame.to_parquet(path) if ending == "parquet" else frame.to_csv(path, index=False)
    plan = planned(path)
    assert plan.written == dict.fromkeys(MONTHS, EACH)
    assert any("times are seconds since 1970: " in warning for warning in plan.warnings())
    assert any(d.choice == "a day is that of the clock in UTC" for d in plan.decisions)


def test_months_are_no_days(tmp_path):
    frame = parcels()
    path = csv_file(tmp_path, frame.assign(sent=frame["sent"].str[:7]))
    with pytest.raises(CannotScaffoldError, match="tells monthly partitions, not daily ones"):
        planned(path, frequency="daily")


@pytest.mark.parametrize("stray", ["2099-12-31", "1970-01-01"])
def test_a_few_rows_far_from_all_others_are_refused_with_their_place(tmp_path, stray):
    frame = parcels()
    frame.loc[[7, 200], "sent"] = stray
    with pytest.raises(CannotScaffoldError, match="2 of 1200 rows lie far from all") as refused:
        planned(csv_file(tmp_path, frame))
    assert f"{stray} in row 8, {stray} in row 201" in str(refused.value)
    assert "2024-01-01 to 2024-04-" in str(refused.value)
    assert "correct these rows or take them out" in refused.value.remedy


def test_both_ends_may_be_far_and_a_thin_tail_is_not(tmp_path):
    frame = parcels()
    frame.loc[7, "sent"], frame.loc[8, "sent"] = "1900-01-01", "2099-12-31"
    with pytest.raises(CannotScaffoldError, match="1900-01-01 in row 8, 2099-12-31 in row 9"):
        planned(csv_file(tmp_path, frame))
    frame.loc[7, "sent"], frame.loc[8, "sent"] = "2023-11-20", "2024-06-20"
    assert planned(csv_file(tmp_path, frame), frequency="monthly").rows == len(frame)


def test_of_a_few_rows_most_are_no_strays():
    for count in range(1, 12):
        quarters = pd.date_range("2019-01-01", periods=count, freq="QS")
        assert stray_days({day.date(): 1 for day in quarters}) == set()


@pytest.mark.parametrize("text", ["Sonnabend, {}", "Fre, {}", "Die {}", "Weds, {}", "samedi {}"])
def test_days_of_the_week_are_read_short_and_long(text):
    texts = [text.format(day.strftime("%d.%m.%Y")) for day in MOMENTS]
    assert days_of(texts) == list(MOMENTS.dt.date)
