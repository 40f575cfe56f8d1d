"""`finance-assets retrain`: refuses clearly what cannot be trained, else trains and says why."""

import dagster as dg
import pytest
from typer.testing import CliRunner

from finance_assets.automation.retraining_runs import ASKED_BY_TAG, REASON_TAG
from finance_assets.cli.main import app
from finance_assets.compute.alive import held
from finance_assets.model_life.people import system_user
from finance_assets_tests.model_life.models import decided
from finance_assets_tests.model_life.test_decisions import (
    champions_as_of_june_and_august,
    rolled_back,
)
from finance_assets_tests.scenario import (
    AUGUST,
    DECISION,
    JUNE,
    MAY,
    NAME,
    OCTOBER,
    RETRAINING,
    SEPTEMBER,
)


def retrain(as_of, reason="the bureau asks for one"):
    done = CliRunner().invoke(app, ["retrain", NAME, "--as-of", as_of, "--reason", reason])
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize(
    ("as_of", "reason", "words"),
    [
        ("2005-13", "x", "'2005-13' is no partition of the calendar"),
        (MAY, "x", f"train as of {JUNE} or later"),
        (SEPTEMBER, "x", f"the outcomes of {SEPTEMBER} are not in the tables yet"),
        (JUNE, "  ", "a retraining needs a reason"),
    ],
)
def test_what_cannot_be_trained_is_refused_with_what_can(runner, homes, as_of, reason, words):
    homes.tables(runner, 60, AUGUST)
    code, said = retrain(as_of, reason)
    assert code == 1 and words in said
    assert decided(runner) == []


@pytest.mark.slow
def test_a_candidate_is_trained_and_decided_on_with_the_reason_in_dagster(runner, homes):
    homes.tables(runner, 2000, AUGUST)
    code, said = retrain(JUNE, "the bureau asks for one")
    assert code == 0, said
    assert "candidate v1: turned down" in said or "candidate v1: promoted" in said
    with dg.DagsterInstance.get() as instance:
        [run] = instance.get_runs(dg.RunsFilter(job_name=RETRAINING))
        tags = {name: run.tags[name] for name in (REASON_TAG, ASKED_BY_TAG)}
        assert tags == {REASON_TAG: "the bureau asks for one", ASKED_BY_TAG: system_user()}
        latest = instance.get_latest_materialization_event(dg.AssetKey(DECISION.split(".")))
        assert latest.asset_materialization.metadata["wanted"].value == "the bureau asks for one"


@pytest.mark.slow
def test_a_candidate_that_was_rolled_back_since_is_not_said_to_be_the_champion(runner, homes):
    homes.copy(runner, "two_champions", champions_as_of_june_and_august)
    rolled_back(runner)
    code, said = retrain(AUGUST)
    assert code == 0, said
    assert f"candidate v2: promoted champion: v1 from {OCTOBER} on (rolled back by" in said


def test_a_second_training_is_refused_while_one_runs(runner, homes, settings):
    from finance_assets.definitions import build_defs

    homes.tables(runner, 60, AUGUST)
    job = build_defs().resolve_job_def(RETRAINING)
    with dg.DagsterInstance.get() as instance:
        run = instance.create_run_for_job(job, tags={"dagster/partition": JUNE})
        with held(settings, run.run_id):
            code, said = retrain(JUNE)
    assert code == 1 and f"is running already where: run {run.run_id}" in said
