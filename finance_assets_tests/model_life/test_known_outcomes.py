"""A delivery that was cut leaves most outcomes unknown: what is known says nothing of the others."""

from dataclasses import replace

import pytest

from finance_assets.model_life.decision_log import read_decisions
from finance_assets_tests.shop import CUSTOMERS, MODEL, TABLES, Shop, ShopRunner
from finance_assets_tests.test_time import MONTHS

LAG = 2
CALENDAR = replace(MONTHS, last="2025-05")
AS_OF = "2025-05"


def verdict(settings, spark, arrived):
    """The verdict on known outcomes, where so many customers' outcomes were delivered."""
    shop = ShopRunner(Shop(CALENDAR, LAG, arrived=arrived), settings, spark)
    shop.run(TABLES, CALENDAR.first, AS_OF)
    shop.run(MODEL, AS_OF)
    [decision] = read_decisions(shop.lakehouse, shop.use_case.model)
    [found] = [v for v in decision.report.verdicts if v.name == "known_outcomes"]
    return decision.outcome, found


@pytest.mark.parametrize(("share", "is_passed"), [(0.2, False), (0.8, True)])
def test_a_candidate_measured_on_the_few_whose_outcome_came_is_turned_down_by_name(
    settings, spark, share, is_passed
):
    known = int(share * CUSTOMERS)
    outcome, found = verdict(settings, spark, {AS_OF: known})
    assert found.is_passed is is_passed
    measured_on = CALENDAR.shift(AS_OF, -LAG)
    fewest = f"fewest: {known} of {CUSTOMERS} rows of {measured_on}"
    assert found.observed == f"held out: {share:.1%}; learned from: 100.0%; {fewest}"
    assert is_passed or outcome == "turned_down"


def test_a_candidate_that_learned_from_the_few_whose_outcome_came_is_turned_down_by_name(
    settings, spark
):
    few = dict.fromkeys(CALENDAR.partitions()[LAG:-1], CUSTOMERS // 5)
    outcome, found = verdict(settings, spark, few)
    assert (outcome, found.is_passed) == ("turned_down", False)
    assert "held out: 100.0%" in found.observed
