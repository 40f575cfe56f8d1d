"""Alerts: what is told, to whom, and that it is told once, whatever the channels do."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from deltalake import DeltaTable, write_deltalake

from finance_assets.assets.history_check import build_history_check
from finance_assets.assets.metadata import statement
from finance_assets.assets.resources import EngineResource
from finance_assets.automation import run_failures
from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.alert_sensor import build_alert_sensor
from finance_assets.automation.alerts import (
    AlertFacts,
    Cause,
    FailedRun,
    Held,
    alerts_of,
)
from finance_assets.automation.maintenance import JOB, op_name
from finance_assets.automation.run_failures import failed_runs
from finance_assets.automation.told import AT_ONCE, untold
from finance_assets.definitions import build_defs
from finance_assets.ml.spec import Approval
from finance_assets.model_life import people
from finance_assets.model_life.approval import approve
from finance_assets.model_life.contracts import triage_contract
from finance_assets.model_life.crowning import mirror
from finance_assets.model_life.rollback import roll_back
from finance_assets.settings import get_settings
from finance_assets_tests.model_life.models import (
    DRIFT,
    HISTORY,
    PREDICTIONS,
    context,
    judge,
    model_files,
    run_model_steps,
)
from finance_assets_tests.model_life.test_model_life import EASY, STRICT, champion_as_of_june
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    BRONZE,
    HEADER,
    JULY,
    MAY,
    MODEL,
    NAME,
    PIPELINE,
    SEPTEMBER,
    SILVER,
    USE_CASE,
    Statement,
    deliver,
    shipped,
)
from finance_assets_tests.webhook import webhook

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def hooks(settings, monkeypatch):
    """Two channels, in force for the process."""
    with webhook() as first, webhook() as second:
        monkeypatch.setenv("FINANCE_ASSETS_ALERT_URLS", f"{first.url} {second.url}")
        get_settings.cache_clear()
        yield first, second
    get_settings.cache_clear()


class Ticks:
    """The sensor, asked again and again with what it remembers."""

    def __init__(self, instance):
        self.instance, self.cursor = instance, None
        self.sensor = build_alert_sensor(USE_CASE)

    def tick(self) -> str:
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        message = self.sensor(context).skip_message
        self.cursor = context.cursor
        return message


def refused_run(instance, settings, partition=APRIL):
    """A run whose delivery is rejected for the most part."""
    deliver(settings.landing, partition, Statement(statement_month=partition, bill_ntd="a lot"))
    job = build_defs(use_cases={NAME: USE_CASE}).resolve_job_def(PIPELINE)
    return job.execute_in_process(
        run_config=QUIET, instance=instance, partition_key=partition, raise_on_error=False
    )


def test_a_refused_delivery_is_told_once_to_each_channel_that_answers(
    hooks, instance, settings, monkeypatch
):
    first, second = hooks
    second.is_down = True
    run = refused_run(instance, settings)
    ticks = Ticks(instance)
    said = ticks.tick()
    [told] = [post for post in first.posted if "rejected" in post["title"]]
    assert told["title"] == f"[{NAME}] {APRIL}: too many rows were rejected"
    for words in (
        f"use case: {NAME}",
        f"partition: {APRIL}",
        f"run: http://127.0.0.1:3000/runs/{run.run_id}",
        f"runbook: docs/runbook/README.md#{Cause.quarantine}",
        SILVER,
    ):
        assert words in told["message"], words
    assert "a lot" not in told["message"], "rows stay where they are"
    assert second.posted == []

    before = len(first.posted)
    ticks.tick()
    assert len(first.posted) == before
    # A new process knows what the one before it has told.
    second.is_down = False
    again = Ticks(instance)
    again.cursor = ticks.cursor
    again.tick()
    assert second.titles == first.titles and len(first.posted) == before
    # Nor is anybody told again because the URLs stand in another order, or one twice.
    monkeypatch.setenv("FINANCE_ASSETS_ALERT_URLS", f"{second.url} {first.url} {second.url}")
    get_settings.cache_clear()
    again.tick()
    assert len(first.posted) == len(second.posted) == before
    assert "secret" not in said + again.cursor + repr(get_settings())


def test_without_a_channel_the_page_of_the_sensor_says_what_holds(settings, instance, runner):
    said = Ticks(instance).tick()
    assert "nobody is told, as FINANCE_ASSETS_ALERT_URLS names no channel" in said
    assert f"the delivery of {BRONZE} is overdue and 5 before it" in said


def test_a_url_that_is_none_is_named_by_its_place_alone(settings, instance, monkeypatch, capfd):
    monkeypatch.setenv("FINANCE_ASSETS_ALERT_URLS", "nonsense-with-a-secret")
    get_settings.cache_clear()
    assert "names no channel" in Ticks(instance).tick()
    shown = capfd.readouterr()
    assert "URL number 1 is none" in shown.err + shown.out
    assert "nonsense" not in shown.err + shown.out


def test_the_tables_say_who_was_turned_down_what_is_late_and_that_a_chain_is_broken(
    hooks, runner, homes, instance
):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    ticks = Ticks(instance)
    ticks.tick()
    assert hooks[0].titles == [f"[{NAME}] 2005-09: the delivery of {BRONZE} is overdue"]
    run_model_steps(runner, AUGUST, STRICT)
    ticks.tick()
    assert hooks[0].titles[1:] == [f"[{NAME}] {AUGUST}: candidate v2 was turned down by the gate"]
    assert "failed criteria: discrimination" in hooks[0].posted[1]["message"]
    history = str(runner.lakehouse.path(HISTORY))
    write_deltalake(history, DeltaTable(history).to_pyarrow_table(), mode="append")
    ticks.tick()
    assert hooks[0].titles[2:] == [f"[{NAME}] : the champion history is broken"]


def test_a_candidate_that_waited_for_approval_is_told_until_it_is_approved(
    settings, runner, homes, instance, monkeypatch
):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    held = replace(EASY, approval=Approval.required)
    run_model_steps(runner, AUGUST, held)
    waiting = f"[{NAME}] {AUGUST}: candidate v2 waits for approval"
    assert waiting in told_of_tables(instance, runner)
    monkeypatch.setattr(people, "system_user", lambda: "ada")
    approve(context(runner), judge(held), "2", reason="read the card")
    assert waiting not in told_of_tables(instance, runner)


def test_who_waits_for_approval_waits_longer_than_a_week(
    settings, runner, homes, instance, monkeypatch
):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    run_model_steps(runner, JULY, STRICT)
    run_model_steps(runner, AUGUST, replace(EASY, approval=Approval.required))
    turned_down = f"[{NAME}] {JULY}: candidate v2 was turned down by the gate"
    waiting = f"[{NAME}] {AUGUST}: candidate v3 waits for approval"
    assert {turned_down, waiting} <= set(told_of_tables(instance, runner))
    monkeypatch.setattr(run_failures, "NEWS_SECONDS", -1)
    later = told_of_tables(instance, runner)
    assert waiting in later and turned_down not in later


def test_what_an_earlier_version_remembers_of_a_channel_is_not_told_again(
    hooks, instance, settings
):
    refused_run(instance, settings)
    ticks = Ticks(instance)
    ticks.tick()
    told = {name: memory["told"] for name, memory in json.loads(ticks.cursor).items()}
    before, ticks.cursor = len(hooks[0].posted), json.dumps(told)
    ticks.tick()
    assert len(hooks[0].posted) == before


def told_of_tables(instance, runner):
    """What a channel would be told that was never told anything."""
    return [alert.title for alert in alerts_of(alert_facts(instance, runner.lakehouse, USE_CASE))]


def test_a_history_that_dagster_knows_to_have_been_longer_is_told_as_broken(
    hooks, runner, homes, instance
):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    known = {NAME: {"statement": f"2:{'0' * 64}"}}
    instance.report_runless_asset_event(statement(HISTORY, known))
    Ticks(instance).tick()
    [broken] = [post for post in hooks[0].posted if "history is broken" in post["title"]]
    assert "Dagster states an event 2 that the table does not have" in broken["message"]


def test_a_rollback_of_scored_months_breaks_nothing_and_what_the_check_finds_is_told(
    hooks, runner, homes, instance, settings
):
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    run_model_steps(runner, AUGUST, EASY)
    runner.run_tables(SEPTEMBER)
    runner.run(PREDICTIONS, SEPTEMBER)
    back = context(runner), judge(EASY)
    event = roll_back(*back, reason="v2 is late", effective_from=SEPTEMBER)
    mirror(back[0], EASY)
    found = checked(instance)
    assert found.passed, found.description
    assert "was scored by v2, but v1 is in force there" in found.description
    Ticks(instance).tick()
    assert [title for title in hooks[0].titles if "broken" in title] == []

    # A model that was altered is nothing that the table itself shows.
    [model] = model_files(settings, event.model_version)
    model.write_text(model.read_text() + " ")
    assert not checked(instance).passed
    Ticks(instance).tick()
    [broken] = [post for post in hooks[0].posted if "history is broken" in post["title"]]
    assert "champion v1" in broken["message"]


def checked(instance):
    """What the check of the history says."""
    check = build_history_check(USE_CASE)
    job = dg.define_asset_job("check", dg.AssetSelection.checks(*check.check_keys))
    defs = dg.Definitions(asset_checks=[check], jobs=[job], resources={"engine": EngineResource()})
    run = defs.resolve_job_def("check").execute_in_process(instance=instance, run_config=QUIET)
    [found] = run.get_asset_check_evaluations()
    return found


def test_what_the_champion_learned_from_is_told_as_soon_as_it_is_restated(
    hooks, runner, homes, instance
):
    """No partition is run for it: the commit logs say so. The next correction is told as well."""
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    runner.run(PREDICTIONS, JULY)
    runner.run(DRIFT, JULY)
    ticks, at = Ticks(instance), HEADER.split(",").index("pay_status")
    ticks.tick()
    for month in (MAY, APRIL):
        rows = shipped(month, 2000)
        corrected = [[*row[:at], "2", *row[at + 1 :]] for row in rows[:50]]
        deliver(runner.settings.landing, month, *(",".join(row) for row in corrected + rows[50:]))
        runner.run_tables(month)
        ticks.tick()
    told = [post for post in hooks[0].posted if "restated data" in post["title"]]
    assert [post["title"] for post in told] == [f"[{NAME}] {JULY}: restated data"] * 2
    assert f"{MAY} changed since v1 was trained" in told[0]["message"]
    assert f"{APRIL}, {MAY} changed since v1 was trained" in told[1]["message"]
    # The next partition finds the same again.
    before = len(hooks[0].posted)
    runner.run(PREDICTIONS, AUGUST)
    runner.run(DRIFT, AUGUST)
    ticks.tick()
    assert "restated data" not in " ".join(hooks[0].titles[before:])
    # Nor is it told again after a moment in which a log could not be read.
    triage = runner.lakehouse.history(triage_contract(MODEL).table)
    half = triage.stored.path / "_delta_log" / f"{triage.version + 1:020}.json"
    half.touch()
    ticks.tick()
    half.unlink()
    ticks.tick()
    said = hooks[0].titles[before:]
    assert f"[{NAME}] : what is so of holds cannot be read" in said
    assert "restated data" not in " ".join(said)


def test_facts_that_cannot_be_read_are_told_and_keep_nobody_from_hearing_of_the_others(
    hooks, settings, runner, instance
):
    log = runner.lakehouse.path(triage_contract(MODEL).table) / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no commit")
    ticks = Ticks(instance)
    ticks.tick()
    ticks.tick()
    unread, overdue = hooks[0].titles
    assert unread == f"[{NAME}] : what is so of holds cannot be read"
    assert overdue == f"[{NAME}] 2005-09: the delivery of {BRONZE} is overdue and 5 before it"
    assert f"README.md#{Cause.unknown}" in hooks[0].posted[0]["message"]


def test_a_message_that_a_channel_never_takes_keeps_no_other_from_it(hooks, instance, settings):
    refused_run(instance, settings, APRIL)
    refused_run(instance, settings, MAY)
    hooks[0].refuses = f"{APRIL}: too many rows were rejected"
    Ticks(instance).tick()
    assert len(hooks[1].titles) == 3
    assert hooks[0].titles == [t for t in hooks[1].titles if hooks[0].refuses not in t]
    # Two in a row are a channel that is down: it is not waited for any longer.
    hooks[0].is_down, before = True, hooks[0].asked
    Ticks(instance).tick()
    assert hooks[0].asked == before + 2


def test_messages_in_a_row_that_a_channel_never_takes_keep_nothing_else_from_it(
    hooks, instance, settings
):
    for _ in range(3):
        refused_run(instance, settings)
    ticks, hooks[0].refuses = Ticks(instance), "too many rows were rejected"
    ticks.tick()
    assert hooks[0].titles == [], "two in a row are a channel that is down"
    ticks.tick()
    assert ["overdue" in title for title in hooks[0].titles] == [True]
    hooks[0].refuses = ""
    ticks.tick()
    assert sorted(hooks[0].titles) == sorted(hooks[1].titles)


def test_every_cause_of_an_alert_has_its_heading_in_the_runbook():
    text = (Path(__file__).parents[2] / "docs" / "runbook" / "README.md").read_text()
    headings = {line[4:].lower().replace(" ", "-") for line in text.splitlines() if "### " in line}
    assert headings >= set(Cause)


def judged(**more):
    """Triage says of a champion that v1 does better."""
    return Held(MAY, "concept_shift", "v1 does better", action="roll_back", **more)


def test_to_roll_back_names_both_champions_and_is_told_again_of_others():
    first = judged(champion_version="2", better_version="1")
    again = judged(champion_version="3", better_version="1")
    told = alerts_of(AlertFacts("shop", holds=(first, again)))
    wanted = 'roll back: `finance-assets rollback shop --to 1 --expect 2 --reason "…"`'
    assert told[0].detail.startswith(wanted)
    assert told[0].key != told[1].key


def test_maintenance_that_fails_is_told_to_the_use_case_whose_tables_it_was(settings, instance):
    @dg.op(name=op_name(USE_CASE))
    def failing():
        raise dg.Failure("no room left")

    @dg.job(name=JOB)
    def maintenance():
        failing()

    maintenance.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)
    [run] = failed_runs(instance, USE_CASE)
    assert (run.what, run.partition) == ("no room left", "")


def key_of(**more):
    """The key of a hold on May, of the champion v1 for what its evidence says."""
    said = {"evidence": "pay_status 1 is new", "champion_version": "1", **more}
    [alert] = alerts_of(AlertFacts("shop", holds=(Held(MAY, "encoding_change", **said),)))
    return alert.key


def test_a_hold_on_other_evidence_or_another_champion_is_told_again():
    """A redelivery mends one thing and breaks another: it has to be answered anew."""
    assert key_of() == key_of()
    assert len({key_of(), key_of(evidence="gender is null"), key_of(champion_version="2")}) == 3


def test_a_hold_on_a_month_that_grows_is_not_told_each_day():
    today, tomorrow = (key_of(evidence=f"{n} % are new", is_growing=True) for n in (12, 13))
    assert today == tomorrow
    assert today != key_of(is_growing=True, champion_version="2")
    assert today != key_of(evidence="13 % are new"), "the whole month was judged"


def test_what_triage_holds_names_verdict_and_evidence_and_a_failed_step_its_error():
    facts = AlertFacts(
        "shop",
        holds=(Held(MAY, "encoding_change", "pay_status 1 is new: 12 % of rows", "r1"),),
        failed_runs=(FailedRun("r2", "shop_pipeline", APRIL, ("silver.x",), "no room left"),),
    )
    held, failed = alerts_of(facts)
    assert (held.title, held.page) == (f"[shop] {MAY}: encoding change", "/runs/r1")
    assert "12 % of rows" in held.body("http://ui/", "book")
    assert failed.title == f"[shop] {APRIL}: shop_pipeline failed"
    assert "detail: silver.x: no room left" in failed.body("http://ui", "book")


def test_a_long_silence_is_told_in_pieces():
    runs = tuple(FailedRun(f"r{n}", "job", APRIL, (), "") for n in range(AT_ONCE + 5))
    alerts = alerts_of(AlertFacts("shop", failed_runs=runs))
    told = [alert.key for alert in untold(alerts, [])]
    assert len(told) == AT_ONCE
    assert len(untold(alerts, told)) == 5
