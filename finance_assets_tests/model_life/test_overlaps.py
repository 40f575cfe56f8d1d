"""A change of champion and a scoring run that overlap: the predictions follow the history."""

import shutil
from dataclasses import replace

import pytest
from deltalake import DeltaTable

from finance_assets.commands.status import Status
from finance_assets.compute.runner import run_step
from finance_assets.errors import LostRaceError
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.model_life import judging, rollback
from finance_assets.model_life.effects import follow_up
from finance_assets.model_life.rollback import roll_back
from finance_assets.model_life.verification import verify
from finance_assets_tests.model_life.models import (
    PREDICTIONS,
    context,
    events,
    judge,
    run_model_steps,
)
from finance_assets_tests.model_life.test_champion_changes import ALIKE
from finance_assets_tests.model_life.test_decisions import champions_as_of_june_and_august
from finance_assets_tests.model_life.test_model_life import EASY
from finance_assets_tests.scenario import (
    AUGUST,
    JULY,
    JUNE,
    MAY,
    SEPTEMBER,
    USE_CASE,
    deliver_sample,
)


@pytest.fixture
def two_champions(runner, homes):
    """v1 as of June, v2 as of August; July to September scored, September by v2."""
    homes.copy(runner, "two_champions", champions_as_of_june_and_august)
    return runner


def rolled_back_from_september(runner):
    return roll_back(context(runner), judge(EASY), reason="v2 is odd", effective_from=SEPTEMBER)


def scored(runner, report):
    return run_step(
        USE_CASE.step(PREDICTIONS),
        USE_CASE.calendar.window(SEPTEMBER),
        settings=runner.settings,
        session=lambda: runner.spark,
        run_id="test",
        report=report,
    )


def scorers(runner):
    rows = runner.rows(PREDICTIONS)
    return {row["model_version"] for row in rows if row["statement_month"] == SEPTEMBER}


def test_what_is_scored_while_the_champion_changes_ends_scored_by_the_new_one(two_champions):
    said = []

    def meanwhile(message):
        said.append(message)
        if message == f"scoring {SEPTEMBER} with v2":
            rolled_back_from_september(two_champions)

    result = scored(two_champions, meanwhile)
    assert "the champion changed meanwhile: scoring again" in said
    assert result.by_partition[SEPTEMBER]["champion_version"] == "1"
    assert scorers(two_champions) == {"1"}
    assert verify(context(two_champions), EASY, {}) == []


def test_a_range_is_scored_at_once_by_the_champion_of_each_of_its_partitions(two_champions):
    result = two_champions.run(PREDICTIONS, MAY, SEPTEMBER)
    said = {month: facts["champion_version"] for month, facts in result.by_partition.items()}
    assert said == {MAY: "", JUNE: "", JULY: "1", AUGUST: "1", SEPTEMBER: "2"}
    scored = {
        (row["statement_month"], row["model_version"]) for row in two_champions.rows(PREDICTIONS)
    }
    assert scored == {(JULY, "1"), (AUGUST, "1"), (SEPTEMBER, "2")}
    assert verify(context(two_champions), EASY, {}) == []


def test_scoring_gives_up_when_the_champion_never_holds_still(two_champions):
    def meanwhile(message):
        if message.startswith("scoring"):
            rolled_back_from_september(two_champions)

    with pytest.raises(LostRaceError, match="changed 3 times while this was scored"):
        scored(two_champions, meanwhile)
    assert verify(context(two_champions), EASY, {}) != [], "and the history says what is behind"


def test_a_promotion_says_what_was_scored_while_it_was_decided(two_champions, monkeypatch):
    real = judging.crown

    def while_september_is_scored(ctx, spec, crowning, effective_from, history):
        two_champions.run(PREDICTIONS, SEPTEMBER)
        return real(ctx, spec, crowning, SEPTEMBER, history)

    monkeypatch.setattr(judging, "crown", while_september_is_scored)
    better = replace(EASY, rounds=ALIKE)
    result = run_model_steps(two_champions, AUGUST, better)
    assert f"{PREDICTIONS}[{SEPTEMBER}] was scored by v2, but v3" in result.metadata["follow_up"]
    two_champions.run(PREDICTIONS, SEPTEMBER)
    assert scorers(two_champions) == {"3"}
    assert verify(context(two_champions), EASY, {}) == []


def test_who_changes_the_champion_is_told_what_was_scored_meanwhile(two_champions, monkeypatch):
    real = rollback.usable

    def while_september_is_scored_again(*given):
        deliver_sample(two_champions.settings.landing, 1900, [SEPTEMBER])
        two_champions.run_tables(SEPTEMBER)
        two_champions.run(PREDICTIONS, SEPTEMBER)
        return real(*given)

    monkeypatch.setattr(rollback, "usable", while_september_is_scored_again)
    event = rolled_back_from_september(two_champions)
    [told] = follow_up(context(two_champions), EASY, event)
    assert told == (
        f"{PREDICTIONS}[{SEPTEMBER}] was scored by v2, but v1 is in force there: "
        "materialise it again"
    )
    assert verify(context(two_champions), EASY, {}) == [told]
    two_champions.run(PREDICTIONS, SEPTEMBER)
    assert scorers(two_champions) == {"1"}
    assert verify(context(two_champions), EASY, {}) == []
    assert events(two_champions)[-1] == ("rolled_back", "1", "2")


def predictions_read(monkeypatch, act):
    """What `act` gives, and how many rows of predictions were read for it."""
    counts, rows = [], FolderTable.rows

    def counted(table, *args, **more):
        found = rows(table, *args, **more)
        counts.append(len(found) if table.table == PREDICTIONS else 0)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(FolderTable, "rows", counted)
        return act(), sum(counts)


def test_who_scored_a_month_is_stated_in_the_log_and_read_from_the_rows_where_it_is_not(
    two_champions, monkeypatch
):
    ctx = context(two_champions)

    def told():
        state = Status().run(ctx, USE_CASE)
        versions = {month: one.model_version for month, one in state.predictions.items()}
        return versions, verify(ctx, EASY, {})

    by = {JULY: "1", AUGUST: "1", SEPTEMBER: "2"}
    assert predictions_read(monkeypatch, told) == ((by, []), 0)
    # A home of before: nothing states who scored.
    shutil.rmtree(two_champions.lakehouse.path(PREDICTIONS))
    with monkeypatch.context() as patch:
        patch.setattr("finance_assets.steps.scoring.scorers_of", lambda champions: {})
        for month in by:
            two_champions.run(PREDICTIONS, month)
    assert predictions_read(monkeypatch, told) == ((by, []), 2 * len(by))
    # What somebody else writes is read as well.
    roll_back(ctx, judge(EASY), reason="v2 is odd", effective_from=SEPTEMBER)
    two_champions.run(PREDICTIONS, SEPTEMBER)
    DeltaTable(str(two_champions.lakehouse.path(PREDICTIONS))).update(
        updates={"model_version": "'9'", "model_sha256": "'ff'"},
        predicate=f"statement_month = '{SEPTEMBER}'",
    )
    versions, problems = told()
    assert versions == {**by, SEPTEMBER: "9"}
    assert f"{PREDICTIONS}[{SEPTEMBER}] was scored by v9, but v1" in problems[0]
