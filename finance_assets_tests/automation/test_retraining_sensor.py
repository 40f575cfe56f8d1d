"""The retraining sensor: requests once, and skips with readable reasons.

Here the tables lie in a catalog, so that it goes by what runs stated; test_facts.py has it read
tables.
"""

import time

import dagster as dg
import pytest

from finance_assets.assets.metadata import BY_PARTITION, asset_key, statement
from finance_assets.automation import run_failures
from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.alerts import Cause, alerts_of
from finance_assets.automation.facts import gather_facts
from finance_assets.automation.retraining_runs import ASKED_BY_TAG, by_hand, by_sensor
from finance_assets.automation.runs import KILLED_TAG, PARTITION_TAG
from finance_assets.automation.sensors import build_retraining_sensor, wanted_retraining
from finance_assets.automation.work import MAX_KILLED
from finance_assets.compute.runner import open_lakehouse
from finance_assets.definitions import build_defs
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.decision_log import now
from finance_assets.monitoring.retraining import RetrainingRequest
from finance_assets.monitoring.triage import Action
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import (
    DECISION,
    DRIFT,
    FEATURES,
    LABELS,
    LATE_USE_CASE,
    NAME,
    PIPELINE,
    RETRAINING,
    USE_CASE,
)

SENSOR = build_retraining_sensor(USE_CASE)
HISTORY = champion_history_contract(USE_CASE.name).table


@pytest.fixture
def instance(instance, monkeypatch):
    monkeypatch.setenv("FINANCE_ASSETS_COMPUTE", "databricks")
    monkeypatch.setenv("FINANCE_ASSETS_CATALOG", "main")
    get_settings.cache_clear()
    yield instance
    get_settings.cache_clear()


def happened(instance, key, partition, **facts):
    """An asset was materialised for a partition, stating these facts."""
    metadata = {BY_PARTITION: dg.MetadataValue.json({partition: facts})} if facts else {}
    event = dg.AssetMaterialization(asset_key(key), partition=partition, metadata=metadata)
    instance.report_runless_asset_event(event)


def data_through(instance, *partitions):
    for partition in partitions:
        happened(instance, FEATURES, partition)
        happened(instance, LABELS, partition)


def measured(instance, *partitions):
    """Scored by nobody: what was measured of them asks for nothing."""
    for partition in partitions:
        drift(instance, partition, verdict="no_champion", version="")


def tick(instance, use_case=USE_CASE):
    return build_retraining_sensor(use_case)(dg.build_sensor_context(instance=instance))


def drift(instance, partition, verdict="drift", version="1"):
    happened(
        instance,
        DRIFT,
        partition,
        verdict=verdict,
        action="retrain" if verdict == "drift" else "wait",
        champion_version=version,
        drifted="pay_status" if verdict == "drift" else "",
    )


def decided(instance, partition, champion):
    happened(instance, DECISION, partition, decision="promoted", candidate_version=champion)
    crowned(instance, champion)


def crowned(instance, champion, **more):
    """The champion history says who is champion from now on."""
    known = {"champion_version": champion, "statement": f"{champion}:d{champion}", **more}
    facts = {NAME: known}
    instance.report_runless_asset_event(statement(HISTORY, facts))


def test_an_empty_instance_is_skipped_with_a_reason(instance):
    answer = tick(instance)
    assert isinstance(answer, dg.SkipReason)
    assert "outcomes are known from 2005-06 on" in answer.skip_message


def test_the_first_champion_is_requested_with_a_key_that_names_the_cause(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06")
    request = tick(instance)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2005-06"
    assert request.run_key == f"{NAME}:first-champion:2005-06"
    assert request.tags["retraining_reason"] == "there is no champion yet"


def test_drift_waits_for_outcomes_then_requests_the_next_partition_once(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06", "2005-07")
    decided(instance, "2005-06", "1")
    drift(instance, "2005-07")
    assert "waiting for the outcomes" in tick(instance).skip_message
    data_through(instance, "2005-08")
    # Its labels are in, and triage may yet say that they follow another definition.
    assert "the outcomes of 2005-08 are in, and wait to be measured" in tick(instance).skip_message
    measured(instance, "2005-08")
    request = tick(instance)
    assert request.partition_key == "2005-08"
    assert request.run_key == f"{NAME}:drift:2005-07:d1:drift"
    assert tick(instance).run_key == request.run_key, "Dagster launches a key once"
    decided(instance, "2005-08", "2")
    assert "replaced since" in tick(instance).skip_message


def test_after_a_loss_was_accepted_what_was_decided_before_it_counts_no_more(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06", "2005-07", "2005-08")
    measured(instance, "2005-07", "2005-08")
    decided(instance, "2005-06", "1")
    decided(instance, "2005-08", "2")
    accepted_at = now()
    crowned(instance, "", statement="1:a", accepted_at=accepted_at, lost_at=accepted_at)
    request = tick(instance)
    assert request.partition_key == "2005-08"
    assert request.run_key == f"{NAME}:first-champion:2005-08:{accepted_at}"
    assert request.tags["retraining_reason"] == "the champion was lost"
    happened(instance, DECISION, "2005-08", decision="held", candidate_version="2")
    assert "waits for approval" in tick(instance).skip_message
    # With a champion of its own all decisions count, as they answered what drifted.
    crowned(instance, "2", statement="2:b", accepted_at=accepted_at)
    assert gather_facts(instance, USE_CASE).decided == {"2005-06", "2005-08"}


def test_drift_that_went_away_when_its_month_was_run_again_requests_nothing(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06", "2005-07", "2005-08")
    decided(instance, "2005-06", "1")
    drift(instance, "2005-07")
    drift(instance, "2005-07", verdict="stable")
    assert tick(instance).skip_message == "2005-07: stable, champion v1 stays"


def test_after_a_rollback_drift_of_the_former_champion_asks_for_nothing(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06", "2005-07", "2005-08")
    decided(instance, "2005-06", "1")
    decided(instance, "2005-07", "2")
    drift(instance, "2005-07", version="2")
    measured(instance, "2005-08")
    assert tick(instance).run_key == f"{NAME}:drift:2005-07:d2:drift"
    crowned(instance, "1")
    assert "which v1 has replaced since" in tick(instance).skip_message


def test_whom_a_person_put_back_is_not_replaced_before_there_is_another_partition(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06", "2005-07", "2005-08")
    decided(instance, "2005-06", "1")
    drift(instance, "2005-07")
    crowned(instance, "1", event="rolled_back", effective_from="2005-09", as_of="2005-06")
    # What was found while it was champion before asks for nothing.
    assert "0 of the last 1 findings ask for a candidate" in tick(instance).skip_message
    drift(instance, "2005-09")
    assert "waiting for the outcomes" in tick(instance, LATE_USE_CASE).skip_message
    data_through(instance, "2005-09", "2005-10")
    measured(instance, "2005-10")
    assert tick(instance, LATE_USE_CASE).partition_key == "2005-10"


def test_the_rule_of_thumb_that_a_person_put_back_waits_for_another_partition(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06", "2005-07", "2005-08")
    decided(instance, "2005-06", "1")
    measured(instance, "2005-08")
    put_back = {"event": "rolled_back", "is_baseline": True, "as_of": "2005-06"}
    crowned(instance, "1", **put_back, effective_from="2005-09")
    assert "was put back by a person" in tick(instance).skip_message
    crowned(instance, "1", **put_back, effective_from="2005-08")
    assert tick(instance).partition_key == "2005-08"


def test_months_without_a_champion_are_no_findings(instance):
    drift(instance, "2005-04", verdict="no_champion", version="")
    assert gather_facts(instance, USE_CASE).findings == ()


def test_a_partition_that_is_run_again_and_again_hides_no_other(instance):
    """July asked for a candidate: it is found behind 600 newer runs of August."""
    data_through(instance, "2005-04", "2005-05", "2005-06", "2005-07", "2005-08")
    decided(instance, "2005-06", "1")
    drift(instance, "2005-07")
    for _ in range(600):
        drift(instance, "2005-08")
    request = tick(instance)
    assert (request.partition_key, request.run_key) == ("2005-08", f"{NAME}:drift:2005-08:d1:drift")
    assert request.tags["retraining_reason"].endswith("since 2005-07")


def test_nothing_is_requested_while_a_training_runs_and_again_after_it_was_killed(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06")
    request = tick(instance)
    run = instance.create_run_for_job(
        build_defs().resolve_job_def(RETRAINING), tags=dict(request.tags)
    )
    assert f"waiting for run {run.run_id[:8]}" in tick(instance).skip_message
    instance.add_run_tags(run.run_id, {KILLED_TAG: "true"})
    instance.report_run_failed(run)
    assert tick(instance).run_key == f"{request.run_key}:after-{run.run_id[:8]}"
    # What kills its process each time waits for a person.
    for _ in range(MAX_KILLED - 1):
        run = instance.create_run_for_job(
            build_defs().resolve_job_def(RETRAINING),
            tags={**request.tags, KILLED_TAG: "true"},
        )
        instance.report_run_failed(run)
    assert f"run {run.run_id[:8]} failed on just this" in tick(instance).skip_message


def test_what_failed_by_itself_is_not_asked_for_again_but_of_a_person(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06")
    request = tick(instance)
    job = build_defs().resolve_job_def(RETRAINING)
    run = instance.create_run_for_job(job, tags=dict(request.tags))
    instance.report_run_failed(run)
    said = tick(instance).skip_message
    assert f"run {run.run_id[:8]} failed on just this" in said
    assert f"`finance-assets retrain {NAME} --as-of 2005-06 --reason …`" in said
    again = wanted_retraining(instance, USE_CASE, by_person=True)
    assert (again.partition_key, again.tags) == ("2005-06", request.tags)
    # Other outcomes are another cause.
    data_through(instance, "2005-07")
    assert tick(instance).partition_key == "2005-07"


def test_nothing_is_trained_while_a_partition_is_being_made(instance):
    """Its labels may be there already, and what is thought of them not yet."""
    data_through(instance, "2005-04", "2005-05", "2005-06")
    run = instance.create_run_for_job(build_defs().resolve_job_def(PIPELINE))
    assert f"waiting for run {run.run_id[:8]} of {PIPELINE}" in tick(instance).skip_message
    instance.report_run_failed(run)
    assert tick(instance).partition_key == "2005-06"


def held(instance, *evidence):
    facts = {"verdict": "label_definition_change", "action": "hold", "champion_version": "1"}
    happened(instance, DRIFT, "2005-08", **facts, evidence=list(evidence))


def held_and_then_drifted(instance):
    """July drifts, August is held, September drifts: its candidate would learn August."""
    data_through(instance, *(f"2005-{month:02}" for month in range(4, 10)))
    decided(instance, "2005-06", "1")
    crowned(instance, "1", as_of="2005-06")
    drift(instance, "2005-07")
    held(instance)
    drift(instance, "2005-09")
    happened(instance, FEATURES, "2005-10")
    happened(instance, LABELS, "2005-10")
    measured(instance, "2005-10")


def test_what_was_held_is_learned_once_a_person_has_asked_for_a_candidate_on_it(instance):
    held_and_then_drifted(instance)
    use_case = LATE_USE_CASE
    refused = tick(instance, use_case).skip_message
    assert "2005-08 is held (label definition change)" in refused
    job = build_defs().resolve_job_def(RETRAINING)
    for tags in (by_sensor(use_case, RetrainingRequest("2005-08", "k", "r")), by_hand("right")):
        run = instance.create_run_for_job(job, tags={**tags, PARTITION_TAG: "2005-08"})
        instance.handle_new_event(ended_well(run))
        if tags[ASKED_BY_TAG] == "sensor":
            assert tick(instance, use_case).skip_message == refused
    assert tick(instance, use_case).partition_key == "2005-10"
    # A run that finds just the same says nothing new; another verdict has to be answered, too.
    held(instance)
    assert tick(instance, use_case).partition_key == "2005-10"
    held(instance, "something else")
    assert tick(instance, use_case).skip_message == refused


def test_a_materialisation_without_a_verdict_is_no_measurement(instance):
    """Whoever reports one by hand lets nothing be learned that was held."""
    held_and_then_drifted(instance)
    happened(instance, DRIFT, "2005-10")
    assert "the outcomes of 2005-10 are in, and wait to be measured" in (
        tick(instance, LATE_USE_CASE).skip_message
    )


def test_runs_are_read_for_open_holds_only_and_only_those_that_may_answer_them(
    instance, monkeypatch
):
    held_and_then_drifted(instance)
    asked, ask = [], dg.DagsterInstance.get_run_records

    def watched(self, filters=None, **more):
        asked.append(filters)
        return ask(self, filters, **more)

    monkeypatch.setattr(dg.DagsterInstance, "get_run_records", watched)
    tick(instance, LATE_USE_CASE)
    assert {one.job_name for one in asked} == {RETRAINING, "__ASSET_JOB"}
    [read] = {tuple(value) for one in asked for value in one.tags.values()}
    assert read[0] == "2005-08", "as of the held partition, or a later one"
    asked.clear()
    crowned(instance, "1", as_of="2005-08")
    assert tick(instance, LATE_USE_CASE).partition_key == "2005-10"
    assert asked == [], "the champion learned what was held"


def ended_well(run):
    """The event by which Dagster knows that a run ended well."""
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name, message="done")
    return dg.EventLogEntry(
        error_info=None,
        level=20,
        user_message="",
        run_id=run.run_id,
        timestamp=time.time(),
        job_name=run.job_name,
        dagster_event=event,
    )


def test_what_triage_holds_is_told_and_not_learned(instance):
    data_through(instance, "2005-04", "2005-05", "2005-06", "2005-07", "2005-08")
    decided(instance, "2005-06", "1")
    facts = {
        "verdict": "encoding_change",
        "action": Action.hold,
        "drifted": "pay_status",
        "evidence": ["new"],
    }
    happened(instance, DRIFT, "2005-07", champion_version="1", **facts)
    assert tick(instance).skip_message.startswith("2005-07: encoding change (hold)")
    told = alerts_of(alert_facts(instance, open_lakehouse(get_settings()), USE_CASE))
    [alert] = [one for one in told if one.cause is Cause.hold]
    assert alert.title == f"[{NAME}] 2005-07: encoding change"


def test_of_what_the_gate_turned_down_only_the_news_is_told(instance, monkeypatch):
    happened(instance, DECISION, "2005-06", decision="turned_down", candidate_version="1")
    title = f"[{NAME}] 2005-06: candidate v1 was turned down by the gate"

    def told():
        facts = alert_facts(instance, open_lakehouse(get_settings()), USE_CASE)
        return [alert.title for alert in alerts_of(facts)]

    assert title in told()
    monkeypatch.setattr(run_failures, "NEWS_SECONDS", -1)
    assert title not in told()


def test_the_daemon_would_run_it_without_being_switched_on():
    assert SENSOR.default_status is dg.DefaultSensorStatus.RUNNING
