"""What was told is remembered as long as it may hold: by kind, as not every kind may be readable."""

import pytest

from finance_assets.automation import alert_facts
from finance_assets.automation.alerts import AlertFacts, FailedRun, Held, Uncrowned, alerts_of
from finance_assets.automation.told import PREFIXES, Memory
from finance_assets_tests.automation.test_alerts import Ticks, hooks
from finance_assets_tests.scenario import APRIL, BRONZE, MAY, NAME, USE_CASE

__all__ = ["hooks"]
OVERDUE = f"[{NAME}] 2005-09: the delivery of {BRONZE} is overdue"


@pytest.fixture
def found(monkeypatch):
    """What each kind of fact is, or the error that its reading ends with."""
    found = dict.fromkeys(PREFIXES, ()) | {"overdue": {}}

    def read(kind):
        if isinstance(found[kind], Exception):
            raise found[kind]
        return found[kind]

    def sources(*_):
        return {kind: lambda kind=kind: read(kind) for kind in found}

    monkeypatch.setattr(alert_facts, "_of_tables", sources)
    return found


def test_what_ends_and_comes_back_is_told_again_while_another_kind_cannot_be_read(
    hooks, settings, instance, found
):
    ticks = Ticks(instance)
    found["holds"] = ValueError("no commit")
    for missing in (("2005-09",), (), ("2005-09",)):
        found["overdue"] = {BRONZE: missing}
        ticks.tick()
    unread = f"[{NAME}] : what is so of holds cannot be read"
    assert hooks[0].titles == [unread, OVERDUE, OVERDUE]


def test_what_may_still_hold_is_not_told_again_and_what_cannot_be_read_is_once_for_each_error(
    hooks, settings, instance, found
):
    ticks = Ticks(instance)
    held = Held(MAY, "encoding_change", "pay_status 1 is new")
    states = ((held,), ValueError("at 10:01"), ValueError("at 10:02"), OSError(), (held,))
    for state in (*states, ValueError("at 11:00")):
        found["holds"] = state
        ticks.tick()
    unread = f"[{NAME}] : what is so of holds cannot be read"
    assert hooks[0].titles == [f"[{NAME}] {MAY}: encoding change", unread, unread, unread]


def test_every_kind_of_fact_has_the_prefix_by_which_its_alerts_are_remembered(
    settings, runner, instance
):
    every = {
        "history_problems": ("event 1 was changed",),
        "holds": (Held(MAY, "encoding_change", ""), Held(MAY, "restated_data", "")),
        "failed_runs": (FailedRun("r1", "job", APRIL, (), ""),),
        "candidates": (Uncrowned(MAY, "held", "2", ""),),
        "overdue": {BRONZE: (MAY,)},
    }
    gathered = alert_facts._of_tables(instance, runner.lakehouse, USE_CASE)
    stated = alert_facts._of_events(instance, USE_CASE)
    assert every.keys() == PREFIXES.keys() == gathered.keys() == stated.keys()
    for kind, facts in every.items():
        told = Memory([alert.key for alert in alerts_of(AlertFacts("shop", **{kind: facts}))])
        assert told.told
        assert told.of((), (kind,)) == told
        assert told.of((), PREFIXES.keys() - {kind}) == Memory()
