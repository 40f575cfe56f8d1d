"""Outcomes that come late and by another definition: off by default, and held for a person."""

import pytest

from finance_assets.automation.facts import facts_of_tables
from finance_assets.automation.landing import Files, Landing
from finance_assets.compute.runner import run_step
from finance_assets.errors import SettingsError
from finance_assets.model_life.verdicts import stored_triage
from finance_assets.monitoring.retraining import (
    NoRetraining,
    RetrainingPolicy,
    decide_retraining,
)
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets.settings import Settings, get_settings
from finance_assets.step.coming import steps_that_can_run
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.model_life.models import DRIFT, PREDICTIONS, history, report_of
from finance_assets_tests.model_life.test_model_life import champion_as_of_june
from finance_assets_tests.scenario import (
    AUGUST,
    JULY,
    LABELS,
    LATE_BRONZE,
    LATE_SILVER,
    LATE_USE_CASE,
    MODEL,
    NAME,
    OCTOBER,
    SEPTEMBER,
    USE_CASE,
    deliver_late_labels,
)
from finance_assets_tests.steps.test_monitoring import ACCOUNTS, performance


@pytest.fixture
def monitored(runner, homes):
    """A champion, and everything through August."""
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    for month in (JULY, AUGUST):
        run_scoring(runner, month)
    return runner


def run_scoring(runner, month):
    runner.run(PREDICTIONS, month)
    runner.run(DRIFT, month)


def october(runner):
    """What the landing sensor would run of October; a file counts once two looks found it alike."""
    files = Files()
    for _ in range(2):
        look = Landing(LATE_USE_CASE, runner.lakehouse, runner.settings, files)
        found = [one for one in look.pending() if one.partition == OCTOBER]
    return found


def run(runner, pending):
    """As the sensor has it run; what ran."""
    for key in pending.steps:
        result = run_step(
            LATE_USE_CASE.step(key),
            LATE_USE_CASE.calendar.window(pending.partition),
            settings=runner.settings,
            session=lambda: runner.spark,
            run_id="test",
            report=lambda message: None,
        )
        assert result.publication is not None, key
    return pending.steps


def test_without_the_file_october_is_nothing_that_anybody_waits_for(monitored):
    assert not USE_CASE.calendar.has(OCTOBER), "off by default"
    assert october(monitored) == []
    assert steps_that_can_run(LATE_USE_CASE, OCTOBER, lambda step: False) == ()
    full = steps_that_can_run(LATE_USE_CASE, SEPTEMBER, lambda step: False)
    assert full == LATE_USE_CASE.pipeline_steps


def test_a_setting_says_where_the_calendar_ends():
    settings = Settings(last_partitions="another=2024-01-01, credit_default=2005-10")
    assert settings.last_partition(USE_CASE.name, SEPTEMBER) == OCTOBER
    assert Settings().last_partition(USE_CASE.name, SEPTEMBER) == SEPTEMBER


@pytest.mark.parametrize(
    ("ends", "said"), [(f"nobody={OCTOBER}", "there is none"), (f"{NAME}={JULY}", "stays")]
)
def test_an_end_that_no_calendar_goes_by_is_refused(monkeypatch, ends, said):
    monkeypatch.setenv("FINANCE_ASSETS_LAST_PARTITIONS", ends)
    get_settings.cache_clear()
    with pytest.raises(SettingsError, match=said):
        all_use_cases()
    monkeypatch.undo()
    get_settings.cache_clear()


def test_flags_of_another_definition_are_held_for_a_person_in_whatever_order_they_land(monitored):
    # Before September's statements: there is nothing yet that they are the outcome of.
    deliver_late_labels(monitored.settings.landing, ACCOUNTS)
    [landed] = october(monitored)
    assert run(monitored, landed) == (LATE_BRONZE, LATE_SILVER, LABELS, DRIFT)
    assert stored_triage(monitored.lakehouse, MODEL)[OCTOBER].verdict is Verdict.no_champion
    assert october(monitored) == []

    # With them, what the labels are made from changed.
    monitored.run_tables(SEPTEMBER)
    run_scoring(monitored, SEPTEMBER)
    [followed] = october(monitored)
    assert followed.cause != landed.cause
    run(monitored, followed)
    found = stored_triage(monitored.lakehouse, MODEL)[OCTOBER]
    assert (found.verdict, found.action) == (Verdict.label_definition_change, Action.hold)
    assert found.champion_version == "1"
    assert f"outcomes of {SEPTEMBER}" in found.evidence[0]
    [first] = performance(monitored, scored=SEPTEMBER, kind="observed", metric="outcome_rate")
    assert first.value == pytest.approx(0.217)
    # Nothing of October was scored: the report is that of who scored what matured in it.
    page = report_of(monitored.settings, "1", OCTOBER)
    assert "label definition change: hold" in page and "Nothing of it was\nscored" in page
    assert 'alt="Reliability"' in page and 'alt="Performance"' in page
    assert 'alt="Output"' not in page and "<h2>Variables" not in page

    # Nothing is trained on it by itself.
    facts = facts_of_tables(monitored.lakehouse, LATE_USE_CASE, history(monitored))
    answer = decide_retraining(facts, RetrainingPolicy())
    assert isinstance(answer, NoRetraining) and "label definition change (hold)" in answer.reason

    # A correction is measured anew, and what was said before stays.
    deliver_late_labels(monitored.settings.landing, ACCOUNTS, flip=100)
    [corrected] = october(monitored)
    assert "was corrected" in corrected.reasons[0]
    run(monitored, corrected)
    rates = performance(monitored, scored=SEPTEMBER, kind="observed", metric="outcome_rate")
    assert len(rates) == 2 and first in rates
    assert october(monitored) == []
