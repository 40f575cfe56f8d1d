"""Restated data hold until a person has a candidate judged on them: promoted or not, that is an
answer; the next correction is a new question.
"""

import dagster as dg
import pytest
from typer.testing import CliRunner

from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.cli.main import app
from finance_assets.definitions import build_defs
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.verdicts import stored_triage
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets.settings import get_settings
from finance_assets_tests.own_use_cases.live.deliveries import Day, deliver
from finance_assets_tests.own_use_cases.live.use_case import CALENDAR, MODEL, NAME, USE_CASE
from finance_assets_tests.running import UseCaseRunner

D1, D2, D3, D4, D5, *_ = CALENDAR.partitions()
# Too few outcomes of D3 to judge a model by.
SMALL = {D4: Day(readers=1450)}


@pytest.fixture
def news(settings, spark, monkeypatch):
    monkeypatch.setenv("FINANCE_ASSETS_USE_CASES", "finance_assets_tests.own_use_cases.live")
    get_settings.cache_clear()
    monkeypatch.setattr("finance_assets.definitions.defs", build_defs(use_cases={NAME: USE_CASE}))
    return UseCaseRunner(USE_CASE, settings, spark)


def held(runner, days):
    """v1 has scored D4 when a correction of what it learned from comes."""
    for day in CALENDAR.partitions():
        deliver(runner.settings.landing, NAME, days, day)
    runner.run_tables(D1, D4)
    runner.run_model(D3)
    runner.run_scoring(D4)
    assert thought_of(runner, D4) == (Verdict.none, Action.wait, "1")
    correct(runner, days, 0.05)
    assert thought_of(runner, D4) == (Verdict.restated_data, Action.hold, "1")


def correct(runner, days, minutes):
    deliver(runner.settings.landing, NAME, {**days, D1: Day(minutes=minutes)}, D1)
    runner.run_tables(D1, D4)
    runner.run_scoring(D4)


def thought_of(runner, day):
    found = stored_triage(runner.lakehouse, MODEL)[day]
    return found.verdict, found.action, found.champion_version


def retrain(as_of):
    asked = ["retrain", NAME, "--as-of", as_of, "--reason", "the correction is right"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    return said[said.index("candidate v") :]


def sensor_says(settings):
    with dg.DagsterInstance.ephemeral() as instance:
        return build_retraining_sensor(USE_CASE)(dg.build_sensor_context(instance=instance))


def test_a_person_retrains_on_restated_data_and_the_new_champion_is_held_for_nothing(
    news, settings
):
    held(news, {})
    assert "restated data (hold), champion v1 stays" in sensor_says(settings).skip_message
    assert "candidate v2: promoted" in retrain(D4)
    news.run_tables(D5)
    news.run_scoring(D5)
    assert thought_of(news, D5) == (Verdict.none, Action.wait, "2")


def test_a_champion_that_the_gate_keeps_on_restated_data_is_held_for_the_next_correction_only(
    news, settings
):
    held(news, SMALL)
    assert "candidate v2: turned down; failed: enough_rows" in retrain(D4)
    assert read_history(news.lakehouse, NAME).newest.model_version == "1"
    news.run_scoring(D4)
    assert thought_of(news, D4) == (Verdict.none, Action.wait, "1")
    correct(news, SMALL, 0.1)
    assert thought_of(news, D4) == (Verdict.restated_data, Action.hold, "1")
    [said] = stored_triage(news.lakehouse, MODEL)[D4].evidence
    assert D1 in said and f"changed since v1 was kept as of {D4}, last by version" in said
