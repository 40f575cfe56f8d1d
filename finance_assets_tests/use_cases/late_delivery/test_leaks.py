"""late_delivery does not know the future: not that of later months, not that of the same day."""

from dataclasses import replace

import pandas as pd
import pytest

from finance_assets.settings import Settings
from finance_assets.use_cases.late_delivery.tables.features import FEATURES
from finance_assets.use_cases.late_delivery.tables.flights import FLIGHTS
from finance_assets.use_cases.late_delivery.tables.punctuality import PUNCTUALITY
from finance_assets.use_cases.late_delivery.tables.weather import WEATHER
from finance_assets_tests.leaks import require_no_leak
from finance_assets_tests.running import UseCaseRunner, fresh_home
from finance_assets_tests.use_cases.late_delivery.small import (
    CALENDAR,
    MONTHS,
    deliver,
    made_of,
    shipped,
    some_flights,
)

THROUGH = MONTHS[4]
CHANGED_DAY, CHANGED_HOUR = 15, 12


def test_later_deliveries_change_nothing_that_came_before(settings, tmp_path, mlflow_store, spark):
    months = MONTHS[:6]
    use_case = made_of(last=months[-1])

    def make(is_changed):
        home = fresh_home(settings, tmp_path / str(is_changed), mlflow_store)
        runner = UseCaseRunner(use_case, home, spark)
        for month in months:
            flights, weather = some_flights(month, 20), [*shipped(WEATHER, month)]
            if is_changed and month > THROUGH:
                others = {"dep_delay": "300", "arr_delay": "300", "sched_dep_time": "2130"}
                flights = [{**row, **others} for row in flights]
                weather = [{**row, "humid": "99", "precip": "2"} for row in weather]
            deliver(runner.folder(), month, flights, weather)
        return runner

    require_no_leak(make, as_of=MONTHS[3], through=THROUGH)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, spark):
    """The tables under the features, of two months."""
    root = tmp_path_factory.mktemp("silver")
    home = Settings(home=root, landing=root / "landing", git_sha="test")
    home.prepare_home()
    runner = UseCaseRunner(made_of(), home, spark)
    for month in MONTHS[:2]:
        deliver(runner.folder(), month, some_flights(month, 20))
    runner.run(slice(0, 8), MONTHS[0], MONTHS[1])
    window = CALENDAR.window(MONTHS[0], MONTHS[1])
    return {
        item.contract.entity: runner.lakehouse.read(item.contract, window)
        for item in FEATURES.read
        if item.contract.table != PUNCTUALITY.contract.table
    }


def changed(frame, condition: str, **values: str):
    """The rows, with other values where a condition holds."""
    return frame.selectExpr(
        *[
            f"CASE WHEN {condition} THEN {values[name]} ELSE {name} END AS {name}"
            if name in values
            else name
            for name in frame.columns
        ]
    )


def features(inputs, table=FEATURES) -> pd.DataFrame:
    """The features of flights of the second month."""
    days = PUNCTUALITY.select(flights=inputs["flights"])
    made = table.select(punctuality_days=days, **inputs).where(f"flight_month = '{MONTHS[1]}'")
    return made.toPandas().sort_values(list(table.contract.key), ignore_index=True)


def changed_rows(inputs, other, table=FEATURES) -> pd.DataFrame:
    """The flights whose features are others."""
    before, after = features(inputs, table), features({**inputs, **other}, table)
    names = list(FEATURES.contract.key)
    pd.testing.assert_frame_equal(before[names], after[names])
    is_same = ((before == after) | (before.isna() & after.isna())).all(axis=1)
    return before[~is_same]


def cancelled_from(frame):
    """All flights cancelled from a day on."""
    condition = f"flight_month = '{MONTHS[1]}' AND day >= {CHANGED_DAY}"
    return changed(frame, condition, departure_delay_minutes="NULL", arrival_delay_minutes="NULL")


def test_delays_of_a_day_are_known_from_the_next_day_on(inputs):
    moved = changed_rows(inputs, {"flights": cancelled_from(inputs["flights"])})
    assert moved.day.min() == CHANGED_DAY + 1


def test_a_past_that_holds_the_same_day_is_caught(inputs):
    text = FEATURES.transform.replace(
        "earlier.day_number < asked.day_number", "earlier.day_number <= asked.day_number"
    )
    leaking = replace(FEATURES, transform=text)
    moved = changed_rows(inputs, {"flights": cancelled_from(inputs["flights"])}, leaking)
    assert moved.day.min() == CHANGED_DAY


def test_weather_is_known_from_the_hour_after_on(inputs):
    condition = f"day = {CHANGED_DAY} AND hour >= {CHANGED_HOUR}"
    storm = changed(inputs["weather_hours"], condition, wind_mph="99D", rain_inches="9D")
    moved = changed_rows(inputs, {"weather_hours": storm})
    assert set(moved.day) == {CHANGED_DAY}
    assert moved.departure_hour.min() >= CHANGED_HOUR + 1


def test_own_delays_change_no_feature_of_the_flight(inputs):
    """Only the last day's are changed, which no other day looks back to."""
    last = f"flight_month = '{MONTHS[1]}' AND day = 28"
    late = changed(
        inputs["flights"], last, departure_delay_minutes="999", arrival_delay_minutes="999"
    )
    assert changed_rows(inputs, {"flights": late}).empty
    assert FLIGHTS.contract.partition_column == "flight_month"
