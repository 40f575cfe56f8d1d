"""The retraining sensor: requests once, and skips with readable reasons.

Here the tables lie in a catalog, so that it goes by what runs stated; test_facts.py has it read
tables.
"""

import dagster as dg
import pytest

from finance_assets.assets.metadata import BY_PARTITION, asset_key, statement
from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.alerts import Cause, alerts_of
from finance_assets.automation.facts import gather_facts
from finance_assets.automation.runs import KILLED_TAG
from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.compute.runner import open_lakehouse
from finance_assets.definitions import build_defs
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.monitoring.triage import Action
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import (
    DECISION,
    DRIFT,
    FEATURES,
    LABELS,
    NAME,
    RETRAINING,
    USE_CASE,
)

SENSOR = build_retraining_sensor(USE_CASE)
HISTORY = champion_history_contract(USE_CASE.name).table


@pytest.fixture
def instance(monkeypatch):
    monkeypatch.setenv("FINANCE_ASSETS_COMPUTE", "databricks")
    monkeypatch.setenv("FINANCE_ASSETS_CATALOG", "main")
    get_settings.cache_clear()
    with dg.DagsterInstance.ephemeral() as instance:
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


def tick(instance):
    return SENSOR(dg.build_sensor_context(instance=instance))


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


def crowned(instance, champion):
    """The champion history says who is champion from now on."""
    facts = {NAME: {"champion_version": champion, "statement": f"{champion}:d{champion}"}}
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
    request = tick(instance)
    assert request.partition_key == "2005-08"
    assert request.run_key == f"{NAME}:drift:2005-07:d1:drift"
    assert tick(instance).run_key == request.run_key, "Dagster launches a key once"
    decided(instance, "2005-08", "2")
    assert "replaced since" in tick(instance).skip_message


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
    assert tick(instance).run_key == f"{NAME}:drift:2005-07:d2:drift"
    crowned(instance, "1")
    assert "which v1 has replaced since" in tick(instance).skip_message


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
    assert tick(instance).run_key == f"{request.run_key}:again-1"


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


def test_the_daemon_would_run_it_without_being_switched_on():
    assert SENSOR.default_status is dg.DefaultSensorStatus.RUNNING
