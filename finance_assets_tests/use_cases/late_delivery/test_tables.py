"""The tables of late_delivery: what is rejected, what is known of a flight, and what became of it.

One home holds a part of the flights of three months; everything is compared with pandas.
"""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from finance_assets.commands.rejects import Rejects
from finance_assets.compute.runner import open_context
from finance_assets.errors import HistoryError
from finance_assets.settings import Settings
from finance_assets.use_cases.late_delivery.prepare_deliveries import write_delivery
from finance_assets.use_cases.late_delivery.tables.airports import AIRPORTS
from finance_assets.use_cases.late_delivery.tables.features import FEATURE_NAMES, FEATURES
from finance_assets.use_cases.late_delivery.tables.flights import FLIGHTS
from finance_assets.use_cases.late_delivery.tables.labels import LABELS
from finance_assets.use_cases.late_delivery.tables.planes import PLANES
from finance_assets.use_cases.late_delivery.tables.punctuality import PUNCTUALITY
from finance_assets.use_cases.late_delivery.tables.weather import WEATHER
from finance_assets.use_cases.late_delivery.use_case import USE_CASE
from finance_assets_tests.running import UseCaseRunner
from finance_assets_tests.use_cases.late_delivery.small import (
    MONTHS,
    deliver,
    shipped,
    some_flights,
)

KEY = ["flight_month", "day", "carrier", "flight_number", "origin"]
FEBRUARY, MARCH = MONTHS[1], MONTHS[2]
PER_MONTH = 50

_LISTED = {row["tailnum"]: row["year"] for row in shipped(PLANES, MONTHS[0])}
# The listed plane of which there are most flights.
OFTEN = Counter(
    row["tailnum"] for row in some_flights(MARCH, PER_MONTH) if row["tailnum"] in _LISTED
).most_common(1)[0][0]


def home(root, spark):
    """A runner in an empty home with the first three months delivered."""
    settings = Settings(home=root, landing=root / "landing", git_sha="test")
    settings.prepare_home()
    runner = UseCaseRunner(USE_CASE, settings, spark)
    for month in MONTHS[:3]:
        deliver(runner.folder(), month, some_flights(month, PER_MONTH))
    # The list of planes comes again, with another year for one of them.
    again = [
        {**row, "year": "1990"} if row["tailnum"] == OFTEN else row
        for row in shipped(PLANES, MONTHS[0])
    ]
    write_delivery(PLANES, again, MARCH, runner.folder())
    return runner


@pytest.fixture(scope="module")
def made(tmp_path_factory, spark):
    """The three months, run as one range."""
    runner = home(tmp_path_factory.mktemp("range"), spark)
    runner.run_tables(MONTHS[0], MARCH)
    return runner


def frame(runner, table) -> pd.DataFrame:
    """The stored rows of a table, in the order of its key."""
    contract = table.contract
    rows = pd.DataFrame(runner.rows(contract.table))[contract.column_names]
    return rows.sort_values(list(contract.key), ignore_index=True)


def plain() -> pd.DataFrame:
    """The delivered flights as numbers, by our names, without any of our SQL."""
    rows = [row for month in MONTHS[:3] for row in some_flights(month, PER_MONTH)]
    names = {c.delivered_name: c.name for c in FLIGHTS.full_source.columns}
    found = pd.DataFrame(rows).rename(columns=names).replace("NA", None)
    texts = ("carrier", "tail_number", "origin", "destination")
    for name in set(found) - set(texts):
        found[name] = pd.to_numeric(found[name])
    found["flight_month"] = [f"{y}-{m:02d}" for y, m in zip(found.year, found.month, strict=True)]
    found["date"] = pd.to_datetime(found[["year", "month", "day"]])
    # Left late, or did not leave at all.
    found["was_late"] = ~(found.departure_delay_minutes <= 15)
    return found


def past(flights: pd.DataFrame, by: list[str], days: int) -> pd.Series:
    """For each flight the share of late departures in the days before, pair by pair."""
    found = pd.Series(np.nan, flights.index)
    for _, same in flights.groupby(by):
        day = same.date.to_numpy("datetime64[D]").astype(int)
        ago = day[:, None] - day[None, :]
        before = (ago >= 1) & (ago <= days)
        with np.errstate(invalid="ignore"):
            found[same.index] = before @ same.was_late.to_numpy(int) / before.sum(axis=1)
    return found


def expected(flights: pd.DataFrame) -> pd.DataFrame:
    """The features of flights, without any of our SQL."""
    minutes = {
        name: flights[name] // 100 * 60 + flights[name] % 100
        for name in ("scheduled_departure", "scheduled_arrival")
    }
    airports = pd.DataFrame(shipped(AIRPORTS, MONTHS[0])).set_index("faa")
    zone = flights.destination.map(airports[airports.dst == "A"].tz.astype(int))
    built = flights.tail_number.map(pd.to_numeric(pd.Series(_LISTED).replace("NA", None)))
    built[(flights.tail_number == OFTEN) & (flights.flight_month == MARCH)] = 1990
    between = minutes["scheduled_arrival"] - minutes["scheduled_departure"] + (-5 - zone) * 60
    hour = flights.scheduled_departure // 100
    crowd = flights.assign(hour=hour).groupby(["origin", "date", "hour"]).carrier.transform("size")
    observed = weather_before(flights, hour)
    return pd.DataFrame(
        {
            "departure_hour": minutes["scheduled_departure"] / 60,
            "weekday": flights.date.dt.dayofweek,
            "scheduled_minutes": between % 1440,
            "slack_minutes": between % 1440 - flights.distance_miles / 8,
            "departures_that_hour": crowd,
            "plane_age_years": flights.year - built,
            "carrier_late_share_28d": past(flights, ["carrier"], 28),
            "route_late_share_28d": past(flights, ["origin", "destination"], 28),
            "plane_late_share_28d": past(flights, ["tail_number"], 28),
            "carrier_late_share_1d": past(flights, ["carrier"], 1),
            "origin_late_share_1d": past(flights, ["origin"], 1),
            **observed,
        }
    ).astype("float64")


def weather_before(flights: pd.DataFrame, hour: pd.Series) -> dict[str, list[float]]:
    """What was observed at the origin in the hour before the scheduled one."""
    rows = [row for month in MONTHS[:3] for row in shipped(WEATHER, month)]
    at = {tuple(row[n] for n in ("origin", "month", "day", "hour")): row for row in rows}
    keys = [
        (f.origin, str(f.month), str(f.day), str(h - 1))
        for f, h in zip(flights.itertuples(), hour, strict=True)
    ]
    names = {"wind_mph": "wind_speed", "rain_inches": "precip", "visibility_miles": "visib"}
    names |= {"humidity_pct": "humid", "pressure_mbar": "pressure"}
    return {
        ours: [
            float(value) if (value := at.get(key, {}).get(theirs, "NA")) != "NA" else np.nan
            for key in keys
        ]
        for ours, theirs in names.items()
    }


def test_features_are_what_pandas_makes_of_the_files(made):
    flights = plain()
    wanted = pd.concat([flights[KEY], expected(flights)], axis=1).sort_values(
        KEY, ignore_index=True
    )
    found = frame(made, FEATURES)
    pd.testing.assert_frame_equal(found[KEY], wanted[KEY], check_dtype=False)
    for name in FEATURE_NAMES:
        pd.testing.assert_series_equal(found[name], wanted[name], check_exact=False, rtol=1e-12)
    # The comparison would be empty if the past were.
    assert found[found.flight_month == MARCH][list(FEATURE_NAMES)].notna().mean().min() > 0.6


def test_a_flight_that_did_not_arrive_has_no_label_and_is_not_on_time(made):
    flights, labels = plain().sort_values(KEY, ignore_index=True), frame(made, LABELS)
    arrived = flights.arrival_delay_minutes.notna()
    assert (~arrived).sum() > 0
    assert labels.is_late[~arrived].isna().all()
    late = (flights.arrival_delay_minutes[arrived] > 15).tolist()
    assert labels.is_late[arrived].tolist() == late
    # As the past of carrier, route and plane it counts as late.
    days = frame(made, PUNCTUALITY)
    own = days[days.kind == "carrier"]
    assert own.late_departures.sum() == flights.was_late.sum()
    cancelled = flights.departure_delay_minutes.isna()
    assert cancelled.sum() > 0
    assert flights.was_late[cancelled].all()


def test_what_cannot_be_is_rejected_with_its_reason(made, tmp_path, spark):
    [gust] = made.rows("silver.weather_hours_quarantine")
    assert (gust["wind_mph"], gust["day"]) == ("1048.36058", "12")
    assert gust["_reasons"].startswith("wind_plausible")
    runner = home(tmp_path, spark)
    good = some_flights(MONTHS[0], PER_MONTH)
    bad = {
        "in_its_month": {"month": "2"},
        "day_exists": {"day": "32"},
        "scheduled_departure_clock": {"sched_dep_time": "1275"},
        "arrives_after_departing": {"dep_delay": "NA", "arr_delay": "3"},
        "arrival_delay_minutes_plausible": {"arr_delay": "5000"},
        "origin_known": {"origin": "PHL"},
        "distance_miles: not readable as int": {"distance": "far"},
    }
    rows = [
        {**good[i], "dep_delay": "1", "flight": f"{9000 + i}", **change}
        for i, change in enumerate(bad.values())
    ]
    deliver(runner.folder(), MONTHS[0], [*good, *rows])
    runner.run(slice(0, 2), MONTHS[0])
    found = {
        row["flight_number"]: row["_reasons"] for row in runner.rows(f"{FLIGHTS.table}_quarantine")
    }
    for place, reason in enumerate(bad):
        assert reason.split(":")[0] in found[f"{9000 + place}"], reason
    assert len(found) == len(bad)


def test_the_hour_that_comes_twice_is_rejected(tmp_path, spark):
    november = MONTHS[10]
    runner = home(tmp_path, spark)
    deliver(runner.folder(), november, some_flights(november, PER_MONTH))
    runner.run(slice(2, 4), november)
    twice = runner.rows(f"{WEATHER.table}_quarantine")
    assert {(row["day"], row["hour"]) for row in twice} == {("3", "1")}
    assert len(twice) == 6
    assert all(row["_reasons"].startswith("conflicting_duplicate") for row in twice)


def test_a_list_holds_from_the_month_with_which_it_came(made):
    at = frame(made, FEATURES).merge(plain()[[*KEY, "tail_number"]], on=KEY)
    own = at[at.tail_number == OFTEN]
    ages = {month: set(rows.plane_age_years) for month, rows in own.groupby("flight_month")}
    listed = {2013.0 - int(_LISTED[OFTEN])}
    assert ages == {MONTHS[0]: listed, FEBRUARY: listed, MARCH: {23.0}}


def test_one_range_and_month_by_month_give_the_same_rows(made, tmp_path, spark):
    runner = home(tmp_path, spark)
    for month in MONTHS[:3]:
        runner.run_tables(month)
    for table in (PUNCTUALITY, LABELS, FEATURES):
        pd.testing.assert_frame_equal(frame(runner, table), frame(made, table))


def rejected(runner, **asked):
    ctx = open_context(runner.settings, lambda: runner.spark, run_id="t", report=lambda text: None)
    return {found.table for found in Rejects(**asked).run(ctx, USE_CASE)}


def test_rejects_leave_out_the_registers_that_did_not_come_in_a_month(tmp_path, spark):
    runner = home(tmp_path, spark)
    for month in (MONTHS[0], FEBRUARY):
        runner.run_tables(month, month)
    every = {entity.contract.table for entity in (FLIGHTS, WEATHER, PLANES, AIRPORTS)}
    came_monthly = {FLIGHTS.contract.table, WEATHER.contract.table}
    assert rejected(runner, partition=MONTHS[0]) == every
    assert rejected(runner, partition=FEBRUARY) == came_monthly
    with pytest.raises(HistoryError, match="nothing was ingested for 2013-02"):
        rejected(runner, partition=FEBRUARY, table=PLANES.contract.table)


def test_the_shipped_deliveries_are_the_documented_data():
    """All flights of 2013, and how many of those that arrived were more than 15 minutes late."""
    delays = {month: [row["arr_delay"] for row in shipped(FLIGHTS, month)] for month in MONTHS}
    assert sum(map(len, delays.values())) == 336_776
    arrived = {m: pd.Series([int(x) for x in of if x != "NA"]) for m, of in delays.items()}
    rates = {month: round(float((of > 15).mean()), 3) for month, of in arrived.items()}
    assert round(float((pd.concat(arrived.values()) > 15).mean()), 3) == 0.237
    assert (min(rates, key=rates.get), rates["2013-09"]) == ("2013-09", 0.132)
    assert (max(rates, key=rates.get), rates["2013-12"]) == ("2013-12", 0.326)
