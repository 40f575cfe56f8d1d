"""Orders of operations around a champion: again, late, as of an old month, two at once."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from deltalake import DeltaTable, write_deltalake

from finance_assets.errors import GoneError, ModelError
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.criteria.provenance import Signature
from finance_assets.ml.gate import Gate
from finance_assets.ml.spec import Approval
from finance_assets.model_life import judging
from finance_assets.model_life.decision_log import read_decisions
from finance_assets.model_life.effects import follow_up
from finance_assets.model_life.rollback import roll_back
from finance_assets.model_life.verification import verify
from finance_assets_tests.model_life.models import (
    CANDIDATE,
    DECISION,
    EVALUATION,
    LOOKS,
    NAME,
    PREDICTIONS,
    champion_at,
    context,
    decided,
    decision,
    events,
    history,
    judge,
    mlflow_client,
    model_files,
    negate_leaves,
    run_model_steps,
)
from finance_assets_tests.model_life.test_decisions import champions_as_of_june_and_august
from finance_assets_tests.model_life.test_model_life import EASY, STRICT
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    BRONZE,
    HEADER,
    JULY,
    JUNE,
    MODEL,
    SEPTEMBER,
    SILVER,
    Statement,
    deliver,
    deliver_sample,
    shipped,
)

OCTOBER = "2005-10"
HELD = replace(EASY, approval=Approval.required)
# Much like the one that shipped, and another model all the same.
ALIKE = 120
PROMOTED_TWICE = [("promoted", "1", None), ("promoted", "2", "1")]


@pytest.fixture
def two_champions(runner, homes):
    """v1 as of June, v2 as of August; July to September scored."""
    homes.copy(runner, "two_champions", champions_as_of_june_and_august)
    return runner


def rolled_back(runner):
    ctx = context(runner)
    assert follow_up(ctx, EASY, roll_back(ctx, judge(EASY), reason="it is odd")) == []


def intact(runner):
    return verify(context(runner), EASY, {}) == []


def test_a_candidate_that_is_turned_down_changes_no_champion(two_champions):
    run_model_steps(two_champions, AUGUST, replace(STRICT, rounds=12))
    assert decided(two_champions)[-1] == ("3", "turned_down")
    assert events(two_champions) == PROMOTED_TWICE
    assert champion_at(two_champions, SEPTEMBER) == ("2", AUGUST)
    assert champion_at(two_champions, OCTOBER) == ("2", AUGUST)
    assert intact(two_champions)


def test_a_candidate_that_waits_changes_no_champion(two_champions):
    run_model_steps(two_champions, AUGUST, replace(HELD, rounds=ALIKE))
    assert decided(two_champions)[-1] == ("3", "held")
    assert events(two_champions) == PROMOTED_TWICE


def test_a_candidate_that_is_turned_down_later_does_not_undo_a_rollback(two_champions):
    rolled_back(two_champions)
    run_model_steps(two_champions, AUGUST, replace(STRICT, rounds=12))
    assert events(two_champions) == [*PROMOTED_TWICE, ("rolled_back", "1", "2")]
    assert champion_at(two_champions, OCTOBER) == ("1", JUNE)
    assert champion_at(two_champions, SEPTEMBER) == ("2", AUGUST)
    # Nor does deciding once more on the candidate that was rolled back.
    run_model_steps(two_champions, AUGUST, EASY, (CANDIDATE, EVALUATION, DECISION))
    assert champion_at(two_champions, OCTOBER) == ("1", JUNE)
    assert intact(two_champions)


def test_a_decision_alone_after_a_late_redelivery_changes_no_champion(two_champions):
    deliver_sample(two_champions.settings.landing, 1900, [APRIL])
    two_champions.run_tables(APRIL, SEPTEMBER)
    for month in (JUNE, AUGUST):
        run_model_steps(two_champions, month, EASY, (DECISION,))
    assert events(two_champions) == PROMOTED_TWICE


def test_a_candidate_is_compared_with_the_champion_that_it_would_replace(two_champions):
    run_model_steps(two_champions, AUGUST, replace(EASY, rounds=ALIKE))
    last = history(two_champions).newest
    assert (last.model_version, last.replaces, last.report.champion_version) == ("3", "2", "2")


def test_evaluations_that_were_altered_or_never_published_are_found_by_one_look_at_all_of_them(
    two_champions, monkeypatch
):
    looks, real = [], Lakehouse.read

    def looking(lakehouse, contract, *given):
        looks.append(contract.table)
        return real(lakehouse, contract, *given)

    monkeypatch.setattr(Lakehouse, "read", looking)
    assert intact(two_champions)
    assert looks.count(EVALUATION) == 1
    place = str(two_champions.lakehouse.path(EVALUATION))
    rows = DeltaTable(place).to_pandas()
    august = rows[rows["as_of"] == AUGUST].reset_index(drop=True)
    raised = august.assign(value=august["value"] + 0.1)
    write_deltalake(place, raised, mode="overwrite", predicate=f"as_of = '{AUGUST}'")
    write_deltalake(place, august.assign(as_of=OCTOBER), mode="append")
    newest = two_champions.lakehouse.history(EVALUATION).version
    assert verify(context(two_champions), EASY, {}) == [
        f"{EVALUATION}[{month}]: the rows are not the published ones since commit {commit}, which was "
        "made around us"
        for month, commit in ((AUGUST, newest - 1), (OCTOBER, newest))
    ]


def test_a_retraining_as_of_an_old_month_takes_effect_where_nobody_scored_yet(two_champions):
    before = two_champions.rows(PREDICTIONS)
    run_model_steps(two_champions, AUGUST, replace(EASY, rounds=ALIKE))
    last = history(two_champions).newest
    assert (last.as_of, last.effective_from, last.replaces) == (AUGUST, OCTOBER, "2")
    assert champion_at(two_champions, SEPTEMBER) == ("2", AUGUST)
    assert two_champions.run(PREDICTIONS, JULY, SEPTEMBER).changed == ()
    assert two_champions.rows(PREDICTIONS) == before


def test_a_first_champion_as_of_a_later_month_is_not_replaced_uncompared(runner, homes):
    homes.tables(runner, 2000, SEPTEMBER)
    run_model_steps(runner, AUGUST, EASY)
    run_model_steps(runner, JUNE, EASY)
    judged = read_decisions(runner.lakehouse, EASY)
    assert [d.champion_version for d in judged] == [None, "1"]
    assert {e.effective_from for e in history(runner).events} == {SEPTEMBER}


def test_a_candidate_that_lost_a_race_is_judged_anew_against_the_winner(two_champions, monkeypatch):
    real, calls = judging.crown, []

    def overtaken(ctx, spec, crowning, *rest):
        calls.append(crowning.report.champion_version)
        if len(calls) == 1:
            rolled_back(two_champions)
        return real(ctx, spec, crowning, *rest)

    monkeypatch.setattr(judging, "crown", overtaken)
    run_model_steps(two_champions, AUGUST, replace(EASY, rounds=ALIKE))
    assert calls == ["2", "1"]
    assert events(two_champions)[2:] == [("rolled_back", "1", "2"), ("promoted", "3", "1")]
    assert intact(two_champions)


def test_two_retrainings_at_once_end_in_one_order_that_both_were_compared_in(runner, homes):
    homes.tables(runner, 2000, SEPTEMBER)
    for month in (JUNE, AUGUST):
        run_model_steps(runner, month, EASY, (CANDIDATE, EVALUATION))

    def decide(month):
        return run_model_steps(runner, month, EASY, (DECISION,))

    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(decide, (JUNE, AUGUST)))) == 2
    first, *others = history(runner).events
    assert (first.replaces, first.report.champion_version) == (None, None)
    judged = {
        d.candidate_version: d.champion_version for d in read_decisions(runner.lakehouse, EASY)
    }
    loser = next(number for number in ("1", "2") if number != first.model_version)
    assert judged == {first.model_version: None, loser: first.model_version}
    assert [event.replaces for event in others] in ([], [first.model_version])
    assert intact(runner)


def test_every_look_at_a_holdout_is_counted_once(two_champions):
    def looks():
        return [(r["as_of"], r["number"]) for r in two_champions.rows(LOOKS, "recorded_at")]

    assert looks() == [(JUNE, 1), (AUGUST, 1)]
    for seed in (1, 2):
        other = replace(STRICT, params={**STRICT.params, "reg_alpha": seed / 100})
        result = run_model_steps(two_champions, AUGUST, other, (CANDIDATE, EVALUATION))
        assert result.metadata["look_at_holdout"] == seed + 1
        again = run_model_steps(two_champions, AUGUST, other, (EVALUATION,))
        assert again.metadata["look_at_holdout"] == seed + 1
    assert looks() == [(JUNE, 1), (AUGUST, 1), (AUGUST, 2), (AUGUST, 3)]
    assert looks()[-1][1] == max(
        row["value"]
        for row in two_champions.rows(EVALUATION)
        if (row["as_of"], row["metric"]) == (AUGUST, "look")
    )


def test_overwritten_evaluation_rows_are_measured_anew_by_the_decision(two_champions):
    from deltalake import DeltaTable, write_deltalake

    weak = replace(STRICT, rounds=12)
    run_model_steps(two_champions, AUGUST, weak, (CANDIDATE, EVALUATION))
    path = str(two_champions.lakehouse.path(EVALUATION))
    rows = DeltaTable(path).to_pandas()
    for name in DeltaTable(path).metadata().configuration:
        if name.startswith("delta.constraints."):
            DeltaTable(path).alter.drop_constraint(name.split(".")[-1])
    is_auc = rows["metric"] == "auc"
    honest = rows.loc[(rows["as_of"] == AUGUST) & is_auc, "value"].max()
    rows.loc[(rows["role"] == "candidate") & is_auc, "value"] = 0.9999
    write_deltalake(path, rows, mode="overwrite")
    run_model_steps(two_champions, AUGUST, weak, (DECISION,))
    assert decided(two_champions)[-1] == ("3", "turned_down")
    assert events(two_champions) == PROMOTED_TWICE
    measured = [r for r in two_champions.rows(EVALUATION) if r["as_of"] == AUGUST]
    assert max(r["value"] for r in measured if r["metric"] == "auc") == honest


def test_a_champion_whose_files_are_gone_is_replaced_and_the_report_says_so(two_champions):
    for file in model_files(two_champions.settings, "2"):
        file.unlink()
    run_model_steps(two_champions, AUGUST, replace(EASY, rounds=ALIKE))
    last = history(two_champions).newest
    assert (last.event, last.model_version, last.replaces) == ("promoted", "3", "2")
    said = {verdict.name: verdict.observed for verdict in last.report.verdicts}
    assert "gone" in said["beats_champion"]


GONE = "payment_ratio"
WORDS = {name: said for name, said in EASY.task.reasons.words.items() if name != GONE}
WITHOUT = replace(
    EASY,
    rounds=ALIKE,
    features=replace(
        EASY.features, columns=tuple(c for c in EASY.features.columns if c.name != GONE)
    ),
    feature_names=tuple(name for name in EASY.feature_names if name != GONE),
    task=replace(EASY.task, reasons=replace(EASY.task.reasons, words=WORDS)),
)


def test_where_a_column_of_the_champion_is_gone_all_are_told_which_and_what_to_do(two_champions):
    with pytest.raises(ModelError, match=f"v2 takes {GONE}, and") as caught:
        run_model_steps(two_champions, SEPTEMBER, WITHOUT, (PREDICTIONS,))
    assert "until a candidate without them is champion" in caught.value.remedy
    run_model_steps(two_champions, AUGUST, WITHOUT)
    outcome, failed = decision(two_champions, AUGUST)
    assert outcome == "turned_down"
    assert {"beats_champion", "signature"} <= set(failed)
    report = read_decisions(two_champions.lakehouse, MODEL)[-1].gate_report
    assert f"v2 takes {GONE}" in report
    assert "declared_change" in report


def test_a_champion_whose_column_is_declared_to_be_gone_is_replaced(two_champions):
    changed = Signature(declared_change="The processor does not deliver it.")
    others = (one for one in WITHOUT.gate.criteria if one.name != changed.name)
    declared = replace(WITHOUT, gate=Gate((*others, changed)))
    run_model_steps(two_champions, AUGUST, declared)
    last = history(two_champions).newest
    assert (last.event, last.model_version, last.replaces) == ("promoted", "3", "2")
    said = {verdict.name: verdict.observed for verdict in last.report.verdicts}
    assert f"{GONE}, which it takes, are gone: The processor" in said["beats_champion"]
    # Nor does a rollback bring one back that nothing could be scored with.
    with pytest.raises(ModelError, match=f"v2 takes {GONE}, and"):
        roll_back(context(two_champions), judge(declared), reason="it is odd")
    assert history(two_champions).newest == last


def test_a_champion_whose_files_were_altered_is_not_replaced(two_champions):
    negate_leaves(two_champions.settings, "2")
    run_model_steps(two_champions, AUGUST, replace(EASY, rounds=ALIKE))
    assert decided(two_champions)[-1][1] == "turned_down"
    assert events(two_champions) == PROMOTED_TWICE


def test_a_champion_whose_tag_names_another_family_is_not_taken_for_gone(two_champions):
    mlflow_client(two_champions.settings).set_model_version_tag(
        NAME, "2", "model_family", "lightgbm"
    )
    run_model_steps(two_champions, AUGUST, replace(EASY, rounds=ALIKE))
    assert decided(two_champions)[-1][1] == "turned_down"
    assert events(two_champions) == PROMOTED_TWICE


def test_after_mlflow_was_lost_its_numbers_name_no_champion(two_champions, mlflow_store):
    """A new store gives the numbers 1 and 2 anew: to a candidate that is turned down, here."""
    settings = two_champions.settings
    shutil.copy(mlflow_store, settings.root / "mlflow" / "mlflow.db")
    shutil.rmtree(settings.root / "mlflow" / "artifacts")
    run_model_steps(two_champions, AUGUST, replace(STRICT, rounds=12))
    assert decided(two_champions)[-1] == ("1", "turned_down")
    assert events(two_champions) == PROMOTED_TWICE
    with pytest.raises(GoneError):
        two_champions.run(PREDICTIONS, SEPTEMBER)
    # An honest one may take the place of what is gone.
    run_model_steps(two_champions, AUGUST, EASY)
    assert events(two_champions)[-1] == ("promoted", "2", "2")
    assert champion_at(two_champions, OCTOBER) == ("2", AUGUST)
    assert (
        history(two_champions).newest.mlflow_run_id
        != history(two_champions).events[1].mlflow_run_id
    )


def test_a_rule_that_failed_under_the_features_turns_a_candidate_down(runner, homes):
    homes.tables(runner, 2000, SEPTEMBER)
    # Status 1 all over June: a warning of the silver table, and none of the tables above it.
    rows = [Statement(**dict(zip(HEADER.split(","), r, strict=True))) for r in shipped(JUNE, 2000)]
    odd = [replace(row, pay_status="1") if n % 20 == 0 else row for n, row in enumerate(rows)]
    deliver(runner.settings.landing, JUNE, *odd)
    runner.run_tables(JUNE, SEPTEMBER)
    run_model_steps(runner, AUGUST, EASY)
    outcome, criteria = decision(runner, AUGUST)
    assert (outcome, criteria) == ("turned_down", ["data_checks"])


def test_tables_not_rebuilt_after_a_redelivery_turn_a_candidate_down(runner, homes):
    homes.tables(runner, 2000, SEPTEMBER)
    deliver_sample(runner.settings.landing, 1990, [JUNE])
    for table in (BRONZE, SILVER):
        runner.run(table, JUNE)
    run_model_steps(runner, AUGUST, EASY)
    assert decision(runner, AUGUST) == ("turned_down", ["data_checks"])
    runner.run_tables(JUNE, SEPTEMBER)
    run_model_steps(runner, AUGUST, EASY)
    assert decision(runner, AUGUST) == ("promoted", [])
