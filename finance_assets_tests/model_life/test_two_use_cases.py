"""Two use cases in one home: each has a champion history of its own, and neither sees the other."""

import shutil

import pytest

from finance_assets.calendar import Calendar, Frequency
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.effects import follow_up
from finance_assets.model_life.rollback import roll_back
from finance_assets.model_life.verification import verify
from finance_assets_tests import shop
from finance_assets_tests.model_life.models import context, events, history, judge
from finance_assets_tests.model_life.test_decisions import champions_as_of_june_and_august
from finance_assets_tests.model_life.test_model_life import EASY
from finance_assets_tests.shop import Shop, ShopRunner

DAYS = Calendar(Frequency.daily, "2024-02-27", "2024-03-03", timezone="Europe/Berlin")


@pytest.fixture
def both(runner, homes):
    """The use case of all tests with two champions, and a daily shop with one."""
    homes.copy(runner, "two_champions", champions_as_of_june_and_august)
    daily, days = Shop(DAYS, 0), DAYS.partitions()
    other = ShopRunner(daily, runner.settings, runner.spark)
    other.run(shop.TABLES, days[0], days[3])
    other.run(shop.MODEL, days[3])
    other.run(shop.TABLES, days[4])
    other.run(shop.SCORING, days[4])
    return runner, other, other.use_case.model


def test_a_change_of_one_champion_leaves_the_other_use_case_alone(both):
    runner, other, spec = both
    before = read_history(other.lakehouse, shop.NAME)
    scored = other.rows(shop.PREDICTIONS)
    ctx = context(runner)
    event = roll_back(ctx, judge(EASY), reason="v2 is odd")
    assert follow_up(ctx, EASY, event) == []
    assert events(runner)[-1] == ("rolled_back", "1", "2")
    assert read_history(other.lakehouse, shop.NAME) == before
    assert other.rows(shop.PREDICTIONS) == scored
    assert verify(ctx, EASY, {}) == []
    assert verify(ctx, spec, {}) == []


def test_a_history_that_was_lost_is_missed_where_it_was_and_only_there(both):
    runner, other, spec = both
    shutil.rmtree(other.lakehouse.path(f"models.{shop.NAME}_champion_history"))
    ctx = context(runner)
    assert any("was shortened" in problem for problem in verify(ctx, spec, {}))
    assert verify(ctx, EASY, {}) == []
    assert history(runner).problems == ()
