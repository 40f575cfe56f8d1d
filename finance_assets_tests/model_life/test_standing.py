"""A decision rests on what measuring would say now: as is declared today, of the rows of today."""

import csv
import io
from dataclasses import replace

import pytest

from finance_assets.errors import ModelError
from finance_assets.lakehouse.history import Publication
from finance_assets.lakehouse.homes import FolderHome
from finance_assets.lakehouse.publish import Origin
from finance_assets.ml.registry import ModelRegistry
from finance_assets.ml.spec import Approval, ProtectedAttribute
from finance_assets.model_life import judging, measuring, people, standing
from finance_assets.model_life.approval import approve
from finance_assets.model_life.inputs import evaluation_inputs
from finance_assets.step.lineage import read_inputs
from finance_assets.steps import training
from finance_assets_tests.counting import counted
from finance_assets_tests.model_life.models import (
    CANDIDATE,
    DECISION,
    EVALUATION,
    context,
    decision,
    events,
    judge,
    run_model_steps,
)
from finance_assets_tests.model_life.test_model_life import EASY
from finance_assets_tests.scenario import (
    APRIL,
    CALENDAR,
    DELIVERY,
    FEATURES,
    JUNE,
    MAY,
    TABLE_STEPS,
    deliver_bytes,
    deliver_sample,
    shipped,
)

ACCOUNTS = 2000
HELD = replace(EASY, approval=Approval.required)
# Whoever pays late is flagged, so nobody who asks for this group passes the gate.
LATE = ProtectedAttribute("lateness", "CASE WHEN pay_status >= 2 THEN 'late' ELSE 'in time' END")
BY_LATENESS = replace(HELD.protected, attributes=(*HELD.protected.attributes, LATE))


@pytest.fixture
def held(runner, homes, monkeypatch):
    """v1 as of June is held for approval; from here on, commands are run by ada."""

    def make(home):
        deliver_sample(home.settings.landing, ACCOUNTS)
        home.run_tables(APRIL, JUNE)
        run_model_steps(home, JUNE, HELD)

    homes.copy(runner, "held_as_of_june", make)
    assert decision(runner, JUNE) == ("held", [])
    monkeypatch.setitem(runner.settings.__dict__, "code_sha", "test")
    monkeypatch.setattr(people, "system_user", lambda: "ada")
    return runner


@pytest.fixture
def measured(monkeypatch):
    """What a decision measured by itself, because nothing that was stored stands."""
    found, real = [], judging.measure_and_publish

    def counted(ctx, spec, contests):
        found.extend(one.candidate.number for one in contests)
        return real(ctx, spec, contests)

    monkeypatch.setattr(judging, "measure_and_publish", counted)
    return found


@pytest.fixture
def opened(monkeypatch):
    """How often each table was opened."""
    return counted(monkeypatch, FolderHome, "open", lambda home, table, session: table)


def approved(runner, spec=HELD):
    return approve(context(runner), judge(spec), "1", reason="read the card")


def sex_by_lateness(runner):
    """Deliver May anew, where only the sex is another: whoever pays late is a man."""
    sex, late = DELIVERY.header.index("sex_code"), DELIVERY.header.index("pay_status")
    rows = [list(row) for row in shipped(MAY, ACCOUNTS)]
    for row in rows:
        row[sex] = "1" if int(row[late]) >= 2 else "2"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(DELIVERY.header), *rows])
    deliver_bytes(runner.settings.landing, MAY, text.getvalue().encode())
    before = runner.rows(FEATURES)
    runner.run_tables(APRIL, JUNE)
    assert runner.rows(FEATURES) == before


def test_what_is_as_it_was_measured_is_not_measured_again(held, measured):
    run_model_steps(held, JUNE, HELD, (DECISION,))
    approved(held)
    assert measured == []
    assert events(held) == [("approved", "1", None)]


def test_judging_opens_each_table_once(held, opened):
    approved(held)
    assert [step.key for step in TABLE_STEPS if opened[step.key] > 1] == []
    assert opened[FEATURES] == 1


def correct_may(runner):
    """Another delivery of May, and all that is made of it."""
    rows = [list(row) for row in shipped(MAY, ACCOUNTS)]
    place = DELIVERY.header.index("bill_ntd")
    for row in rows:
        row[place] = str(int(float(row[place])) + 777)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(DELIVERY.header), *rows])
    deliver_bytes(runner.settings.landing, MAY, text.getvalue().encode())
    runner.run_tables(MAY, JUNE)


@pytest.fixture
def corrected_meanwhile(held, monkeypatch):
    """May is corrected while a judgement has looked for an evaluation, and does not go on yet."""
    real = judging.standing_evaluation

    def between(*given):
        found = real(*given)
        correct_may(held)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(judging, "standing_evaluation", between)
        yield held


def test_what_is_measured_is_recorded_as_made_of_the_rows_that_were_measured(corrected_meanwhile):
    with pytest.raises(ModelError):
        approved(corrected_meanwhile, replace(HELD, protected=BY_LATENESS))
    lakehouse = corrected_meanwhile.lakehouse
    recorded = lakehouse.history(EVALUATION).in_force(JUNE).made_from[JUNE]
    inputs = evaluation_inputs(HELD)
    assert recorded == read_inputs(lakehouse, inputs, CALENDAR.window(JUNE)).made_from[JUNE]


def corrected_before(held, monkeypatch, reads):
    """May is corrected once a step has looked its inputs up, and before it reads them."""
    real = reads.labelled_rows

    def corrected(*given):
        correct_may(held)
        return real(*given)

    monkeypatch.setattr(reads, "labelled_rows", corrected)


def test_rows_that_are_corrected_before_they_are_read_are_measured_as_they_were(held, monkeypatch):
    inputs, window = evaluation_inputs(HELD), CALENDAR.window(JUNE)
    before = read_inputs(held.lakehouse, inputs, window).made_from[JUNE]
    figures = figures_of(held.lakehouse.history(EVALUATION).stored)
    corrected_before(held, monkeypatch, measuring)
    run_model_steps(held, JUNE, HELD, keys=(EVALUATION,))
    assert held.lakehouse.history(EVALUATION).in_force(JUNE).made_from[JUNE] == before
    assert figures_of(held.lakehouse.history(EVALUATION).stored) == figures


def test_rows_that_are_corrected_before_they_are_read_are_learned_as_they_were(held, monkeypatch):
    [before] = held.rows(CANDIDATE)
    monkeypatch.setattr(ModelRegistry, "find", lambda *_: None)
    corrected_before(held, monkeypatch, training)
    run_model_steps(held, JUNE, HELD, keys=(CANDIDATE,))
    [after] = held.rows(CANDIDATE)
    assert after["model_version"] != before["model_version"]
    for name in ("dataset_version", "artifact_sha256", "train_outcomes"):
        assert after[name] == before[name]


def figures_of(table):
    """What the stored evaluation measured of the candidate."""
    rows = table.rows(where="role = 'candidate' AND value IS NOT NULL")
    return sorted((row["segment"], row["metric"], row["value"]) for row in rows)


def test_what_is_corrected_meanwhile_is_no_fault_of_what_was_there(
    corrected_meanwhile, monkeypatch
):
    """As if it had been corrected a moment later: nothing of it is half old and half new."""
    found, real = [], judging.input_problems

    def seen(*given):
        found.append(real(*given))
        return found[-1]

    monkeypatch.setattr(judging, "input_problems", seen)
    approved(corrected_meanwhile)
    assert [name for name, problems in found[0].items() if problems] == []
    assert events(corrected_meanwhile)[-1][0] == "approved"


def test_a_group_that_was_declared_since_is_judged_before_anybody_approves(held, measured):
    with pytest.raises(ModelError, match="does not pass any more: fairness"):
        approved(held, replace(HELD, protected=BY_LATENESS))
    assert (measured, events(held)) == (["1"], [])


def test_other_costs_are_measured_before_anybody_approves(held, measured):
    costs = replace(HELD.task.costs, missed_bad=6.0)
    approved(held, replace(HELD, task=replace(HELD.task, costs=costs)))
    assert measured == ["1"]


def test_attributes_that_were_corrected_since_are_judged_before_anybody_approves(held, measured):
    sex_by_lateness(held)
    with pytest.raises(ModelError, match="does not pass any more: fairness"):
        approved(held)
    assert (measured, events(held)) == (["1"], [])


def test_a_decision_run_alone_measures_what_was_declared_since_and_then_rests_on_it(held, measured):
    spec = replace(HELD, protected=BY_LATENESS)
    for _ in range(2):
        run_model_steps(held, JUNE, spec, (DECISION,))
        assert decision(held, JUNE) == ("turned_down", ["fairness"])
    assert measured == ["1"]


def test_other_code_measures_anew_and_a_new_evaluation_stands(held, measured, monkeypatch):
    monkeypatch.setitem(held.settings.__dict__, "code_sha", "another")
    run_model_steps(held, JUNE, HELD, (DECISION,))
    assert measured == ["1"]
    assert decision(held, JUNE) == ("held", [])
    spec = replace(HELD, rounds=HELD.rounds + 1)
    run_model_steps(held, JUNE, spec, (CANDIDATE, EVALUATION, DECISION))
    assert measured == ["1"]


@pytest.mark.parametrize(
    ("then", "now", "is_same"),
    [
        ("0123456789ab", "0123456789ab", True),
        # A bundle tells the whole commit, a checkout the beginning of it.
        ("0123456789abcdef0123", "0123456789ab", True),
        ("0123456789ab", "ba9876543210", False),
        ("0123456789ab-dirty", "0123456789ab-dirty", False),
        ("0123456789ab", "0123456789ab-dirty", False),
        ("0123456789ab-dirty", "0123456789ab", False),
        ("unknown", "unknown", False),
    ],
)
def test_code_without_a_commit_is_the_same_only_within_a_run(then, now, is_same):
    known = Publication("t", "p", "p", {}, {}, {}, run_id="one", code_sha=then)
    assert standing.is_same_code(known, Origin("another", now)) is is_same
    assert standing.is_same_code(known, Origin("one", now)) is (is_same or then == now)
