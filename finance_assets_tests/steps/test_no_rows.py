"""Deliveries without rows: what they say is published, and nothing is judged or measured for it."""

import gzip

import pytest

from finance_assets.steps import table
from finance_assets_tests.counting import counted
from finance_assets_tests.scenario import (
    APRIL,
    JUNE,
    LATE_BRONZE,
    LATE_SILVER,
    MAY,
    USE_CASE,
    failed,
)

HEADER = "account_id,default_month,is_official_default"
GOOD, BAD = "7,2005-05,1", "-1,2005-05,0"


def deliver(runner, *rows):
    source = USE_CASE.step(LATE_BRONZE).source
    path = source.path(runner.settings.landing / USE_CASE.name, MAY)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join([HEADER, *rows, ""]).encode()))


def refined(runner, first=MAY, last=None):
    runner.run(LATE_BRONZE, first, last)
    return runner.run(LATE_SILVER, first, last)


@pytest.fixture
def judged(monkeypatch):
    """How often rows were given their fates."""
    return counted(monkeypatch, table, "refine")


def test_what_did_not_come_is_published_as_nothing_without_judging_anything(runner, judged):
    result = refined(runner, APRIL, JUNE)
    assert judged.total() == 0
    assert failed(result) == []
    assert set(result.ledgers) == {APRIL, MAY, JUNE}
    assert set(result.fingerprints.values()) == {"0:0"}
    history = runner.lakehouse.history(LATE_SILVER)
    assert {history.in_force(month).ledgers[month].delivered for month in (APRIL, MAY, JUNE)} == {0}


def test_a_delivery_without_rows_takes_the_place_of_one_with_some(runner, judged):
    deliver(runner, *(f"{n},2005-05,1" for n in range(1, 20)), BAD)
    first = refined(runner)
    assert (first.ledgers[MAY].published, first.ledgers[MAY].quarantined) == (19, 1)
    assert judged.total() == 1

    deliver(runner)
    result = refined(runner)
    assert judged.total() == 1
    assert result.changed == (MAY,)
    assert [o.check.name for o in result.outcomes] == [o.check.name for o in first.outcomes]
    assert runner.rows(LATE_SILVER) == []
    assert runner.rows(f"{LATE_SILVER}_quarantine") == []
    assert result.ledgers[MAY].delivered == 0

    again = refined(runner)
    assert again.changed == ()
    deliver(runner, GOOD)
    assert refined(runner).changed == (MAY,)
    assert judged.total() == 2
    assert len(runner.rows(LATE_SILVER)) == 1
