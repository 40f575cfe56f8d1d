"""The tables of fx_forecast: against pandas, with gaps and holidays, and while a month grows."""

import numpy as np
import pytest

from finance_assets.settings import Settings
from finance_assets.use_cases.fx_forecast.use_case import CALENDAR
from finance_assets_tests.running import UseCaseRunner, fresh_home
from finance_assets_tests.use_cases.fx_forecast.deliveries import deliver, frame, shipped, small

FIRST, LAST = "2023-12", "2024-06"
FEATURES, LABELS = "features.fx_forecast_features", "labels.fx_forecast_labels"
TABLES = ("silver.fx_rates", "gold.fx_days", FEATURES, LABELS)


def made(settings, spark, root, mlflow_store):
    return UseCaseRunner(small(FIRST, LAST), fresh_home(settings, root, mlflow_store), spark)


def ordered(runner, table):
    rows = runner.rows(table)
    return sorted(rows, key=lambda row: (row["rate_day"], row.get("horizon_days", 0)))


@pytest.fixture(scope="module")
def half_a_year(spark, tmp_path_factory, mlflow_store):
    """Its tables, for questions that change nothing."""
    runner = made(Settings(), spark, tmp_path_factory.mktemp("half_a_year"), mlflow_store)
    for month in small(FIRST, LAST).calendar.partitions():
        deliver(runner.folder(), month, shipped(month))
    runner.run_tables(FIRST, LAST)
    return runner


def test_features_and_labels_are_what_pandas_says(half_a_year):
    rates = frame(FIRST, LAST)
    usd_brl = rates["BRL"] / rates["USD"]
    # In whole parts per billion, as the table has it.
    move = (np.log(usd_brl / usd_brl.shift()) * 1e9).round()
    mxn = rates["MXN"] / rates["USD"]
    mxn_move = (np.log(mxn / mxn.shift()) * 1e9).round()
    daily = move.abs().rolling(20, min_periods=5).mean()
    log = move.fillna(0).cumsum()
    rows = {(str(r["rate_day"]), r["horizon_days"]): r for r in ordered(half_a_year, FEATURES)}
    assert len(rows) == 2 * len(rates)
    for day in rates.index[65:]:
        for horizon in (1, 5):
            found, usual = rows[str(day.date()), horizon], daily[day]
            assert found["usd_brl"] == usd_brl[day]
            expected = {
                "usual_move": usd_brl[day] * usual * horizon**0.5 / 1e9,
                "move_5d": move.rolling(5).sum()[day] / usual,
                "move_60d": move.rolling(60).sum()[day] / usual,
                "from_mean_60d": (log - log.rolling(60).mean())[day] / usual,
                "calm_ratio": (move.abs().rolling(5).mean() / move.abs().rolling(60).mean())[day],
                "mxn_move_1d": mxn_move[day] / usual,
            }
            # A rounded logarithm may be one off: 1e-9 of what moves by 1e-3.
            assert {n: found[n] for n in expected} == pytest.approx(expected, rel=1e-5, abs=1e-5)
    days = list(rates.index)
    for row in ordered(half_a_year, LABELS):
        place = days.index(np.datetime64(row["rate_day"])) + row["horizon_days"]
        assert str(row["outcome_day"]) == str(days[place].date())
        assert row["usd_brl_then"] == usd_brl.iloc[place]


def test_holidays_are_no_days_and_gaps_are_quarantined_or_null(
    settings, spark, tmp_path, mlflow_store
):
    runner = made(settings, spark, tmp_path / "gaps", mlflow_store)
    march, april = shipped("2024-03"), shipped("2024-04")
    assert (march[-1]["Date"], april[0]["Date"]) == ("2024-03-28", "2024-04-02"), "Easter"
    april[3] |= {"BRL": "N/A"}
    april[5] |= {"MXN": "N/A"}
    for month, days in (("2024-03", march), ("2024-04", april)):
        deliver(runner.folder(), month, days)
    runner.run_tables("2024-03", "2024-04")
    [rejected] = runner.rows("silver.fx_rates_quarantine")
    assert (rejected["rate_day"], rejected["_reasons"]) == (
        april[3]["Date"],
        "brl_per_eur: required, but missing",
    )
    days = {str(r["rate_day"]): r for r in runner.rows("gold.fx_days")}
    assert days["2024-04-02"]["days_since_last"] == 5
    assert april[3]["Date"] not in days
    assert days[april[5]["Date"]]["mxn_move_ppb"] is None
    assert days[april[6]["Date"]]["mxn_move_ppb"] is None
    labels = {(str(r["rate_day"]), r["horizon_days"]): r for r in runner.rows(LABELS)}
    assert str(labels["2024-03-28", 1]["outcome_day"]) == "2024-04-02"
    # The day without a rate is none of the five.
    assert str(labels["2024-03-28", 5]["outcome_day"]) == april[5]["Date"]


def test_the_running_month_grows_and_ends_as_if_it_had_come_at_once(
    half_a_year, settings, spark, tmp_path, mlflow_store
):
    """Day by day, with a rate that is corrected later, and month by month before that."""
    growing, months = made(settings, spark, tmp_path / "daily", mlflow_store), CALENDAR.window
    for month in months(FIRST, "2024-05"):
        deliver(growing.folder(), month, shipped(month))
    growing.run_tables(FIRST, "2024-03")
    for month in ("2024-04", "2024-05"):
        growing.run_tables(month)
    june = shipped(LAST)
    known, features = {}, {}
    for count in (1, 3, 4, len(june)):
        days = [dict(day) for day in june[:count]]
        if count == 3:
            days[1]["BRL"] = "6.1"
        deliver(growing.folder(), LAST, days)
        growing.run_tables(LAST)
        rows = growing.rows(LABELS, lambda row: row["known_month"] == LAST)
        known[count] = sum(row["usd_brl_then"] is not None for row in rows)
        assert len(rows) == 2 * len(shipped("2024-05")), "a label waits for its outcome"
        features[count] = len(growing.rows(FEATURES, lambda row: row["rate_month"] == LAST))
    assert features == {1: 2, 3: 6, 4: 8, len(june): 2 * len(june)}
    unknown = {count: 2 * len(shipped("2024-05")) - n for count, n in known.items()}
    assert unknown == {1: 4, 3: 2, 4: 1, len(june): 0}
    for table in TABLES:
        assert ordered(growing, table) == ordered(half_a_year, table), table


def test_the_shipped_deliveries_are_the_documented_data():
    rates = frame(CALENDAR.first, CALENDAR.last)
    assert (len(rates), str(rates.index[0].date()), str(rates.index[-1].date())) == (
        *(4822, "2008-01-02"),
        "2026-10-30",
    )
    assert rates.index.is_monotonic_increasing
    assert rates[["USD", "BRL"]].notna().all().all()
    assert rates["TRY"].notna().sum() == 4822
    assert rates["RUB"].last_valid_index().year == 2022
