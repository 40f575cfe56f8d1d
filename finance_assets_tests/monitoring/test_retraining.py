"""One run at most follows from one finding, and every 'no' says why."""

from dataclasses import replace

from finance_assets.monitoring.retraining import (
    DriftFinding,
    NoRetraining,
    RetrainingFacts,
    RetrainingRequest,
    decide_retraining,
)

NOTHING = RetrainingFacts("2005-06", frozenset(), frozenset(), None, ())
DRIFT = DriftFinding("2005-07", "drift", "1", ("pay_status",), answered_as_of="2005-08")
CHAMPION = RetrainingFacts(
    "2005-06", frozenset({"2005-06", "2005-07"}), frozenset({"2005-06"}), "1", (DRIFT,)
)


def test_before_outcomes_are_known_there_is_nothing_to_train():
    assert decide_retraining(NOTHING) == NoRetraining(
        "no champion: outcomes are known from 2005-06 on"
    )


def test_the_first_champion_is_wanted_as_soon_as_it_can_be_trained():
    request = decide_retraining(replace(NOTHING, ready=frozenset({"2005-06"})))
    assert isinstance(request, RetrainingRequest)
    assert (request.as_of, request.key) == ("2005-06", "first-champion:2005-06")


def test_a_candidate_that_was_turned_down_waits_for_the_next_month():
    tried = replace(NOTHING, ready=frozenset({"2005-06"}), decided=frozenset({"2005-06"}))
    assert "did not pass the gate" in decide_retraining(tried).reason
    later = replace(tried, ready=frozenset({"2005-06", "2005-07"}))
    assert decide_retraining(later).as_of == "2005-07"


def test_drift_waits_until_its_outcomes_are_known():
    assert "waiting for the outcomes, known in 2005-08" in decide_retraining(CHAMPION).reason


def test_drift_requests_the_next_partition_once():
    ready = replace(CHAMPION, ready=CHAMPION.ready | {"2005-08"})
    request = decide_retraining(ready)
    assert (request.as_of, request.key) == ("2005-08", "drift:2005-07:v1")
    assert "pay_status" in request.reason
    answered = replace(ready, decided=frozenset({"2005-06", "2005-08"}))
    assert "was answered by the candidate as of 2005-08" in decide_retraining(answered).reason


def test_drift_against_a_champion_that_was_replaced_is_history():
    replaced = replace(CHAMPION, ready=CHAMPION.ready | {"2005-08"}, champion_version="2")
    assert "which v2 has replaced since" in decide_retraining(replaced).reason


def test_an_older_unanswered_drift_is_not_forgotten_when_a_newer_one_must_wait():
    newer = replace(DRIFT, partition="2005-08", answered_as_of="2005-09")
    facts = replace(CHAMPION, ready=CHAMPION.ready | {"2005-08"}, findings=(DRIFT, newer))
    assert decide_retraining(facts).as_of == "2005-08"


def test_a_stable_month_and_a_calendar_that_ends_say_so():
    stable = replace(CHAMPION, findings=(replace(DRIFT, verdict="stable"),))
    assert decide_retraining(stable).reason == "2005-07: stable, champion v1 stays"
    last = replace(
        CHAMPION, findings=(replace(DRIFT, partition="2005-09", answered_as_of="2005-10"),)
    )
    assert "waiting" in decide_retraining(last).reason
    assert (
        decide_retraining(replace(CHAMPION, findings=())).reason
        == "champion v1: no drift measured yet"
    )
