"""fx_forecast does not know the future, and its gate lets nothing through that is worth nothing."""

import json
from dataclasses import replace

import pytest

from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Check
from finance_assets.lakehouse.publish import PublishResult
from finance_assets.ml.training import train_here
from finance_assets.steps import training as training_step
from finance_assets.steps.scoring import hinted
from finance_assets.use_cases.fx_forecast.use_case import USE_CASE
from finance_assets_tests.leaks import require_no_leak
from finance_assets_tests.running import UseCaseRunner, fresh_home
from finance_assets_tests.use_cases.fx_forecast.deliveries import deliver, shipped, small

FIRST, LAST = "2023-12", "2024-09"


def test_later_rates_change_nothing_that_came_before(settings, spark, tmp_path, mlflow_store):
    use_case = small(FIRST, LAST)

    def make(is_changed):
        home = fresh_home(settings, tmp_path / str(is_changed), mlflow_store)
        runner = UseCaseRunner(use_case, home, spark)
        for month in use_case.calendar.partitions():
            days = shipped(month)
            if is_changed and month > "2024-07":
                days = [{**day, "BRL": str(float(day["BRL"]) * 1.1)} for day in days]
            deliver(runner.folder(), month, days)
        return runner

    require_no_leak(make, as_of="2024-06", through="2024-07")


def outcomes(change):
    def tamper(recipe, rows):
        frame = rows.frame.copy()
        frame[recipe.target] = change(frame)
        return train_here(recipe, frame)

    return tamper


SABOTAGE = {
    "the rule of thumb itself": ("beats_baseline", outcomes(lambda f: f["usd_brl"])),
    "too high for everything": ("bias", outcomes(lambda f: f["usd_brl_then"] + f["usual_move"])),
    "levels instead of moves": (
        "beats_baseline",
        lambda recipe, rows: train_here(replace(recipe, anchor=None), rows.frame),
    ),
    "sure of what nobody knows": (
        "interval_coverage",
        outcomes(lambda f: f["usd_brl"] + 0.1 * (f["usd_brl_then"] - f["usd_brl"])),
    ),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, spark, mlflow_store):
    from finance_assets.settings import Settings

    use_case = small("2020-01", "2021-12", lambda m: replace(m, holdout_partitions=6))
    home = fresh_home(Settings(git_sha="test"), tmp_path_factory.mktemp("fx"), mlflow_store)
    runner = UseCaseRunner(use_case, home, spark)
    for month in use_case.calendar.partitions():
        deliver(runner.folder(), month, shipped(month))
    runner.run_tables("2020-01", "2021-12")
    return runner


@pytest.mark.parametrize(("place", "name"), enumerate(SABOTAGE))
def test_a_sabotaged_forecaster_is_turned_down_and_the_rule_of_thumb_serves(
    place, name, prepared, monkeypatch
):
    criterion, tamper = SABOTAGE[name]
    as_of = prepared.use_case.calendar.shift("2021-08", place)
    monkeypatch.setattr(training_step, "train", tamper)
    prepared.run_model(as_of)
    [decision] = prepared.rows("models.fx_forecast_decision", lambda row: row["as_of"] == as_of)
    assert decision["outcome"] == "turned_down"
    assert criterion in decision["failed_criteria"].split(",")
    [event] = prepared.rows("models.fx_forecast_champion_history")
    assert event["event"] == "installed"
    assert decision["champion_version"] == event["model_version"]
    assert json.loads(event["gate_report"])["task"] == "baseline"


@pytest.mark.parametrize("is_passed", [True, False])
def test_forecasts_that_are_no_numbers_name_the_rate_and_the_unit_they_begin_with(is_passed):
    finite = Check("finite", "No number is infinite or NaN.")
    found = PublishResult([CheckOutcome(finite, is_passed, "found.")], None, (), {})
    [outcome] = hinted(found, USE_CASE.model).outcomes
    hint = " A forecast begins with usd_brl: it must be a number and usual_move, its unit, above 0."
    assert outcome.observed == ("found." if is_passed else f"found.{hint}")
