"""Performance and triage where outcomes come with the rows, and where they come two months later."""

from dataclasses import replace

import pytest

from finance_assets.automation.facts import facts_of_tables
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.performance_log import ESTIMATED, OBSERVED
from finance_assets.model_life.verdicts import stored_triage
from finance_assets.monitoring.retraining import (
    RetrainingPolicy,
    RetrainingRequest,
    decide_retraining,
)
from finance_assets.monitoring.triage import Action, Verdict
from finance_assets_tests.shop import MODEL, SCORING, TABLES, Shop, ShopRunner
from finance_assets_tests.test_time import DAYS, MONTHS

LONGER = replace(MONTHS, last="2025-06")


def performance(shop, kind):
    """Where a figure became known, and of which partition."""
    wanted = ("all", kind)
    rows = shop.rows(
        "monitoring.shop_performance", lambda row: (row["segment"], row["kind"]) == wanted
    )
    return {(row["seen"], row["scored"]) for row in rows}


@pytest.mark.parametrize(("calendar", "lag"), [(DAYS, 0), (LONGER, 2)], ids=["lag 0", "lag 2"])
def test_outcomes_are_held_against_the_partition_that_they_are_of(settings, spark, calendar, lag):
    names = calendar.partitions()
    gap = max(lag - 1, 0)
    as_of, turned, last = names[3 + gap], names[5 + gap], names[5 + gap + lag]
    shop = ShopRunner(Shop(calendar, lag, turned_from=turned), settings, spark)
    shop.run(TABLES, names[0], last)
    shop.run(MODEL, as_of)
    scored = names[4 + gap : 6 + gap + lag]
    for partition in scored:
        shop.run(SCORING, partition)
    assert performance(shop, ESTIMATED) == {(p, p) for p in scored}
    matured = [p for p in scored if calendar.shift(p, lag) <= last]
    assert performance(shop, OBSERVED) == {(calendar.shift(p, lag), p) for p in matured}

    found = stored_triage(shop.lakehouse, shop.use_case.model)
    before = calendar.shift(last, -1)
    assert (found[before].verdict, found[before].action) == (Verdict.none, Action.wait)
    assert (found[last].verdict, found[last].action) == (Verdict.concept_shift, Action.retrain)
    assert f"expected of {turned} is lost" in found[last].evidence[0]

    history = read_history(shop.lakehouse, shop.use_case.name)
    facts = facts_of_tables(shop.lakehouse, shop.use_case, history)
    answer = decide_retraining(facts, RetrainingPolicy())
    if lag:
        known = calendar.shift(last, lag)
        assert answer.reason.endswith(f"waiting for the outcomes, known in {known}")
    else:
        assert isinstance(answer, RetrainingRequest) and answer.as_of == last
