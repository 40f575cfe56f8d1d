"""Alerts on tables that this process cannot read: they say as much as those of tables it can."""

from dataclasses import replace

import dagster as dg
import pytest

from finance_assets.assets.history_check import evaluation_of
from finance_assets.assets.metadata import asset_key, stated_champion
from finance_assets.automation import run_failures
from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.alerts import Cause, alerts_of
from finance_assets.automation.facts import facts_of_events
from finance_assets.compute.runner import open_lakehouse
from finance_assets.model_life.verification import Findings
from finance_assets.settings import get_settings
from finance_assets_tests.automation.test_retraining_sensor import crowned, happened
from finance_assets_tests.model_life.models import PREDICTIONS, run_model_steps
from finance_assets_tests.model_life.test_model_life import STRICT, champion_as_of_june
from finance_assets_tests.scenario import (
    AUGUST,
    CHAMPION_HISTORY,
    DECISION,
    DRIFT,
    HEADER,
    JULY,
    JUNE,
    MAY,
    NAME,
    SEPTEMBER,
    USE_CASE,
    deliver,
    shipped,
)

RESTATED = f"{MAY} changed since v1 was trained"


@pytest.fixture
def told(instance, monkeypatch):
    """What somebody would be told who was never told anything, but for what is overdue."""

    def of_catalog():
        monkeypatch.setenv("FINANCE_ASSETS_COMPUTE", "databricks")
        monkeypatch.setenv("FINANCE_ASSETS_CATALOG", "main")
        get_settings.cache_clear()
        alerts = alerts_of(alert_facts(instance, open_lakehouse(get_settings()), USE_CASE))
        return [alert for alert in alerts if alert.cause is not Cause.not_fresh]

    yield of_catalog
    get_settings.cache_clear()


def restated(instance, partition, sentence=RESTATED):
    """A partition was measured whose champion rests on something that was changed since."""
    found = {"verdict": "restated_data", "action": "hold", "champion_version": "1"}
    evidence = [sentence, f"PSI as it is in {partition}"]
    happened(instance, DRIFT, partition, **found, evidence=evidence, restated=[sentence])


def test_a_candidate_that_was_turned_down_names_what_failed_and_the_run(
    runner, homes, instance, told
):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    result = run_model_steps(runner, AUGUST, STRICT)
    happened(instance, DECISION, AUGUST, **result.by_partition[AUGUST])
    [alert] = told()
    assert alert.title == f"[{NAME}] {AUGUST}: candidate v2 was turned down by the gate"
    assert alert.detail == "failed criteria: discrimination"
    assert alert.page == f"/runs/{result.publication.run_id}"


def test_what_triage_holds_names_the_run_that_measured_it(runner, homes, instance, told):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    status = HEADER.split(",").index("pay_status")
    rows = shipped(MAY, 2000)
    corrected = [[*row[:status], "2", *row[status + 1 :]] for row in rows[:300]]
    lines = (",".join(row) for row in corrected + rows[300:])
    deliver(runner.settings.landing, MAY, *lines)
    runner.run_tables(MAY, AUGUST)
    runner.run(PREDICTIONS, JULY)
    facts = runner.run(DRIFT, JULY).by_partition[JULY]
    crowned(instance, "1", as_of=JUNE)
    happened(instance, DRIFT, JULY, **facts)
    [alert] = told()
    assert (alert.verdict, facts["run_id"]) == ("restated data", "test")
    happened(instance, DRIFT, JULY, **{**facts, "verdict": "encoding_change"})
    pages = {alert.verdict: alert.page for alert in told()}
    assert pages["encoding change"] == "/runs/test"


def test_a_restatement_is_told_once_whatever_partition_is_measured_next(instance, told):
    crowned(instance, "1", as_of=JUNE)
    restated(instance, JULY)
    [first] = told()
    restated(instance, AUGUST)
    [again] = told()
    assert (first.partition, again.partition) == (JULY, AUGUST)
    assert again.key == first.key
    restated(instance, AUGUST, f"{JUNE}, {MAY} changed since v1 was trained")
    [another] = told()
    assert another.key != first.key
    # On a day without rows nobody is judged, and nothing is said of what he rests on.
    happened(instance, DRIFT, SEPTEMBER, verdict="none", action="wait", restated=[])
    assert told() == [another]
    crowned(instance, "2", as_of=AUGUST)
    assert told() == [], "who learned from the old data is champion no more"


def test_a_hold_on_other_evidence_is_told_again_once_its_partition_grows_no_more(
    instance, told, monkeypatch
):
    months = replace(USE_CASE.calendar, last=None)
    running = replace(months, is_growing=True).partitions()[-1]

    def key(partition, evidence, **more):
        said = {"verdict": "encoding_change", "action": "hold", "champion_version": "1"}
        happened(instance, DRIFT, partition, **{**said, **more}, evidence=[evidence])
        monkeypatch.setattr(
            "finance_assets_tests.automation.test_stated_alerts.USE_CASE",
            replace(USE_CASE, calendar=replace(months, is_growing=partition == running)),
        )
        [alert] = [alert for alert in told() if alert.partition == partition]
        return alert.key

    keys = [key(JULY, "pay_status"), key(JULY, "gender"), key(JULY, "gender", champion_version="2")]
    assert len(set(keys)) == 3
    assert key(JULY, "gender") == keys[1]
    assert key(running, "12 % are new") == key(running, "13 % are new")


def test_who_waits_for_approval_is_told_until_a_champion_learned_as_much(
    instance, told, monkeypatch
):
    monkeypatch.setattr(run_failures, "NEWS_SECONDS", -1)
    crowned(instance, "1", as_of=JUNE)
    happened(instance, DECISION, JULY, decision="held", candidate_version="2")
    [alert] = told()
    assert alert.cause is Cause.held
    crowned(instance, "2", as_of=JULY)
    assert told() == []
    # After a rollback the approved one learned more than the champion, and waits for nobody.
    crowned(instance, "1", as_of=JUNE, crowned=["1", "2"])
    assert told() == []


def test_a_materialisation_that_a_person_reports_hides_no_champion(instance):
    crowned(instance, "1", as_of=JUNE)
    instance.report_runless_asset_event(dg.AssetMaterialization(asset_key(CHAMPION_HISTORY)))
    assert stated_champion(instance, NAME)["champion_version"] == "1"


def test_who_states_an_event_late_hides_none_that_came_after_it(instance):
    def told(number, accepted_at=""):
        crowned(instance, str(number), statement=f"{number}:d", accepted_at=accepted_at)
        return stated_champion(instance, NAME)["statement"]

    # As the first versions stated it, without a word of acceptances.
    crowned(instance, "9")
    assert told(2) == "2:d"
    assert told(3) == told(1) == "3:d"
    # After a loss the events are counted anew, and what is stated late is of before it.
    assert told(1, "2026-01-02") == told(5) == told(6, "2026-01-01") == "1:d"
    assert told(2, "2026-01-02") == "2:d"


def test_on_a_catalog_nothing_is_trained_behind_a_broken_history(instance):
    crowned(instance, "1", as_of=JUNE)
    assert facts_of_events(instance, USE_CASE).history_problems == ()
    lost = "MLflow states an event 2 that the table does not have"
    broken = Findings(("champion v1: its files are gone", lost), (), (lost,))
    instance.report_runless_asset_event(evaluation_of(USE_CASE, broken))
    assert facts_of_events(instance, USE_CASE).history_problems == (lost,)
    # A model whose files are gone is for the gate to replace.
    gone = Findings(broken.broken[:1], ())
    instance.report_runless_asset_event(evaluation_of(USE_CASE, gone))
    assert facts_of_events(instance, USE_CASE).history_problems == ()
