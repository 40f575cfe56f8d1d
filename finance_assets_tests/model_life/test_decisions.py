"""What people decide: approving, rolling back; and what they can ask: reproduce, trace, card."""

import json
import shutil
from dataclasses import replace

import pytest
from deltalake import DeltaTable

from finance_assets.compute.runner import open_registry
from finance_assets.errors import LostRaceError, ModelError, SettingsError
from finance_assets.lakehouse.constraints import is_enforced
from finance_assets.ml.gate import Gate
from finance_assets.ml.spec import Approval
from finance_assets.ml.tasks.binary import criteria
from finance_assets.model_life import decision_log, effects, people, rollback
from finance_assets.model_life.approval import approve
from finance_assets.model_life.card_text import render_card
from finance_assets.model_life.cards import gather_card
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.decision_log import log_decision, read_decisions
from finance_assets.model_life.effects import follow_up
from finance_assets.model_life.reproduce import reproduce
from finance_assets.model_life.rollback import roll_back
from finance_assets.steps import decision as decision_step
from finance_assets_tests.model_life.models import (
    CANDIDATE,
    DECISION,
    EVALUATION,
    HISTORY,
    NAME,
    PREDICTIONS,
    aliases,
    champion_at,
    context,
    decided,
    decision,
    events,
    history,
    judge,
    mlflow_client,
    negate_leaves,
    run_model_steps,
)
from finance_assets_tests.model_life.test_model_life import EASY, STRICT
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    CALENDAR,
    FEATURES,
    JULY,
    JUNE,
    LABELS,
    SEPTEMBER,
    deliver_sample,
)

HELD = replace(EASY, approval=Approval.required)


def champions_as_of_june_and_august(runner):
    runner.begin(2000, SEPTEMBER)
    run_model_steps(runner, JUNE, EASY)
    runner.run(PREDICTIONS, JULY)
    run_model_steps(runner, AUGUST, EASY)
    runner.run(PREDICTIONS, AUGUST, SEPTEMBER)


@pytest.fixture
def tables(runner, homes):
    """Tables through September."""
    homes.tables(runner, 2000, SEPTEMBER)
    return runner


@pytest.fixture
def two_champions(runner, homes):
    """v1 as of June, v2 as of August; July to September scored."""
    homes.copy(runner, "two_champions", champions_as_of_june_and_august)
    return runner


@pytest.fixture(scope="module")
def settled(tmp_path_factory, homes):
    """The same, for questions that change nothing."""
    return homes.runner(
        tmp_path_factory.mktemp("home"), "two_champions", champions_as_of_june_and_august
    )


def rolled_back(runner, reason="it is odd", **options):
    ctx = context(runner)
    event = roll_back(ctx, judge(EASY), reason=reason, **options)
    again = (
        [f"{PREDICTIONS}[{SEPTEMBER}] was scored by v2"] if options.get("effective_from") else []
    )
    told = follow_up(ctx, EASY, event)
    assert [problem.split(",")[0] for problem in told] == again
    return event


@pytest.fixture
def ada(monkeypatch):
    """From here on, commands are run by ada."""

    def log_in():
        monkeypatch.setattr(people, "system_user", lambda: "ada")

    return log_in


def approved(runner, version, spec=HELD, **options):
    ctx = context(runner)
    event = approve(ctx, judge(spec), version, reason="read the card", **options)
    assert follow_up(ctx, spec, event) == []
    return event


def test_a_passed_candidate_waits_for_approval_as_challenger(tables, settings, ada):
    run_model_steps(tables, JUNE, HELD)
    assert decision(tables, JUNE) == ("held", [])
    assert aliases(settings) == {"challenger": "1"}
    assert champion_at(tables, JULY) is None
    ada()
    event = approved(tables, "1")
    assert (event.event, event.decided_by, event.reason) == ("approved", "ada", "read the card")
    assert aliases(settings) == {"champion": "1"}
    assert champion_at(tables, JULY) == ("1", JUNE)
    tags = open_registry(settings).version(NAME, "1").tags
    assert (tags["approved_by"], tags["approval_reason"]) == ("ada", "read the card")
    # Running the step again neither asks again nor takes the approval back.
    run_model_steps(tables, JUNE, HELD)
    assert events(tables) == [("approved", "1", None)]
    assert decided(tables) == [("1", "held")]
    assert aliases(settings) == {"champion": "1"}


def test_a_held_candidate_leaves_an_empty_history_to_which_its_approver_only_adds(tables, ada):
    run_model_steps(tables, JUNE, HELD)
    made = tables.lakehouse.table(HISTORY)
    assert made.row_counts() == {}
    assert is_enforced(made, champion_history_contract(NAME))
    ada()
    approved(tables, "1")
    now = tables.lakehouse.table(HISTORY)
    assert now.created_at == made.created_at
    assert [commit.version for commit in now.commits(made.version)] == [made.version + 1]


def test_an_approver_makes_no_table_that_would_be_theirs(tables, ada):
    run_model_steps(tables, JUNE, HELD)
    shutil.rmtree(tables.lakehouse.path(HISTORY))
    ada()
    with pytest.raises(ModelError, match="no person makes its table") as refused:
        approved(tables, "1")
    assert refused.value.remedy.startswith(f"materialise {DECISION} alone")
    assert not tables.lakehouse.table(HISTORY).exists


def test_a_late_approval_leaves_the_months_that_were_scored_before_it_alone(tables, ada):
    run_model_steps(tables, JUNE, EASY)
    run_model_steps(tables, AUGUST, HELD)
    tables.run(PREDICTIONS, JULY, SEPTEMBER)
    ada()
    assert approved(tables, "2").effective_from == "2005-10"
    assert champion_at(tables, SEPTEMBER) == ("1", JUNE)
    assert champion_at(tables, "2005-10") == ("2", AUGUST)
    assert tables.run(PREDICTIONS, JULY, SEPTEMBER).changed == ()


@pytest.mark.parametrize("name", [None, "ROOT", " Root "])
def test_who_trained_a_version_cannot_approve_it(tables, settings, monkeypatch, name):
    run_model_steps(tables, JUNE, HELD)
    trainer = people.system_user()
    # Neither the environment nor another spelling makes another person.
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.setenv("USER", "ada")
    if name:
        monkeypatch.setattr(people, "system_user", lambda: name.replace("ROOT", trainer.upper()))
        name = name.replace("Root", trainer)
        monkeypatch.setattr(people, "system_user", lambda: name)
    with pytest.raises(ModelError, match="cannot approve it"):
        approved(tables, "1")
    assert aliases(settings) == {"challenger": "1"}


def test_editing_the_tag_does_not_hide_who_trained_a_version(tables, settings):
    run_model_steps(tables, JUNE, HELD)
    mlflow_client(settings).set_model_version_tag(NAME, "1", "trained_by", "somebody")
    with pytest.raises(ModelError, match="cannot approve it"):
        approved(tables, "1")


def test_an_altered_model_cannot_be_approved(tables, settings, ada):
    run_model_steps(tables, JUNE, HELD)
    negate_leaves(settings, "1")
    ada()
    with pytest.raises(ModelError, match="not those that the gate judged"):
        approved(tables, "1")
    assert events(tables) == []


@pytest.mark.parametrize(
    ("spec", "word"), [(STRICT, "turned_down: discrimination"), (EASY, "was «promoted»|already")]
)
def test_nothing_but_a_held_candidate_can_be_approved(tables, spec, word, ada):
    run_model_steps(tables, JUNE, spec)
    known = events(tables)
    ada()
    with pytest.raises(ModelError, match=word):
        approved(tables, "1")
    with pytest.raises(ModelError, match="nobody judged it"):
        approved(tables, "7")
    assert events(tables) == known


def test_of_two_held_candidates_the_second_is_judged_anew_against_the_first(tables, ada):
    run_model_steps(tables, JUNE, HELD)
    run_model_steps(tables, AUGUST, HELD)
    ada()
    assert approved(tables, "1").replaces is None
    assert [v for v, _ in decided(tables)] == ["1", "2"]
    event = approved(tables, "2")
    assert (event.replaces, event.report.champion_version) == ("1", "1")
    assert decided(tables) == [("1", "held"), ("2", "held"), ("2", "held")]
    assert history(tables).problems == ()


def test_a_held_candidate_that_is_no_better_than_todays_champion_is_turned_down_on_approval(
    tables, ada
):
    strict = replace(
        HELD,
        gate=Gate(
            tuple(
                criteria.BeatsChampion(min_gain=0.05) if c.name == "beats_champion" else c
                for c in HELD.gate.criteria
            )
        ),
    )
    run_model_steps(tables, JUNE, strict)
    run_model_steps(tables, AUGUST, strict)
    ada()
    approved(tables, "2", spec=strict)
    with pytest.raises(ModelError, match="does not pass any more: .*beats_champion"):
        approved(tables, "1", spec=strict)
    assert decided(tables)[-1] == ("1", "turned_down")
    assert champion_at(tables, "2005-10") == ("2", AUGUST)


def test_a_rollback_holds_for_new_partitions_and_leaves_the_past_alone(two_champions, settings):
    before = two_champions.rows(PREDICTIONS)
    event = rolled_back(two_champions)
    assert (event.replaces, event.model_version) == ("2", "1")
    assert event.effective_from == "2005-10"
    assert champion_at(two_champions, SEPTEMBER) == ("2", AUGUST)
    assert champion_at(two_champions, "2005-10") == ("1", JUNE)
    assert aliases(settings) == {"champion": "1", "previous": "2"}
    assert two_champions.run(PREDICTIONS, JULY, SEPTEMBER).changed == ()
    assert two_champions.rows(PREDICTIONS) == before


def test_a_second_rollback_brings_the_first_one_back_and_the_history_reads_right(
    two_champions, settings
):
    rolled_back(two_champions, reason="scores look odd")
    rolled_back(two_champions, reason="it was the data")
    told = [(e.event, e.replaces, e.model_version, e.reason) for e in history(two_champions).events]
    assert told == [
        ("promoted", None, "1", "every criterion passed"),
        ("promoted", "1", "2", "every criterion passed"),
        ("rolled_back", "2", "1", "scores look odd"),
        ("rolled_back", "1", "2", "it was the data"),
    ]
    assert aliases(settings) == {"champion": "2", "previous": "1"}


def test_a_month_that_is_scored_after_a_rollback_uses_it_at_once(two_champions):
    rolled_back(two_champions, effective_from=SEPTEMBER)
    result = two_champions.run(PREDICTIONS, SEPTEMBER)
    assert result.changed == (SEPTEMBER,)
    scored = {r["statement_month"]: r["model_version"] for r in two_champions.rows(PREDICTIONS)}
    assert scored == {JULY: "1", AUGUST: "1", SEPTEMBER: "1"}


@pytest.mark.parametrize(
    "start", ["2050-10", "2005-11", JUNE, "2000-01", "2005-13", "zzz", "", "2005-08'"]
)
def test_a_rollback_to_a_partition_that_cannot_be_is_refused(settled, start):
    with pytest.raises((ModelError, SettingsError), match="cannot take effect|no partition"):
        rolled_back(settled, effective_from=start)
    assert len(events(settled)) == 2


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_rollback_without_a_reason_is_refused(settled, reason):
    with pytest.raises(ModelError, match="needs a reason"):
        rolled_back(settled, reason=reason)
    assert len(events(settled)) == 2


def test_a_rollback_to_what_never_was_champion_is_refused(two_champions):
    with pytest.raises(ModelError, match="nothing to roll back to"):
        rolled_back(two_champions, to="2")
    run_model_steps(two_champions, JULY, STRICT)
    with pytest.raises(ModelError, match="never champion"):
        rolled_back(two_champions, to="3")
    assert len(events(two_champions)) == 2


def test_a_rollback_from_an_earlier_partition_is_superseded_by_a_later_event(two_champions):
    rolled_back(two_champions, effective_from=AUGUST)
    assert champion_at(two_champions, SEPTEMBER) == ("1", JUNE)
    # Back to v2, which scored September: nothing is to be scored again.
    ctx = context(two_champions)
    event = roll_back(ctx, judge(EASY), reason="it was not", effective_from=SEPTEMBER)
    assert follow_up(ctx, EASY, event) == []
    assert champion_at(two_champions, AUGUST) == ("1", JUNE)
    assert champion_at(two_champions, SEPTEMBER) == ("2", AUGUST)
    assert history(two_champions).problems == ()


def test_who_expects_another_champion_is_told_that_somebody_was_first(two_champions):
    rolled_back(two_champions, expect="2")
    with pytest.raises(ModelError, match="the champion is v1 now, not v2: somebody was first"):
        rolled_back(two_champions, expect="2")
    assert len(events(two_champions)) == 3


def test_a_rollback_that_lost_a_race_writes_nothing(two_champions, monkeypatch):

    real = rollback.usable

    def while_another_decides(*given):
        monkeypatch.setattr(rollback, "usable", real)
        rolled_back(two_champions, reason="the other was quicker")
        return real(*given)

    monkeypatch.setattr(rollback, "usable", while_another_decides)
    with pytest.raises(LostRaceError):
        rolled_back(two_champions, reason="too late")
    assert [e.reason for e in history(two_champions).events][-1] == "the other was quicker"
    assert history(two_champions).problems == ()


def test_a_rollback_whose_card_fails_is_recorded_all_the_same(two_champions, settings, monkeypatch):

    def burst(*given):
        raise OSError("no space left")

    monkeypatch.setattr(effects, "write_card", burst)
    ctx = context(two_champions)
    event = roll_back(ctx, judge(EASY), reason="odd")
    assert "no space left" in "".join(follow_up(ctx, EASY, event))
    assert aliases(settings) == {"champion": "1", "previous": "2"}
    assert champion_at(two_champions, "2005-10") == ("1", JUNE)


def test_rolling_back_to_an_altered_model_is_refused(two_champions, settings):
    for model in (settings.root / "mlflow" / "artifacts").rglob("model.json"):
        model.write_text(model.read_text() + "\n")
    with pytest.raises(ModelError, match="not the one that was registered"):
        rolled_back(two_champions)
    assert aliases(settings)["champion"] == "2"


def reproduced(runner, version="2", spec=EASY, calendar=CALENDAR):
    ctx = context(runner)
    return reproduce(ctx, spec, calendar, ctx.registry.version(NAME, version))


def test_a_version_is_reproduced_to_the_byte_from_its_record(settled):
    result = reproduced(settled)
    assert result.is_reproduced
    same = {c.what for c in result.comparisons if c.is_same}
    assert {"training rows", "model (sha256)", "2000 holdout predictions (sha256)"} <= same
    assert {"holdout auc", "holdout brier", "library", "code"} <= same


def test_a_version_without_recorded_metrics_is_not_called_reproduced(two_champions):
    shutil.rmtree(two_champions.lakehouse.path(EVALUATION))
    result = reproduced(two_champions)
    assert not result.is_reproduced
    assert "no metrics" in result.obstacles[0]


def test_a_version_is_reproduced_though_another_candidate_took_its_place_in_the_table(
    two_champions,
):
    run_model_steps(two_champions, AUGUST, replace(EASY, rounds=30))
    assert reproduced(two_champions, "2").is_reproduced


def test_a_version_is_reproduced_though_its_data_was_restated_since(two_champions, settings):
    deliver_sample(settings.landing, 1500, [APRIL])
    two_champions.run_tables(APRIL, JUNE)
    assert reproduced(two_champions).is_reproduced


@pytest.mark.parametrize(
    ("declared", "calendar", "is_possible"),
    [
        ({"holdout_partitions": 2}, CALENDAR, True),
        ({"label_lag": 2}, CALENDAR, True),
        ({"warm_up_partitions": 3}, CALENDAR, False),
        ({}, replace(CALENDAR, first=JUNE), True),
    ],
)
def test_a_version_is_reproduced_from_the_windows_of_its_record_whatever_is_declared_now(
    settled, declared, calendar, is_possible
):
    result = reproduced(settled, spec=replace(EASY, **declared), calendar=calendar)
    assert result.is_reproduced
    [now] = [c for c in result.comparisons if c.what.startswith("declared recipe")]
    assert not now.is_same
    assert now.found.startswith("none: ") is not is_possible


def made_anew(runner):
    """The tables that models learn from, deleted and run again: their versions count alike."""
    for table in (FEATURES, LABELS):
        shutil.rmtree(runner.lakehouse.path(table))
    runner.run_tables(APRIL, SEPTEMBER)


def trained_from(runner, number):
    return context(runner).registry.version(NAME, number).tags["dataset_version"]


def test_other_rows_at_the_same_versions_make_another_candidate_and_are_named_as_the_obstacle(
    two_champions, settings
):
    deliver_sample(settings.landing, 1990, [APRIL])
    made_anew(two_champions)
    run_model_steps(two_champions, AUGUST, EASY, keys=(CANDIDATE,))
    assert trained_from(two_champions, "3") == trained_from(two_champions, "2")
    result = reproduced(two_champions)
    assert not result.is_reproduced
    assert [o.partition(" holds")[0].split()[-1] for o in result.obstacles] == [FEATURES, LABELS]
    assert "made anew" in result.obstacles[0]


def test_the_same_rows_in_tables_made_anew_are_what_a_version_was_trained_on(two_champions):
    made_anew(two_champions)
    run_model_steps(two_champions, AUGUST, EASY, keys=(CANDIDATE,))
    known = context(two_champions).registry.versions(NAME)
    assert sorted(version.number for version in known) == ["1", "2"]
    assert reproduced(two_champions).is_reproduced


def test_data_that_was_vacuumed_is_named_as_the_obstacle(two_champions, settings):
    deliver_sample(settings.landing, 1500, [APRIL])
    two_champions.run_tables(APRIL, JUNE)
    table = DeltaTable(str(two_champions.lakehouse.path(FEATURES)))
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    result = reproduced(two_champions)
    assert not result.is_reproduced
    [obstacle] = result.obstacles
    assert "vacuumed" in obstacle
    assert FEATURES in obstacle


def test_what_differs_is_named(settled, monkeypatch):
    from finance_assets.model_life import reproduce as reproduction

    real = reproduction.train
    monkeypatch.setattr(
        reproduction, "train", lambda recipe, rows: real(replace(recipe, rounds=10), rows)
    )
    monkeypatch.setitem(settled.settings.__dict__, "code_sha", "another")
    result = reproduced(settled)
    differing = {c.what for c in result.comparisons if not c.is_same}
    assert {"model (sha256)", "holdout auc", "code"} <= differing
    assert not result.is_reproduced


def test_every_judged_version_has_a_model_card_that_says_what_became_of_it(two_champions, settings):
    run_model_steps(two_champions, JULY, STRICT)
    client, registry = mlflow_client(settings), open_registry(settings)
    expected = {"1": "Former champion", "2": "Champion from", "3": "Turned down by the gate"}
    for number, status in expected.items():
        version = registry.version(NAME, number)
        listed = {f.path for f in client.list_artifacts(version.run_id, "model_card")}
        assert listed == {"model_card/model_card.md", "model_card/model_card.json"}
        ctx = context(two_champions)
        text = render_card(gather_card(ctx, EASY, version))
        assert f"# Model card: {NAME} v{number}" in text
        assert f"**{status}" in text
        for heading in ("Purpose", "Data", "Conceptual soundness", "Outcome", "Limitations"):
            assert heading in text
    stored = json.loads(registry._text(registry.version(NAME, "3"), "model_card/model_card.json"))
    failed = [verdict["name"] for verdict in stored["gate"] if not verdict["is_passed"]]
    assert "discrimination" in failed
    for image in ("roc", "calibration", "lift", "importance"):
        listed = {
            f.path for f in client.list_artifacts(registry.version(NAME, "2").run_id, "plots")
        }
        assert f"plots/{image}.png" in listed


def test_the_step_shows_the_card_and_states_the_champion(two_champions):
    result = run_model_steps(two_champions, AUGUST, EASY, (DECISION,))
    assert result.documents["model_card"].startswith(f"# Model card: {NAME} v2")
    assert result.metadata["model_card_page"].startswith("http")
    newest = history(two_champions).newest
    said = {
        "champion_version": "2",
        "champion_digest": newest.digest,
        "crowned": ["1", "2"],
        "as_of": AUGUST,
        "is_baseline": False,
        "event": "promoted",
        "effective_from": newest.effective_from,
        "accepted_at": "",
        "lost_at": "",
        "statement": history(two_champions).statement,
    }
    assert result.stated == {HISTORY: {NAME: said}}


def test_the_step_states_what_a_person_decided_while_it_followed_up(two_champions, monkeypatch):
    real = decision_step.write_card

    def while_a_person_decides(*given):
        rolled_back(two_champions)
        return real(*given)

    monkeypatch.setattr(decision_step, "write_card", while_a_person_decides)
    result = run_model_steps(two_champions, AUGUST, EASY, (DECISION,))
    [said] = result.stated[HISTORY].values()
    assert (said["event"], said["champion_version"]) == ("rolled_back", "1")
    assert said["statement"] == history(two_champions).statement


def test_the_newest_decision_is_the_one_recorded_last_whatever_the_clock_said(
    tables, monkeypatch, ada
):
    run_model_steps(tables, JUNE, HELD)
    [held] = read_decisions(tables.lakehouse, HELD)
    failed = replace(held, outcome="turned_down", failed_criteria="discrimination")
    with monkeypatch.context() as patched:
        patched.setattr(decision_log, "now", lambda: "2001-01-01T00:00:00+00:00")
        assert log_decision(context(tables), HELD, failed)
    assert not log_decision(context(tables), HELD, failed), "it says the same"
    assert decided(tables) == [("1", "held"), ("1", "turned_down")]
    ada()
    with pytest.raises(ModelError, match="turned_down: discrimination"):
        approved(tables, "1")
    # Since a history was accepted that lost its champion, nothing is a repetition of before.
    assert log_decision(context(tables), HELD, failed, since=decision_log.now())
