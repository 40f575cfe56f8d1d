"""What the retraining sensor knows comes from the tables, whatever Dagster's log holds."""

from dataclasses import replace

import dagster as dg
import pytest

from finance_assets.automation.facts import gather_facts
from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.calendar import Calendar
from finance_assets.monitoring.retraining import DriftFinding
from finance_assets_tests.model_life.models import DECISION, DRIFT, PREDICTIONS, run_model_steps
from finance_assets_tests.model_life.test_model_life import EASY, champion_as_of_june
from finance_assets_tests.scenario import APRIL, AUGUST, JULY, JUNE, MAY, NAME, SEPTEMBER, USE_CASE

# The champion as of June learned before there was a past: there is something to answer.
MOVED = replace(USE_CASE, model=EASY)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def champion(runner, homes):
    """Tables through August, and a champion as of June."""
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    return runner


def tick(instance, use_case=MOVED):
    return build_retraining_sensor(use_case)(dg.build_sensor_context(instance=instance))


def test_without_tables_nothing_is_known(settings, instance):
    facts = gather_facts(instance, USE_CASE)
    assert (facts.ready, facts.decided, facts.champion_version) == (set(), set(), None)
    assert "outcomes are known from 2005-06 on" in tick(instance).skip_message


def test_the_first_champion_is_requested_once_the_tables_are_there(runner, homes, instance):
    homes.tables(runner, 60, AUGUST)
    facts = gather_facts(instance, USE_CASE)
    assert facts.ready == {JUNE, JULY, AUGUST}
    request = tick(instance)
    assert (request.partition_key, request.run_key) == (
        AUGUST,
        f"{NAME}:first-champion:2005-08@test",
    )


def test_champion_decisions_and_drift_are_read_where_they_are_stored(champion, instance):
    champion.run(PREDICTIONS, JULY)
    champion.run(DRIFT, JULY)
    facts = gather_facts(instance, MOVED)
    assert facts.champion_version == "1"
    assert facts.decided == {JUNE}
    [finding] = facts.findings
    assert (finding.partition, finding.verdict, finding.champion_version) == (
        JULY,
        "immature_reference",
        "1",
    )
    assert finding.answered_as_of == AUGUST
    key = f"{NAME}:drift:2005-07:{facts.champion_digest[:12]}:immature_reference@test"
    assert facts.champion_digest and tick(instance).run_key == key
    run_model_steps(champion, AUGUST, EASY)
    assert gather_facts(instance, MOVED).decided == {JUNE, AUGUST}
    assert tick(instance).skip_message.startswith("2005-07: immature reference was")


def test_events_of_other_runs_change_nothing(champion, instance):
    """Dagster's log may say what it wants, and as often as it wants."""
    before = gather_facts(instance, MOVED)
    for partition in (APRIL, MAY, JUNE, SEPTEMBER):
        for table in (MOVED.model.features.table, MOVED.model.labels.table, DECISION, DRIFT):
            event = dg.AssetMaterialization(table.split("."), partition=partition)
            instance.report_runless_asset_event(event)
    assert gather_facts(instance, MOVED) == before


def test_a_partition_that_still_grows_is_not_trained_as_of(runner, homes, instance, monkeypatch):
    homes.tables(runner, 60, AUGUST)
    growing = replace(USE_CASE, calendar=replace(USE_CASE.calendar, is_growing=True))
    whole = Calendar.is_settled
    monkeypatch.setattr(Calendar, "is_settled", lambda c, p, now=None: p < AUGUST and whole(c, p))
    assert gather_facts(instance, growing).ready == {JUNE, JULY}


def test_drift_is_answered_once_the_declared_lag_has_passed(champion, instance):
    champion.run(PREDICTIONS, JULY)
    champion.run(DRIFT, JULY)
    lagging = replace(MOVED, model=replace(MOVED.model, label_lag=2))
    [finding] = gather_facts(instance, lagging).findings
    assert isinstance(finding, DriftFinding)
    assert finding.answered_as_of == SEPTEMBER
    assert "waiting for the outcomes, known in 2005-09" in tick(instance, lagging).skip_message
