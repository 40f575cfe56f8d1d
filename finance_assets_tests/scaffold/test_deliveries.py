"""Deliveries: rows into partitions by time, or by their order, and each row into one file."""

import csv
import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from finance_assets.calendar import Calendar, Frequency
from finance_assets.lakehouse.sources.source import Source, SourceColumn
from finance_assets.lakehouse.sources.text import TextFile
from finance_assets.scaffold.deliveries import write_deliveries
from finance_assets.scaffold.planning import delivered_rows, make_plan
from finance_assets.scaffold.reading import read_files
from finance_assets.scaffold.request import CannotScaffoldError
from finance_assets_tests.scaffold.files import (
    EACH,
    MONTHS,
    ROWS,
    column,
    csv_file,
    parcels,
    planned,
    request,
)


def written(times):
    return parcels().assign(sent=times)


def days_of(pattern):
    return pd.to_datetime(parcels()["sent"]).dt.strftime(pattern)


@pytest.mark.parametrize("pattern", ["%Y-%m-%d", "%d.%m.%Y", "%Y-%m", "%m/%d/%y %I:%M:%S %p"])
def test_times_are_read_as_people_write_them(tmp_path, pattern):
    plan = planned(csv_file(tmp_path, written(days_of(pattern))))
    assert plan.split.frequency is Frequency.monthly
    assert plan.written == dict.fromkeys(MONTHS, EACH)
    assert plan.partition == ("sent" if pattern == "%Y-%m" else "delivered_for")


@pytest.mark.parametrize("frequency", ["monthly", "weekly", "daily"])
def test_a_frequency_can_be_asked_for(tmp_path, frequency):
    plan = planned(
        csv_file(tmp_path, parcels(each=2000)), frequency=frequency, key=("parcel", "sent")
    )
    assert plan.split.frequency == frequency
    assert sum(plan.written.values()) == 8000
    calendar = Calendar(Frequency(frequency), plan.split.names[0], plan.split.names[-1])
    known = set(plan.split.names) | set(plan.split.gaps)
    assert known == set(calendar.partitions())


def test_the_coarsest_frequency_that_does_is_taken(tmp_path):
    weeks = pd.to_datetime("2024-01-01") + pd.to_timedelta(7 * (np.arange(ROWS) // EACH), "D")
    plan = planned(csv_file(tmp_path, written(weeks.strftime("%Y-%m-%d"))))
    assert plan.split.frequency is Frequency.weekly
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(ROWS) // EACH, "D")
    plan = planned(csv_file(tmp_path, written(days.strftime("%Y-%m-%d"))))
    assert plan.split.frequency is Frequency.daily
    assert plan.partition == "sent"


@pytest.mark.parametrize("frequency", ["daily", "weekly"])
def test_a_typed_day_is_no_name_of_a_partition(tmp_path, frequency):
    days = pd.to_datetime("2024-01-01") + pd.to_timedelta(7 * (np.arange(ROWS) // EACH), "D")
    frame = written(days.date)
    frame.to_parquet(tmp_path / "parcels.parquet")
    plan = planned(tmp_path / "parcels.parquet", frequency=frequency)
    assert plan.partition == "delivered_for"
    assert column(plan, "sent").type == "date"
    [rule] = column(plan, "sent").rules
    assert rule.condition.endswith("= delivered_for")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_the_day_of_a_moment_is_that_of_the_files_clock_and_told(tmp_path, ending, zone):
    moments = pd.to_datetime(parcels()["sent"]) + pd.Timedelta("23:30:00")
    frame, path = written(moments.dt.tz_localize(zone)), tmp_path / f"parcels.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.assign(sent=[moment.isoformat() for moment in frame["sent"]]).to_csv(
            path, index=False
        )
    plan = planned(path)
    assert plan.written == dict.fromkeys(MONTHS, EACH)
    told = [decision.choice for decision in plan.decisions if decision.about == "time"]
    shown = {"parquet": f"the clock in {zone or 'UTC'}", "csv": "the clock that the file shows"}
    assert len(told) == (ending == "parquet" or zone is not None)
    assert all(shown[ending] in choice for choice in told)


def test_partitions_without_rows_are_told_and_need_not_come(tmp_path):
    plan = planned(csv_file(tmp_path, parcels(("2024-01", "2024-02", "2024-03", "2024-06"))))
    assert plan.split.gaps == ("2024-04", "2024-05")
    assert any("2 partitions have no rows" in warning for warning in plan.warnings())


@pytest.mark.parametrize(
    ("times", "what"),
    [
        (["soon", *parcels()["sent"][1:]], "no times of one format: soon"),
        (["2024-02-31", *parcels()["sent"][1:]], "no times of one format: 2024-02-31"),
        (["", *parcels()["sent"][1:]], "1 of 1200 rows have no time"),
        ([f"0{1 + i % 9}/0{1 + i % 7}/2024" for i in range(ROWS)], "DD/MM/YYYY or MM/DD/YYYY"),
        (["2199-12-31", *parcels()["sent"][1:]], "lie too far off: 2199-12-31"),
        (["2024-01-01"] * ROWS, "rows share their key"),
    ],
)
def test_times_that_cannot_be_read_are_refused(tmp_path, times, what):
    with pytest.raises(CannotScaffoldError, match=what) as refused:
        planned(csv_file(tmp_path, written(times)))
    assert "--time sent" in refused.value.where
    assert ("write the column anew as 2024-01-31" in refused.value.remedy) == ("MM/DD" in what)


def test_a_key_that_repeats_is_refused_but_a_row_that_came_twice_is_not(tmp_path):
    frame = parcels()
    twice = pd.concat([frame, frame.head(3)])
    plan = planned(csv_file(tmp_path, twice))
    assert plan.rows == ROWS + 3
    assert any("3 rows are there again" in told for told in plan.warnings())
    other = pd.concat([frame, frame.head(3).assign(stops=99)])
    with pytest.raises(CannotScaffoldError, match="6 rows share their key with another row"):
        planned(csv_file(tmp_path, other), frequency="monthly")
    with pytest.raises(CannotScaffoldError, match="share their key"):
        planned(csv_file(tmp_path, frame), time=None)
    blank = frame.assign(parcel=[None, *frame["parcel"][1:]])
    with pytest.raises(CannotScaffoldError, match="1 rows have no value in a column of the key"):
        planned(csv_file(tmp_path, blank))


@pytest.mark.parametrize("is_named", [True, False])
def test_partitions_with_the_same_rows_are_taken_and_told(tmp_path, is_named):
    frame = parcels()
    frame["sent"] = frame["sent"].str[:7] if is_named else frame["sent"].str[:7] + "-01"
    same = frame.head(EACH).assign(sent=frame["sent"].iloc[EACH])
    plan = planned(csv_file(tmp_path, pd.concat([frame[:EACH], same, frame[2 * EACH :]])))
    assert plan.alike == is_named
    assert any("1 have the same rows" in told for told in plan.warnings()) == is_named
    assert planned(csv_file(tmp_path, frame)).alike == 0


def test_without_time_the_order_of_the_rows_stands_for_it_and_the_loss_is_told(tmp_path):
    plan = planned(csv_file(tmp_path, parcels()), time=None, key=())
    assert plan.key == ("row_number", "delivered_for")
    assert plan.split.order == "the order of the rows"
    assert list(plan.written.values()) == [400, 400, 400]
    assert plan.split.partitions.is_monotonic_increasing
    warnings = " ".join(plan.warnings())
    assert "without time nothing shows whether the model holds later" in warnings
    assert "the rows were numbered" in warnings
    with_time = planned(csv_file(tmp_path, parcels()), frequency="none", key=())
    assert with_time.split.order == "the order of the rows"


def test_rows_that_are_sorted_by_the_label_are_mixed(tmp_path):
    plan = planned(csv_file(tmp_path, parcels().sort_values("late")), time=None, key=())
    assert plan.split.order.startswith("a digest of the key")
    assert list(plan.written.values()) == [400, 400, 400]


@pytest.mark.parametrize(
    ("each", "holdout", "told"),
    [(1500, 1, "1 partition(s)"), (700, 2, "2 partition(s)"), (300, 1, "1 partition, too small")],
)
def test_as_many_partitions_are_held_out_as_the_gate_asks_for(tmp_path, each, holdout, told):
    plan = planned(csv_file(tmp_path, parcels(each=each)))
    assert plan.holdout == holdout
    [decision] = [d for d in plan.decisions if d.about.endswith("holdout")]
    assert decision.choice == told
    assert "the gate asks for 1,000 rows and 100 events" in decision.reason


def on_business_days(count, each=600):
    """Parcels of so many days, none of them of a weekend; the first is a Friday."""
    days = pd.bdate_range("2024-01-05", periods=count).strftime("%Y-%m-%d")
    rows = pd.concat([parcels(each=each)] * (count // len(MONTHS) + 1))[: count * each]
    return rows.assign(parcel=np.tile(np.arange(each), count), sent=np.repeat(days, each))


@pytest.mark.parametrize("label_lag", [0, 1])
@pytest.mark.parametrize("label", ["late", "weight"])
def test_weekends_count_in_the_holdout_as_they_do_for_the_gate(tmp_path, label, label_lag):
    path = csv_file(tmp_path, on_business_days(12))
    plan = planned(path, label=label, frequency="daily", label_lag=label_lag)
    named, filled = plan.split.calendar, plan.written
    assert len(plan.split.gaps) == 6
    least = 1000 if label == "late" else 200
    # Of a candidate as of each day that has rows.
    ends = [i + 1 - label_lag for i, day in enumerate(named) if day in filled]
    stretches = [named[end - plan.holdout : end] for end in ends if end >= plan.holdout]
    assert len(stretches) > 5
    assert all(sum(filled.get(day, 0) for day in days) >= least for days in stretches)


def test_a_regression_learns_from_a_partition_that_has_rows_and_a_past(tmp_path):
    path = csv_file(tmp_path, on_business_days(16))
    plan = planned(path, label="weight", frequency="daily")
    assert plan.split.calendar[plan.least_training - 1] == "2024-01-08", (
        "the Monday after the first day"
    )
    assert planned(csv_file(tmp_path, parcels()), label="weight").least_training == 2


@pytest.mark.parametrize("label_lag", [0, 1, 2])
def test_the_written_test_ends_with_a_delivery_that_can_be_another(tmp_path, label_lag):
    path = csv_file(tmp_path, on_business_days(16))
    plan = planned(path, frequency="daily", label_lag=label_lag)
    tested = plan.split.calendar[: plan.tested]
    assert plan.tested >= plan.least_partitions
    assert tested[-1] in plan.written
    measured = tested[-1 - label_lag - plan.holdout :][: plan.holdout]
    assert any(day in plan.written for day in measured)


def test_of_very_many_partitions_only_the_last_are_played_one_by_one(tmp_path):
    path = csv_file(tmp_path, on_business_days(80, each=30))
    plan = planned(path, frequency="daily")
    assert plan.played_from == plan.split.calendar[-12]
    assert any(plan.played_from in decision.reason for decision in plan.decisions)
    assert planned(csv_file(tmp_path, parcels())).played_from == ""


def test_a_lag_needs_more_partitions(tmp_path):
    path = csv_file(tmp_path, parcels())
    assert planned(path, label_lag=1).least_partitions == 4
    with pytest.raises(CannotScaffoldError, match="rows lie in|share their key"):
        planned(path, label_lag=2, frequency="monthly")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_row_lies_in_the_file_of_its_partition_as_it_was(tmp_path, ending):
    frame = parcels().assign(note='said "wait", then\tleft')
    path = tmp_path / f"parcels.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False, sep=";", encoding="utf-16")
    elif ending == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    asked = request(path)
    given = read_files(asked)
    plan = make_plan(asked, given, "somewhere.parcel_delays", ())
    for place in ("a", "b"):
        write_deliveries(
            delivered_rows(asked, given), plan.split, tmp_path / place, "parcel_delays"
        )
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == [f"parcel_delays_{month}.{plan.file_ending}" for month in MONTHS]
    assert [(tmp_path / "a" / n).read_bytes() for n in names] == [
        (tmp_path / "b" / n).read_bytes() for n in names
    ]
    again = [read_files(request(tmp_path / "a" / name)).rows for name in names]
    assert sum(rows.num_rows for rows in again) == ROWS
    for month, rows in zip(MONTHS, again, strict=True):
        mine = given.rows.to_pandas()
        mine = mine[mine["sent"].str.startswith(month)].reset_index(drop=True)
        assert rows.to_pandas().equals(mine)


def in_two_ways(folder, first, second):
    """Parcels in two files that are written in their own ways, first the one and then the other."""
    note = 'gone, said "Köln"'
    ways = {
        "windows": ({"encoding": "cp1252"}, note),
        "utf8": ({"encoding": "utf-8-sig", "sep": ";"}, note),
        "wide": ({"encoding": "utf-16", "sep": "\t"}, note),
        "lines": ({"lineterminator": "\r\n"}, f"{note}\nand\r\nback\rand on"),
        "quotes": ({"quoting": csv.QUOTE_NONE, "quotechar": None, "sep": "|"}, '"5 inch'),
    }
    files, frames = [], []
    for name, months in ((first, MONTHS[:2]), (second, MONTHS[2:])):
        how, text = ways[name]
        ends = "one\rtwo" if name == "lines" else "one"
        frames.append(parcels(months).assign(note=text, ends=ends).astype(str))
        files.append(csv_file(folder, frames[-1], f"{name}.csv", **how))
        if name == "lines":
            files[-1].write_bytes(b"Notes\n" + files[-1].read_bytes())
    return files, pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *(("windows", "utf8"), ("utf8", "windows"), ("wide", "windows"), ("windows", "lines")),
        *(("lines", "quotes"), ("quotes", "lines"), ("quotes", "wide")),
    ],
)
def test_files_of_several_dialects_become_deliveries_of_one(tmp_path, first, second):
    files, rows = in_two_ways(tmp_path, first, second)
    asked = request(*files)
    given = read_files(asked)
    assert given.skipped == ("lines" in (first, second))
    plan = make_plan(asked, given, "somewhere.parcel_delays", ())
    write_deliveries(given, plan.split, tmp_path / "out", "parcel_delays")
    assert "utf-8" in {given.format.encoding} and given.format.quote == '"'
    columns = tuple(SourceColumn(f"c{i}", at_source=name) for i, name in enumerate(rows.columns))
    source = Source("us", "parcel_delays_{partition}.csv.gz", columns, plan.format)
    found = []
    for month in plan.split.names:
        path = source.path(tmp_path / "out", month)
        for part in plan.format.rows(source, TextFile(path, path, "utf-8", "us")):
            assert part.malformed.null_count == len(part)
            found.append(pa.table(part.columns, names=list(rows.columns)).to_pandas())
    assert pd.concat(found, ignore_index=True).equals(rows)


def test_the_report_says_how_files_were_read_and_deliveries_are_written(tmp_path):
    files, _ = in_two_ways(tmp_path, "windows", "utf8")
    [read, written] = [d for d in planned(*files).decisions if d.about == "files"]
    assert read.reason == "read as Csv(encoding='cp1252'), Csv(';', encoding='utf-8-sig')"
    assert written.choice == "deliveries are CSV in UTF-8"
    [only] = [d for d in planned(csv_file(tmp_path, parcels())).decisions if d.about == "files"]
    assert only.reason == "read as CSV in UTF-8"


def test_the_header_keeps_its_blanks_and_quotes(tmp_path):
    frame = parcels().rename(columns={"weight": ' weight, "net"'})
    asked = request(csv_file(tmp_path, frame))
    given = read_files(asked)
    plan = make_plan(asked, given, "somewhere.parcel_delays", ())
    write_deliveries(given, plan.split, tmp_path / "out", "parcel_delays")
    text = gzip.decompress((tmp_path / "out" / f"parcel_delays_{MONTHS[0]}.csv.gz").read_bytes())
    header = next(csv.reader(text.decode().splitlines()))
    assert (
        header[2]
        == ' weight, "net"'
        == next(c.at_source for c in plan.columns if c.name == "weight_net")
    )
