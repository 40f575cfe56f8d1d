"""What the retraining sensor knows comes from the tables, whatever Dagster's log holds."""

import math
import shutil
from dataclasses import replace
from types import SimpleNamespace

import dagster as dg
import pytest
from deltalake import DeltaTable

from finance_assets.automation.answers import said_by
from finance_assets.automation.facts import gather_facts
from finance_assets.automation.landing import Files, Landing
from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.calendar import Calendar
from finance_assets.definitions import build_defs
from finance_assets.model_life.acceptance import accept
from finance_assets.model_life.contracts import triage_contract
from finance_assets.model_life.rollback import roll_back
from finance_assets.monitoring.retraining_facts import DriftFinding
from finance_assets_tests.automation.test_retraining_sensor import ended_well
from finance_assets_tests.model_life.models import (
    DECISION,
    DRIFT,
    PREDICTIONS,
    context,
    decided,
    decision,
    judge,
    run_model_steps,
)
from finance_assets_tests.model_life.test_model_life import EASY, STRICT, champion_as_of_june
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    CHAMPION_HISTORY,
    HEADER,
    JULY,
    JUNE,
    MAY,
    NAME,
    PIPELINE,
    RETRAINING,
    SEPTEMBER,
    USE_CASE,
    deliver,
    shipped,
)

# The champion as of June learned before there was a past: there is something to answer.
MOVED = replace(USE_CASE, model=EASY)
ACCOUNTS = 2000


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
    measure(champion, JULY)
    facts = gather_facts(instance, MOVED)
    assert (facts.champion_version, facts.champion_as_of) == ("1", JUNE)
    assert facts.decided == {JUNE}
    [finding] = facts.findings
    assert (finding.partition, finding.verdict, finding.champion_version) == (
        JULY,
        "immature_reference",
        "1",
    )
    assert finding.answered_as_of == AUGUST
    assert finding.said_at == 0, "nobody asks when what does not hold was said"
    assert "outcomes of 2005-08 are in, and wait to be measured" in tick(instance).skip_message
    measure(champion, AUGUST)
    key = f"{NAME}:drift:2005-08:{facts.champion_digest[:12]}:immature_reference@test"
    assert facts.champion_digest and tick(instance).run_key == key
    run_model_steps(champion, AUGUST, EASY)
    assert gather_facts(instance, MOVED).decided == {JUNE, AUGUST}
    assert tick(instance).skip_message.startswith("2005-08: immature reference was measured")


def test_after_the_tables_were_restored_what_was_done_before_is_asked_for_again(
    runner, homes, instance
):
    """The run that decided is in Dagster's log, and its decision in no table any more."""
    homes.tables(runner, 60, AUGUST)
    first = tick(instance)
    run = instance.create_run_for_job(
        build_defs().resolve_job_def(RETRAINING), tags=dict(first.tags)
    )
    instance.handle_new_event(ended_well(run))
    again = tick(instance)
    assert (again.partition_key, again.tags) == (first.partition_key, first.tags)
    assert again.run_key not in (first.run_key, ""), "Dagster launches a key once"


def test_after_a_loss_was_accepted_what_was_decided_before_it_counts_no_more(champion, instance):
    run_model_steps(champion, AUGUST, EASY)
    assert gather_facts(instance, MOVED).decided == {JUNE, AUGUST}
    shutil.rmtree(champion.lakehouse.path(CHAMPION_HISTORY))
    accept(context(champion), EASY, MOVED.calendar, reason="deleted", stated={})
    request = tick(instance)
    assert request.partition_key == AUGUST
    assert request.tags["retraining_reason"] == "the champion was lost"
    assert not request.run_key.startswith(f"{NAME}:first-champion:{AUGUST}@"), "launched long ago"
    run_model_steps(champion, AUGUST, EASY)
    assert decision(champion, AUGUST) == ("held", [])
    assert gather_facts(instance, MOVED).decided == {AUGUST}
    said = tick(instance).skip_message
    assert said.startswith("no champion, as the champion was lost: the candidate as of 2005-08 did")


def measure(runner, *months):
    for month in months:
        runner.run(PREDICTIONS, month)
        runner.run(DRIFT, month)


def with_status(month, count, status):
    """The delivery of a month with another payment status of the first accounts."""
    at = HEADER.split(",").index("pay_status")
    rows = shipped(month, ACCOUNTS)
    corrected = [[*row[:at], status, *row[at + 1 :]] for row in rows[:count]]
    return [",".join(row) for row in corrected + rows[count:]]


def test_labels_that_were_corrected_since_they_were_measured_are_not_learned(champion, instance):
    measure(champion, JULY, AUGUST)
    assert tick(instance).partition_key == AUGUST
    deliver(champion.settings.landing, AUGUST, *with_status(AUGUST, 100, "2"))
    champion.run_tables(AUGUST)
    assert "wait to be measured" in tick(instance).skip_message
    measure(champion, AUGUST)
    assert tick(instance).partition_key == AUGUST


def deleted(table):
    shutil.rmtree(table)


def restored(table):
    """As it was before its newest publication."""
    DeltaTable(str(table)).restore(DeltaTable(str(table)).version() - 1)


@pytest.mark.parametrize("lose", [deleted, restored])
def test_a_verdict_that_was_deleted_or_restored_has_to_be_made_again(champion, instance, lose):
    """Its holds would be gone with it, and what they hold would be learned."""
    measure(champion, JULY, AUGUST)
    assert gather_facts(instance, MOVED).measured == {JULY, AUGUST}
    files, settings, triages = Files(), champion.settings, triage_contract(EASY).table

    def pending():
        for _ in range(2):
            found = Landing(MOVED, champion.lakehouse, settings, files).pending()
        return {one.partition: one for one in found}

    before = pending()
    lose(champion.lakehouse.path(triages))
    assert AUGUST not in gather_facts(instance, MOVED).measured
    after = pending()[AUGUST]
    assert triages in after.reasons[-1]
    assert AUGUST not in before
    measure(champion, JULY, AUGUST)
    assert gather_facts(instance, MOVED).measured == {JULY, AUGUST}
    assert AUGUST not in pending()


def test_a_hold_is_there_to_be_answered_once_the_run_that_told_it_has_ended(instance):
    """Whom a person asked for a candidate before that did not know of it."""
    run = instance.create_run_for_job(build_defs().resolve_job_def(PIPELINE))
    made = SimpleNamespace(publication_of=lambda _: SimpleNamespace(run_id=run.run_id))
    began = instance.get_run_record_by_id(run.run_id).create_timestamp.timestamp()
    assert said_by(instance, made, JULY) == math.inf, "the run is on its way"
    ended = ended_well(run)
    instance.handle_new_event(ended)
    assert began < said_by(instance, made, JULY) == pytest.approx(ended.timestamp)
    forgotten = SimpleNamespace(publication_of=lambda _: SimpleNamespace(run_id="forgotten"))
    assert said_by(instance, forgotten, JULY) == 0


def test_what_the_champion_learned_from_holds_as_soon_as_it_is_restated(champion, instance):
    """No partition has to be measured for it: the commit logs say so."""
    measure(champion, JULY, AUGUST)
    deliver(champion.settings.landing, MAY, *with_status(MAY, 300, "2"))
    champion.run_tables(MAY)
    said = tick(instance).skip_message
    assert f"held, as {MOVED.model.features.table}: {MAY} changed since v1 was trained" in said


def test_a_champion_that_was_kept_on_restated_data_holds_for_nothing_after_a_rollback(
    champion, instance
):
    deliver(champion.settings.landing, MAY, *with_status(MAY, 20, "2"))
    champion.run_tables(APRIL, AUGUST)
    # The gate keeps v1 against a candidate that knows the correction, then v3 replaces it.
    run_model_steps(champion, JULY, STRICT)
    assert gather_facts(instance, MOVED).restated == ()
    run_model_steps(champion, AUGUST, EASY)
    assert decided(champion)[1:] == [("2", "turned_down"), ("3", "promoted")], [
        decision(champion, p) for p in (JULY, AUGUST)
    ]
    roll_back(context(champion), judge(EASY), reason="v3 is late", to="1")
    facts = gather_facts(instance, MOVED)
    assert (facts.champion_version, facts.restated) == ("1", ())


def test_whom_a_person_put_back_waits_for_what_nobody_knew_then(champion, instance):
    measure(champion, JULY, AUGUST)
    assert gather_facts(instance, MOVED).put_back_at == ""
    run_model_steps(champion, AUGUST, EASY)
    champion.run_tables(SEPTEMBER)
    measure(champion, SEPTEMBER)
    back = context(champion), judge(EASY)
    roll_back(*back, reason="v2 is late", to="1", effective_from=SEPTEMBER)
    measure(champion, SEPTEMBER)
    assert gather_facts(instance, MOVED).put_back_at == SEPTEMBER


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
