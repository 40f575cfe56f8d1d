"""What triage holds is learned when a correction took the finding away, or a person asked for it.

A tariff comes out of nowhere on one day; on the next two readers read more, which asks for a
candidate that would learn that day, too.
"""

from contextlib import contextmanager

import dagster as dg
import pytest
from typer.testing import CliRunner

from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.cli.main import app
from finance_assets.definitions import build_defs
from finance_assets.model_life.verdicts import stored_triage
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets.settings import get_settings
from finance_assets_tests.own_use_cases.live.deliveries import Day, deliver
from finance_assets_tests.own_use_cases.live.use_case import CALENDAR, MODEL, NAME, USE_CASE
from finance_assets_tests.running import UseCaseRunner

D1, D2, D3, D4, D5, D6, *_ = CALENDAR.partitions()
# Too few readers to judge a candidate by.
DAYS = {D4: Day(new_code=0.12, readers=1450), D5: Day(minutes=0.8), D6: Day(minutes=0.8)}


def six_days(home):
    runner = UseCaseRunner(USE_CASE, home.settings, home.spark)
    for day in CALENDAR.partitions():
        deliver(home.settings.landing, NAME, DAYS, day)
    runner.run_tables(D1, D3)
    runner.run_model(D3)
    for day in (D4, D5, D6):
        runner.run_tables(day)
        runner.run_scoring(day)


@pytest.fixture
def news(settings, spark, homes, monkeypatch):
    """v1 has scored a day with a tariff that nobody knows, and two days of another world."""
    monkeypatch.setenv("FINANCE_ASSETS_USE_CASES", "finance_assets_tests.own_use_cases.live")
    get_settings.cache_clear()
    monkeypatch.setattr("finance_assets.definitions.defs", build_defs(use_cases={NAME: USE_CASE}))
    runner = UseCaseRunner(USE_CASE, settings, spark)
    homes.copy(runner, "news_held", six_days)
    found = stored_triage(runner.lakehouse, MODEL)
    assert (found[D4].verdict, found[D4].action) == (Verdict.encoding_change, Action.hold)
    assert found[D5].action == found[D6].action == Action.retrain
    return runner


@contextmanager
def sensor():
    with dg.DagsterInstance.get() as instance:
        yield lambda: build_retraining_sensor(USE_CASE)(dg.build_sensor_context(instance=instance))


def test_the_days_after_a_held_one_bring_no_candidate_until_the_held_one_is_corrected(news):
    with sensor() as tick:
        assert f"{D4} is held (encoding change)" in tick().skip_message
        deliver(news.settings.landing, NAME, {**DAYS, D4: Day()}, D4)
        news.run_tables(D4, D6)
        for day in (D4, D5, D6):
            news.run_scoring(day)
        assert tick().partition_key == D6


def test_a_candidate_that_a_person_asked_for_on_the_held_day_answers_it(news):
    with sensor() as tick:
        asked = ["retrain", NAME, "--as-of", D4, "--reason", "the tariff is a new one"]
        done = CliRunner().invoke(app, asked)
        assert done.exit_code == 0, done.output
        assert "turned down; failed: enough_rows" in " ".join(done.output.split())
        request = tick()
        assert isinstance(request, dg.RunRequest), request.skip_message
        assert request.partition_key == D6
