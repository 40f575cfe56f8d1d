"""Presence: what was never made does not read as no rows."""

import shutil
from dataclasses import replace

import pytest
from deltalake import DeltaTable

from finance_assets.calendar import Calendar, Frequency
from finance_assets.errors import MissingInputError
from finance_assets.lakehouse.history import TableHistory
from finance_assets.step.coming import made_until
from finance_assets.step.declaration import Input
from finance_assets.step.presence import PAST, absent_inputs, past_outcomes
from finance_assets_tests.model_life.models import context
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    CALENDAR,
    DECISION,
    FEATURES,
    GOLD,
    JUNE,
    LABELS,
    LATE_SILVER,
    LATE_USE_CASE,
    MAY,
    PREDICTIONS,
    SEPTEMBER,
    SILVER,
    USE_CASE,
    deliver_sample,
    failed,
)


@pytest.fixture
def made(runner, homes):
    """Every table of April and May."""
    homes.tables(runner, 20, MAY)
    return runner


def move_away(runner, table):
    shutil.rmtree(runner.lakehouse.path(table))


def test_rows_are_not_replaced_by_nothing_while_their_source_is_moved_away(made):
    before = made.rows(GOLD), made.rows(LABELS)
    move_away(made, SILVER)
    for table in (GOLD, LABELS):
        with pytest.raises(MissingInputError, match="not published") as refused:
            made.run(table, MAY)
        assert f"{SILVER}[{MAY}]" in refused.value.what
        assert refused.value.remedy == f"materialise {SILVER} for {MAY} first, then {table}"
    # April's statements alone do not mend it: of a range, every partition is looked at.
    made.run(SILVER, APRIL)
    with pytest.raises(MissingInputError, match=MAY):
        made.run(GOLD, APRIL, MAY)
    assert (made.rows(GOLD), made.rows(LABELS)) == before
    made.run(SILVER, MAY)
    assert not failed(made.run(GOLD, APRIL, MAY))
    assert made.rows(GOLD) == before[0]


def test_what_was_restored_away_is_not_there_though_the_log_names_it(made):
    before, place = made.rows(GOLD), str(made.lakehouse.path(SILVER))
    DeltaTable(place).delete(f"statement_month = '{MAY}'")
    with pytest.raises(MissingInputError, match=rf"{SILVER}\[{MAY}\]"):
        made.run(GOLD, MAY)
    assert made.rows(GOLD) == before
    made.run(SILVER, MAY)
    assert not failed(made.run(GOLD, MAY))


def test_rows_are_counted_once_for_all_partitions_that_were_restored_away(made, monkeypatch):
    counted, count = [], TableHistory.row_counts
    monkeypatch.setattr(TableHistory, "row_counts", lambda h: counted.append(h) or count(h))
    DeltaTable(str(made.lakehouse.path(SILVER))).delete()
    history = made.lakehouse.history(SILVER)
    [absent] = absent_inputs(
        {SILVER: history}, USE_CASE.step(GOLD).inputs, CALENDAR.window(APRIL, MAY)
    )
    assert absent.partitions == (APRIL, MAY)
    assert len(counted) == 1


def test_what_rows_of_an_earlier_partition_stand_for_is_not_taken_away_either(made):
    """Labels of May are April's account-months: without these there would be none."""
    before = made.rows(LABELS)
    move_away(made, GOLD)
    with pytest.raises(MissingInputError, match=rf"{GOLD}\[{APRIL}\]"):
        made.run(LABELS, MAY)
    assert made.rows(LABELS) == before != []


def test_a_joined_table_that_was_not_made_is_no_table_without_matches(made):
    move_away(made, LATE_SILVER)
    with pytest.raises(MissingInputError, match=rf"{LATE_SILVER}\[{MAY}\]"):
        made.run(LABELS, MAY)
    # Nothing was delivered: it is found empty, and that is enough.
    made.run(LATE_SILVER, APRIL, MAY)
    assert not failed(made.run(LABELS, MAY))


def test_nothing_is_scored_before_its_features(made):
    with pytest.raises(MissingInputError, match=rf"{FEATURES}\[{JUNE}\]"):
        made.run(PREDICTIONS, JUNE)


def test_a_past_that_was_never_made_is_a_warning_until_it_is(runner):
    """Who begins in the middle of the calendar has none."""
    deliver_sample(runner.settings.landing, 5)
    for table in (BRONZE, SILVER, GOLD):
        result = runner.run(table, JUNE)
    assert failed(result) == ["past_published"]
    [warned] = [one for one in result.outcomes if not one.is_passed]
    assert warned.by_partition == {JUNE: f"{SILVER}[{APRIL}], {SILVER}[{MAY}]"}
    assert result.publication.failed_checks == {JUNE: ["past_published"]}
    for table in (BRONZE, SILVER):
        runner.run(table, APRIL, MAY)
    assert not failed(runner.run(GOLD, APRIL, JUNE))


class Counted(tuple):
    """Partitions, with how many of them were looked at."""

    looked = 0

    def __getitem__(self, at):
        found = super().__getitem__(at)
        Counted.looked += len(found) if isinstance(at, slice) else 1
        return found

    def __iter__(self):
        Counted.looked += len(self)
        return super().__iter__()


def test_many_partitions_that_lack_all_their_past_do_not_each_list_it(runner):
    days = Calendar(Frequency.daily, "2014-01-01").window("2014-01-01", "2023-12-31")
    past = Input(USE_CASE.step(GOLD).contract, first_offset=None, last_offset=-1)
    [absent] = absent_inputs({GOLD: runner.lakehouse.history(GOLD)}, [past], days)
    assert absent.partitions == tuple(days)[:-1]
    counted = replace(absent, partitions=Counted(absent.partitions))
    [outcome] = past_outcomes(replace(context(runner), window=days, absent=(counted,)), [PAST])
    assert outcome.by_partition["2014-01-03"] == f"{GOLD}[2014-01-01], {GOLD}[2014-01-02]"
    shown = ", ".join(f"{GOLD}[2014-01-0{day}]" for day in (1, 2, 3))
    assert outcome.by_partition[days.last] == f"{shown} and {len(counted.partitions) - 3} more"
    assert Counted.looked < 30 * len(counted.partitions)


def test_before_the_calendar_nothing_is_missing(runner):
    deliver_sample(runner.settings.landing, 5)
    for table in (BRONZE, SILVER, GOLD):
        assert not failed(runner.run(table, APRIL))


def test_what_is_sure_to_be_made_is_known_of_every_table():
    """Statements end with September; the bank's flags may come later, and need not."""
    ends = made_until(LATE_USE_CASE.steps)
    assert ends[SILVER] == ends[GOLD] == ends[FEATURES] == SEPTEMBER
    assert ends[LATE_SILVER] == ends[LABELS] == SEPTEMBER
    assert ends[DECISION] == ""
    for use_case in (USE_CASE, LATE_USE_CASE):
        inputs = {item.key: item.made_until for item in use_case.step(LABELS).inputs}
        assert inputs == {GOLD: SEPTEMBER, SILVER: SEPTEMBER, LATE_SILVER: SEPTEMBER}
