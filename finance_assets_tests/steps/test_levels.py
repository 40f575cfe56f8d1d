"""Outcomes whose level jumps: another definition is told from another champion, in any run."""

from dataclasses import replace

import pytest

from finance_assets.model_life.chain import read_history
from finance_assets.model_life.verdicts import stored_triage
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets_tests.shop import MODEL, NAME, SCORING, TABLES, Shop, ShopRunner
from finance_assets_tests.test_time import DAYS

LONGER = replace(DAYS, last="2024-03-08")
D = LONGER.partitions()
# From the fifth day on many more customers leave.
USUAL = Shop(LONGER, 1, many_leave=(D[4], "9999"))


def shop_with_two_champions(settings, spark, shop):
    """v1 learned from the usual days, v2 from those on which many leave alone."""
    before = ShopRunner(shop, settings, spark)
    before.run(TABLES, D[0], D[6])
    before.run(MODEL, D[3])
    for day in D[4:7]:
        before.run(SCORING, day)
    after = ShopRunner(replace(shop, warm_up=4), settings, spark)
    after.run(MODEL, D[6])
    assert [e.model_version for e in read_history(after.lakehouse, NAME).events] == ["1", "2"]
    for day in D[7:9]:
        after.run(TABLES, day)
        after.run(SCORING, day)
    return after


def thought_of(runner, day):
    found = stored_triage(runner.lakehouse, runner.use_case.model)[day]
    return found.verdict, found.action, found.champion_version


def test_a_new_champion_with_another_level_than_the_one_before_is_no_new_definition(
    settings, spark
):
    shop = shop_with_two_champions(settings, spark, USUAL)
    assert thought_of(shop, D[6]) == (Verdict.concept_shift, Action.retrain, "1")
    assert thought_of(shop, D[8]) == (Verdict.none, Action.wait, "2")


def test_a_definition_that_changes_on_the_first_day_of_a_new_champion_is_seen(settings, spark):
    turned = replace(USUAL, many_leave=(D[4], D[6]))
    shop = shop_with_two_champions(settings, spark, turned)
    assert thought_of(shop, D[8]) == (Verdict.label_definition_change, Action.hold, "2")


@pytest.mark.parametrize("is_one_run", [True, False], ids=["one run", "day by day"])
def test_a_range_is_judged_as_its_days_are(settings, spark, is_one_run):
    shop = ShopRunner(replace(USUAL, many_leave=(D[5], "9999")), settings, spark)
    shop.run(TABLES, D[0], D[6])
    shop.run(MODEL, D[3])
    for first, last in [(D[4], D[6])] if is_one_run else zip(D[4:7], D[4:7], strict=True):
        shop.run(SCORING, first, last)
    assert thought_of(shop, D[6]) == (Verdict.label_definition_change, Action.hold, "1")
