"""A champion that learned what held for three days only: found out, rolled back, and not undone."""

from dataclasses import replace

import dagster as dg
import pytest
from typer.testing import CliRunner

from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.alerts import Cause, alerts_of
from finance_assets.automation.sensors import build_retraining_sensor
from finance_assets.cli.main import app
from finance_assets.compute.runner import open_context, run_step
from finance_assets.ml.gate import Gate
from finance_assets.ml.identity import reader
from finance_assets.ml.tasks.binary import criteria
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.contracts import triage_contract
from finance_assets.model_life.decision_log import read_decisions
from finance_assets.model_life.rescoring import rivals_of
from finance_assets.model_life.verdicts import stored_triage
from finance_assets.monitoring.measurements import Matured
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets.settings import get_settings
from finance_assets.step.declaration import Kind
from finance_assets.steps.model_steps import model_steps
from finance_assets_tests.own_use_cases.live.deliveries import Day, deliver
from finance_assets_tests.own_use_cases.live.use_case import (
    CALENDAR,
    MODEL,
    NAME,
    TABLE_STEPS,
    USE_CASE,
)
from finance_assets_tests.running import UseCaseRunner

D1, D2, D3, D4, D5, D6, D7, D8 = CALENDAR.partitions()
TURNED = {day: Day(is_turned=True) for day in (D3, D4, D5)}
# It learns from D3 on, as somebody would who takes the days before for out of date; its gate lets
# pass that it does so much better on the turned days.
LEAKAGE = criteria.Leakage(max_auc=0.97, max_jump=0.2, max_unique=0.05, max_repetition=0.2)
FORGETFUL = replace(
    MODEL,
    warm_up_partitions=2,
    gate=Gate(tuple(LEAKAGE if c.name == "leakage" else c for c in MODEL.gate.criteria)),
)


def two_worlds(home):
    runner = UseCaseRunner(USE_CASE, home.settings, home.spark)
    for day in CALENDAR.partitions():
        deliver(home.settings.landing, NAME, TURNED, day)
    runner.run_tables(D1, D8)
    runner.run_model(D3)
    runner.run_scoring(D6)
    for step in model_steps(FORGETFUL, CALENDAR, TABLE_STEPS):
        if step.kind.is_model:
            run_step(
                step,
                CALENDAR.window(D6),
                settings=home.settings,
                session=lambda: home.spark,
                run_id="test",
                report=lambda message: None,
            )
    for day in (D7, D8):
        runner.run_scoring(day)


@pytest.fixture
def news(settings, spark, homes, monkeypatch):
    """v1 learned from the usual days, v2 from the turned ones; v2 has scored D7 and D8."""
    monkeypatch.setenv("FINANCE_ASSETS_USE_CASES", "finance_assets_tests.own_use_cases.live")
    get_settings.cache_clear()
    runner = UseCaseRunner(USE_CASE, settings, spark)
    homes.copy(runner, "news_of_two_worlds", two_worlds)
    return runner


def test_whoever_was_put_back_can_be_told_to_do_worse_than_the_one_in_whose_place(news):
    """Champions are asked whether they came before or after; not those that know the outcomes."""
    ctx = open_context(
        news.settings,
        lambda: news.spark,
        run_id="test",
        report=lambda message: None,
        window=CALENDAR.window(D8),
    )
    history = read_history(news.lakehouse, NAME)
    for scorer, other in (("1", "2"), ("2", "1")):
        by = history.of_version(scorer)
        matured = Matured(D7, scored_by=by.model_sha256)
        [rival] = rivals_of(ctx, MODEL, reader(ctx.registry, MODEL.name), history, D8, matured)
        assert (rival.version, rival.sha256) == (other, history.of_version(other).model_sha256)
    first = Matured(D5, scored_by=history.of_version("1").model_sha256)
    assert rivals_of(ctx, MODEL, reader(ctx.registry, MODEL.name), history, D6, first) == (), (
        "v2 learned from what is known in D6"
    )


def scored_by(runner, day):
    rows = runner.rows(runner.key(Kind.scoring), lambda row: row["delivered_for"] == day)
    return {row["model_version"] for row in rows}


def thought_of(runner, day):
    found = stored_triage(runner.lakehouse, MODEL)[day]
    return found.verdict, found.action, found.champion_version


def sensor_says(instance):
    return build_retraining_sensor(USE_CASE)(dg.build_sensor_context(instance=instance))


def test_a_champion_that_does_worse_than_the_one_before_is_rolled_back_and_nothing_undoes_it(news):
    decisions = read_decisions(news.lakehouse, MODEL)
    assert [d.outcome for d in decisions] == ["promoted", "promoted"], decisions[-1].gate_report
    assert scored_by(news, D8) == {"2"}
    assert thought_of(news, D8) == (Verdict.concept_shift, Action.roll_back, "2")
    evidence = stored_triage(news.lakehouse, MODEL)[D8].evidence
    assert "v1 does better on the same outcomes" in evidence
    with dg.DagsterInstance.ephemeral() as instance:
        # A person is asked; no candidate is trained meanwhile.
        assert "(roll back), champion v2 stays" in sensor_says(instance).skip_message
        facts = alert_facts(instance, news.lakehouse, USE_CASE)
        [told] = [one for one in alerts_of(facts) if one.cause is Cause.hold]
        command = f'finance-assets rollback {NAME} --to 1 --expect 2 --reason "…"'
        assert told.detail.startswith(f"roll back: `{command}`")
        triages = news.lakehouse.history(triage_contract(MODEL).table)
        assert told.page == f"/runs/{triages.publication_of(D8).run_id}"

        asked = command.replace('"…"', "better").split()[1:] + ["--from", D8]
        done = CliRunner().invoke(app, asked)
        assert done.exit_code == 0, done.output
        facts = alert_facts(instance, news.lakehouse, USE_CASE)
        holds = [one for one in alerts_of(facts) if one.cause is Cause.hold]
        assert holds == [], "v2, which was judged, is no more in force"
        assert f"{D8}" in done.output, "it names what has to be scored again"

        for _ in range(2):
            news.run_scoring(D8)
            assert scored_by(news, D8) == {"1"}
            # What v2 made of D7 is no reason to turn against v1.
            assert thought_of(news, D8) == (Verdict.none, Action.wait, "1")
            assert "champion v1 stays" in sensor_says(instance).skip_message
        news.run_model(D6)
        assert read_history(news.lakehouse, NAME).newest.model_version == "1"
        news.run_scoring(D8)
        assert scored_by(news, D8) == {"1"}
