"""A history that was deleted or restored goes on once a person accepted it, and keeps the trace."""

import shutil
import uuid
from dataclasses import asdict, replace
from functools import partial

import dagster as dg
import pytest
from deltalake import DeltaTable
from typer.testing import CliRunner

from finance_assets.assets.history_check import evaluation_of
from finance_assets.assets.metadata import stated_history, statement
from finance_assets.automation.alert_facts import alert_facts
from finance_assets.automation.sensors import wanted_retraining
from finance_assets.cli.main import app
from finance_assets.commands.champion import Accept, Approve
from finance_assets.compute.runner import open_context
from finance_assets.errors import ModelError
from finance_assets.lakehouse import constraints
from finance_assets.model_life import acceptance, approval, people
from finance_assets.model_life.chain import chain_problems
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.crowning import stated
from finance_assets.model_life.decision_log import read_decisions
from finance_assets.model_life.verdicts import stored_triage
from finance_assets.model_life.verification import examine
from finance_assets_tests.model_life.models import (
    DECISION,
    DRIFT,
    EVALUATION,
    HISTORY,
    LOOKS,
    PREDICTIONS,
    aliases,
    champion_at,
    context,
    events,
    history,
    judge,
    run_model_steps,
)
from finance_assets_tests.model_life.test_champion_history import (
    forged,
    history_path,
    problems,
    unscored,
    write_around,
)
from finance_assets_tests.model_life.test_model_life import EASY, champion_as_of_june
from finance_assets_tests.scenario import AUGUST, JUNE, NAME, SEPTEMBER, USE_CASE

MOVED = replace(USE_CASE, model=EASY)


@pytest.fixture
def crowned(runner, homes):
    """v1 as of June, v2 as of August, in a home of its own."""
    homes.copy(runner, "two_champions_unscored", unscored)
    return runner


def restore(path, version):
    """A table as it was at a version."""
    DeltaTable(path).alter.set_table_properties({"delta.appendOnly": "false"})
    DeltaTable(path).restore(version)


def restore_first(runner):
    """The history as it was after its first event."""
    first = runner.lakehouse.history(HISTORY).publications[-1].version
    restore(history_path(runner), first)


def accept(runner, reason="the lakehouse was restored", said=None):
    ctx = open_context(
        runner.settings, lambda: runner.spark, run_id=uuid.uuid4().hex, report=lambda message: None
    )
    return Accept(reason, said or {}).run(ctx, MOVED)


def test_a_restored_history_goes_on_with_the_champion_it_names_once_it_is_accepted(crowned):
    before = history(crowned).statement
    restore_first(crowned)
    change = accept(crowned)
    assert change.problems == ()
    assert problems(crowned) == []
    kept = history(crowned)
    assert (kept.head.event, kept.head.reason) == ("accepted", "the lakehouse was restored")
    assert kept.head.decided_by
    assert kept.head.accepted.stated == {"MLflow": before}
    assert any("made around us" in problem for problem in kept.head.accepted.problems)
    assert events(crowned) == [("promoted", "1", None)]
    assert aliases(crowned.settings)["champion"] == "1"
    crowned.run(PREDICTIONS, SEPTEMBER)
    assert champion_at(crowned, SEPTEMBER) == ("1", JUNE)
    # What is done to it after that is another matter.
    restore_first(crowned)
    with pytest.raises(ModelError, match="cannot be trusted"):
        crowned.run(PREDICTIONS, SEPTEMBER)


def test_what_somebody_writes_around_after_an_acceptance_is_not_accepted_by_it(crowned):
    restore_first(crowned)
    accept(crowned)
    assert history(crowned).unexplained == ()
    write_around(crowned, forged(crowned, event="promoted", reason="trust me"))
    newest = crowned.lakehouse.history(HISTORY).version
    assert history(crowned).unexplained == (f"commit {newest} was made around us",)


def test_after_a_deleted_history_was_accepted_a_second_person_approves_the_next_champion(
    crowned, monkeypatch
):
    said = {"Dagster": history(crowned).statement}
    shutil.rmtree(crowned.lakehouse.path(HISTORY))
    accept(crowned, said=said)
    assert "champion" not in aliases(crowned.settings)
    assert history(crowned).newest is None
    assert problems(crowned, said) == []
    run_model_steps(crowned, JUNE, EASY)
    # Who deletes a history and accepts that could crown whom the champion would have beaten.
    assert events(crowned) == []
    ctx = open_context(crowned.settings, lambda: crowned.spark, run_id="approves", report=print)
    version = read_decisions(crowned.lakehouse, EASY)[-1].candidate_version
    with pytest.raises(ModelError, match="trained"):
        Approve(version, "it is good").run(ctx, MOVED)
    with monkeypatch.context() as patched:
        patched.setattr(approval, "acting_user", lambda ctx: "a second person")
        Approve(version, "it is good").run(ctx, MOVED)
    [(event, _, replaces)] = events(crowned)
    assert (event, replaces) == ("approved", None)
    assert problems(crowned) == []
    assert [e.event for e in history(crowned).chain] == ["accepted", "approved"]


def test_who_accepted_the_loss_is_no_second_person_whoever_trained_the_candidate(
    crowned, monkeypatch
):
    """Else one person restores, accepts, and crowns whom the lost champion would have beaten."""
    restore_first(crowned)
    with monkeypatch.context() as patched:
        patched.setattr(people, "system_user", lambda: "ada")
        accept(crowned)
    with monkeypatch.context() as patched:
        patched.setattr(people, "system_user", lambda: "the daemon")
        run_model_steps(crowned, AUGUST, replace(EASY, rounds=EASY.rounds + 1))
    held = read_decisions(crowned.lakehouse, EASY)[-1]
    assert (held.outcome, held.trained_by) == ("held", "the daemon")

    def approves():
        version = held.candidate_version
        return approval.approve(context(crowned), judge(EASY), version, reason="it is good")

    chain = history(crowned).chain
    for name in ("ada", " Ada"):
        with monkeypatch.context() as patched:
            patched.setattr(people, "system_user", partial(str, name))
            with pytest.raises(ModelError, match="accepted the champion history and cannot"):
                approves()
    assert history(crowned).chain == chain
    # Whoever takes that out of the code is found by whoever verifies.
    with monkeypatch.context() as patched:
        patched.setattr(people, "system_user", lambda: "ada")
        patched.setattr(approval, "is_one_of", lambda *names: False)
        event = approves()
    assert [problem for problem in problems(crowned) if "no second person did" in problem]
    by_bob = replace(event, decided_by="bob").sealed()
    assert chain_problems((*chain, by_bob)) == []
    # From then on whoever accepted may approve: the champion is one that bob let in.
    assert replace(history(crowned), chain=(*chain, by_bob)).acceptors == ()


def test_what_a_lost_champion_scored_stays_and_keeps_nothing_from_being_measured(crowned, capsys):
    crowned.run(PREDICTIONS, SEPTEMBER)
    assert champion_at(crowned, SEPTEMBER)[0] == "2"
    shutil.rmtree(crowned.lakehouse.path(HISTORY))
    accept(crowned)
    found = examine(context(crowned), EASY, {})
    assert (found.broken, found.outdated) == ((), ())
    # As `finance-assets run` does with every partition, and a late correction with its own.
    before = crowned.lakehouse.history(PREDICTIONS).version
    crowned.run(PREDICTIONS, SEPTEMBER)
    assert crowned.lakehouse.history(PREDICTIONS).version == before
    crowned.run(DRIFT, SEPTEMBER)
    assert stored_triage(crowned.lakehouse, EASY)[SEPTEMBER].champion_version == ""
    [served] = {row["model_version"] for row in crowned.rows(PREDICTIONS)}
    assert served == "2", "what was served stays on record"


def test_a_history_made_under_the_rules_of_before_takes_an_acceptance(crowned):
    """The first versions knew three kinds of events, and their tables refuse a fourth."""
    rules = [rule.condition for rule in champion_history_contract(NAME).row_rules]
    old = " AND ".join(f"({rule})" for rule in rules).replace(", 'accepted'", "")
    assert "accepted" not in old
    crowned.lakehouse.table(HISTORY).drop_constraint(constraints.NAME)
    stored = crowned.lakehouse.table(HISTORY)
    assert stored.add_constraint(constraints.NAME, old, {constraints.DECLARED: old})
    accept(crowned, said={"Dagster": f"9:{'0' * 64}"})
    assert history(crowned).head.event == "accepted"
    assert problems(crowned) == []


def test_after_a_loss_a_second_person_approves_whoever_is_named_by_what_is_left(crowned):
    """The gate compares with the champion that is left, and the lost one may have been stronger."""
    restore_first(crowned)
    accept(crowned)
    assert history(crowned).newest.model_version == "1"
    assert history(crowned).awaits_a_person
    run_model_steps(crowned, AUGUST, EASY)
    assert events(crowned) == [("promoted", "1", None)]
    assert read_decisions(crowned.lakehouse, EASY)[-1].outcome == "held"


def test_what_the_command_accepts_is_told_to_dagster_and_intact_after_it(crowned):
    shutil.rmtree(crowned.lakehouse.path(HISTORY))
    told = CliRunner().invoke(app, ["accept", NAME, "--reason", "the folder was deleted"])
    assert told.exit_code == 0, told.output
    assert f"champion of {NAME} is none" in told.output.replace("\n", " ")
    with dg.DagsterInstance.get() as instance:
        assert stated_history(instance, NAME) == history(crowned).statement
    verified = CliRunner().invoke(app, ["history", NAME, "--verify"])
    assert verified.exit_code == 0, verified.output
    listed = CliRunner().invoke(app, ["history", NAME])
    assert "accepted" in listed.output
    again = CliRunner().invoke(app, ["accept", NAME, "--reason", "once more"])
    assert again.exit_code == 1
    assert "there is nothing to accept" in again.output.replace("\n", " ")


def test_a_lakehouse_that_was_restored_as_a_whole_is_intact_once_it_is_accepted(runner, homes):
    """Journals and evaluations were restored with the history, and nobody can undo that."""
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    logs = runner.settings.root.glob("lakehouse/**/_delta_log")
    then = {str(log.parent): DeltaTable(log.parent).version() for log in logs}
    run_model_steps(runner, AUGUST, EASY)
    for path, version in then.items():
        if DeltaTable(path).version() > version:
            restore(path, version)
    rests_on = (HISTORY, DECISION, LOOKS, f"{EVALUATION}[{AUGUST}]")
    broken = examine(context(runner), EASY, {}).broken
    assert {name for name in rests_on for one in broken if one.startswith(name)} > {DECISION, LOOKS}
    told = CliRunner().invoke(app, ["accept", NAME, "--reason", "the backup was put back"])
    assert told.exit_code == 0, told.output
    accepted = history(runner).head.accepted.problems
    assert all(any(name in problem for problem in accepted) for name in rests_on[1:])
    verified = CliRunner().invoke(app, ["history", NAME, "--verify"])
    assert verified.exit_code == 0, verified.output
    assert evaluation_of(MOVED, examine(context(runner), EASY, {})).passed
    run_model_steps(runner, AUGUST, EASY)
    assert problems(runner) == []
    # The next one is another finding, and rows that nobody appended are no commit's to explain.
    restore(str(runner.lakehouse.path(DECISION)), then[str(runner.lakehouse.path(DECISION))])
    [again] = problems(runner)
    assert again.startswith(f"{DECISION}: commit") and again not in accepted
    accept(runner)
    assert problems(runner) == []


def test_the_sensor_waits_for_the_acceptance_and_the_alert_goes_with_it(crowned):
    with dg.DagsterInstance.ephemeral() as instance:

        def tell(facts):
            instance.report_runless_asset_event(statement(HISTORY, facts))

        def broken():
            return alert_facts(instance, crowned.lakehouse, MOVED).history_problems

        tell(stated(history(crowned)))
        shutil.rmtree(crowned.lakehouse.path(HISTORY))
        said = {"Dagster": stated_history(instance, NAME)}
        found = examine(context(crowned), EASY, said)
        instance.report_runless_asset_event(evaluation_of(MOVED, found))
        answer = wanted_retraining(instance, MOVED)
        assert isinstance(answer, dg.SkipReason)
        assert "Dagster states an event 2 that the table does not have" in answer.skip_message
        assert "`finance-assets accept`" in answer.skip_message
        assert len(broken()) == 2, "as Dagster and MLflow state it"

        tell(accept(crowned, said=said).statement)
        found = examine(context(crowned), EASY, {"Dagster": stated_history(instance, NAME)})
        instance.report_runless_asset_event(evaluation_of(MOVED, found))
        assert broken() == ()
        answer = wanted_retraining(instance, MOVED)
        assert "cannot be trusted" not in getattr(answer, "skip_message", "")


def test_only_what_is_missing_can_be_accepted_by_a_person_with_a_reason(crowned, monkeypatch):
    with pytest.raises(ModelError, match="nothing to accept"):
        accept(crowned)
    write_around(crowned, forged(crowned, event="rolled_back", reason="trust me"))
    with pytest.raises(ModelError, match="not as they were recorded"):
        accept(crowned)
    # Put back to before the forgery, it can be.
    restore(history_path(crowned), crowned.lakehouse.history(HISTORY).publications[0].version)
    with pytest.raises(ModelError, match="needs a reason"):
        accept(crowned, reason=" ")
    with monkeypatch.context() as patched:
        patched.setattr(acceptance, "acting_user", lambda ctx: f"{0:08}-0000-0000-0000-{0:012}")
        with pytest.raises(ModelError, match="service principal"):
            accept(crowned)
    accept(crowned)
    assert [event for event, *_ in events(crowned)] == ["promoted", "promoted"]
    assert problems(crowned) == []


def test_an_acceptance_that_changes_the_champion_is_noticed(crowned):
    restore_first(crowned)
    accept(crowned)
    first, second = history(crowned).chain
    for change in ({"model_sha256": "0" * 64}, {"gate_report": "{}"}):
        other = type(second)(**{**asdict(second), **change}).sealed()
        assert chain_problems((first, other)) != []
