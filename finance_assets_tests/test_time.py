"""Calendars and label lags, from tables to predictions, on a small use case of every kind."""

from dataclasses import replace

import pytest

from finance_assets.calendar import Calendar, Frequency
from finance_assets.errors import HistoryError, TooEarlyError
from finance_assets.model_life.chain import read_history
from finance_assets_tests.shop import (
    CANDIDATE,
    CUSTOMERS,
    FEATURES,
    LABELS,
    MODEL,
    NAME,
    PREDICTIONS,
    SCORING,
    TABLES,
    Shop,
    ShopRunner,
)

DAYS = Calendar(Frequency.daily, "2024-02-27", "2024-03-03", timezone="Europe/Berlin")
WEEKS = Calendar(Frequency.weekly, "2024-12-16", "2025-01-20", timezone="America/New_York")
MONTHS = Calendar(Frequency.monthly, "2024-10", "2025-03")


@pytest.mark.parametrize(
    ("calendar", "lag"),
    [(DAYS, 0), (WEEKS, 1), (MONTHS, 2)],
    ids=["daily, lag 0", "weekly, lag 1", "monthly, lag 2"],
)
def test_a_model_learns_of_what_was_known_then_and_scores_what_comes_after(
    settings, spark, calendar, lag
):
    shop = ShopRunner(Shop(calendar, lag), settings, spark)
    names = calendar.partitions()
    as_of, after = names[3], names[4]
    shop.run(TABLES, names[0], as_of)
    shop.run(MODEL, as_of)
    [candidate] = shop.rows(CANDIDATE)
    held_out = names[3 - lag]
    train = calendar.window(names[0], names[2 - lag])
    assert (candidate["train_window"], candidate["holdout_window"]) == (str(train), held_out)
    assert candidate["train_rows"] == CUSTOMERS * len(list(train))
    [measured] = shop.rows(
        "models.shop_evaluation", lambda r: (r["role"], r["segment"]) == ("candidate", "all")
    )
    assert measured["rows"] == CUSTOMERS
    [event] = read_history(shop.lakehouse, NAME).events
    assert event.effective_from == after
    shop.run(TABLES, after)
    shop.run(SCORING, as_of, after)
    scored = {row["seen"] for row in shop.rows(PREDICTIONS)}
    assert scored == {after}, "the candidate's own partition was decided before it"
    assert len(shop.rows(PREDICTIONS)) == CUSTOMERS
    drift = shop.rows("monitoring.shop_drift")
    assert {row["seen"] for row in drift} == {after}
