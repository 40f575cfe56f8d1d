"""One run at most follows from one cause, and every 'no' says why."""

from dataclasses import replace

import pytest

from finance_assets.errors import DeclarationError
from finance_assets.monitoring.retraining import (
    NoRetraining,
    RetrainingPolicy,
    RetrainingRequest,
)
from finance_assets.monitoring.retraining import decide_retraining as decide
from finance_assets.monitoring.retraining_facts import Answer, DriftFinding, RetrainingFacts

MONTHS = ["2005-06", "2005-07", "2005-08", "2005-09", "2005-10"]
EACH = RetrainingPolicy()
NOTHING = RetrainingFacts("2005-06", frozenset(), frozenset(), None, ())
SHIFT = DriftFinding(
    "2005-07", "covariate_shift", "retrain", "1", ("pay_status",), answered_as_of="2005-08"
)
CHAMPION = RetrainingFacts(
    "2005-06",
    frozenset({"2005-06", "2005-07"}),
    frozenset({"2005-06"}),
    "1",
    (SHIFT,),
    champion_digest="d1g3s7",
    champion_as_of="2005-06",
    measured=frozenset(MONTHS),
)


def found(*verdicts: str, **more) -> RetrainingFacts:
    """A finding a month from July on: `shift` asks for a candidate, `hold` and `none` do not.

    The outcomes of all but the last month are known.
    """
    findings = []
    for at, verdict in enumerate(verdicts, 1):
        action = "retrain" if verdict == "shift" else verdict
        findings.append(DriftFinding(MONTHS[at], verdict, action, "1", (), MONTHS[at + 1]))
    ready = frozenset(MONTHS[: len(verdicts) + 1])
    return replace(CHAMPION, findings=tuple(findings), ready=ready, **more)


def test_before_outcomes_are_known_there_is_nothing_to_train():
    assert decide(NOTHING, EACH) == NoRetraining("no champion: outcomes are known from 2005-06 on")


def test_the_first_champion_is_wanted_as_soon_as_it_can_be_trained():
    request = decide(replace(NOTHING, ready=frozenset({"2005-06"})), EACH)
    assert isinstance(request, RetrainingRequest)
    assert (request.as_of, request.key) == ("2005-06", "first-champion:2005-06")


@pytest.mark.parametrize("is_baseline", [False, True])
def test_a_champion_that_was_lost_is_sought_once_more_and_the_reason_says_so(is_baseline):
    known = {"ready": frozenset(MONTHS[:1]), "measured": frozenset(MONTHS)}
    lost = replace(NOTHING, lost_at="2026-01-02", is_baseline=is_baseline, **known)
    request = decide(lost, EACH)
    assert request.key == "first-champion:2005-06:2026-01-02"
    assert "the champion was lost" in request.reason
    assert ("the rule of thumb serves" in request.reason) is is_baseline
    tried = decide(replace(lost, decided=frozenset(MONTHS[:1])), EACH)
    assert "as the champion was lost: the candidate as of 2005-06 did not pass" in tried.reason


def test_a_candidate_that_was_turned_down_waits_for_the_next_month():
    tried = replace(NOTHING, ready=frozenset({"2005-06"}), decided=frozenset({"2005-06"}))
    assert "did not pass the gate" in decide(tried, EACH).reason
    later = replace(tried, ready=frozenset({"2005-06", "2005-07"}))
    assert decide(later, EACH).as_of == "2005-07"
    never_less = replace(later, decided=frozenset({"2005-07"}))
    assert "as of 2005-07 did not pass the gate" in decide(never_less, EACH).reason


def test_drift_waits_until_its_outcomes_are_known_and_is_then_answered_once():
    assert "waiting for the outcomes, known in 2005-08" in decide(CHAMPION, EACH).reason
    ready = replace(CHAMPION, ready=CHAMPION.ready | {"2005-08"})
    request = decide(ready, EACH)
    assert (request.as_of, request.key) == ("2005-08", "drift:2005-07:d1g3s7:covariate_shift")
    assert request.reason == "covariate shift in 2005-07 (pay_status)"
    answered = replace(ready, decided=frozenset({"2005-06", "2005-08"}))
    assert "was answered by the candidate as of 2005-08" in decide(answered, EACH).reason


def test_a_lakehouse_that_was_made_anew_is_asked_anew():
    ready = replace(CHAMPION, ready=CHAMPION.ready | {"2005-08"})
    first = decide(replace(ready, made_by={"2005-08": "run-one"}), EACH)
    second = decide(replace(ready, made_by={"2005-08": "run-two"}), EACH)
    assert first.as_of == second.as_of and first.key != second.key


def test_drift_against_a_champion_that_was_replaced_is_history():
    replaced = replace(CHAMPION, ready=CHAMPION.ready | {"2005-08"}, champion_version="2")
    assert "which v2 has replaced since" in decide(replaced, EACH).reason


def test_drift_that_lasts_is_answered_once_the_outcomes_of_its_beginning_are_known():
    lasting = found("shift", "shift")
    assert decide(replace(lasting, ready=CHAMPION.ready), EACH).reason.endswith("known in 2005-08")
    request = decide(lasting, EACH)
    assert (request.as_of, request.reason) == ("2005-08", "shift in 2005-08, since 2005-07")


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (("shift", "wait"), "2005-08: wait, champion v1 stays"),
        (("shift", "hold"), "2005-08: hold (hold), champion v1 stays"),
    ],
)
def test_the_latest_finding_has_to_ask(verdicts, words):
    assert decide(found(*verdicts), EACH).reason == words


def test_after_a_rollback_it_is_said_which_champion_stays_and_which_was_measured():
    rolled_back = replace(found("shift", "hold"), champion_version="7")
    assert decide(rolled_back, EACH).reason == (
        "2005-08: hold (hold) against v1, champion v7 stays"
    )


def test_k_of_the_last_n_have_to_ask():
    policy = RetrainingPolicy(at_least=2, of_last=3)
    assert (
        "1 of the last 3 findings ask for a candidate, 2 have to"
        in decide(found("shift"), policy).reason
    )
    assert decide(found("shift", "wait", "shift"), policy).as_of == "2005-09"
    assert isinstance(decide(found("shift", "wait", "wait"), policy), NoRetraining)


def test_after_a_candidate_the_policy_has_to_cool_down():
    cooling = found("shift", "shift", cooled_as_of="2005-09")
    assert decide(cooling, EACH).reason == (
        "2005-08: shift; cooling down after the candidate as of 2005-06: the next one is as of "
        "2005-09 at the earliest"
    )
    assert decide(replace(cooling, cooled_as_of="2005-08"), EACH).as_of == "2005-08"


def test_a_drift_is_answered_with_all_that_is_known_by_now():
    late = found("shift", "shift")
    assert decide(replace(late, ready=late.ready | {"2005-09"}), EACH).as_of == "2005-09"


def test_what_asked_about_another_champion_does_not_count():
    both = found("shift", "shift")
    first = replace(both.findings[0], champion_version="0")
    policy = RetrainingPolicy(at_least=2, of_last=2)
    assert isinstance(decide(both, policy), RetrainingRequest)
    mixed = replace(both, findings=(first, both.findings[1]))
    assert "1 of the last 2 findings ask" in decide(mixed, policy).reason


def test_what_was_found_in_an_earlier_reign_does_not_complete_the_count():
    """v1 drifted, was replaced, and was put back: it is asked about as it fares from then on."""
    policy, again = RetrainingPolicy(at_least=2, of_last=3), found("shift", "shift")
    assert isinstance(decide(again, policy), RetrainingRequest)
    back = replace(again, champion_from="2005-08")
    assert "1 of the last 3 findings ask" in decide(back, policy).reason


def test_of_a_history_that_cannot_be_trusted_nothing_follows_and_the_remedy_is_named():
    ready = replace(CHAMPION, ready=CHAMPION.ready | {"2005-08"})
    for facts in (ready, replace(ready, champion_version=None)):
        answer = decide(replace(facts, history_problems=("commit 3 was made around us",)), EACH)
        assert isinstance(answer, NoRetraining)
        assert "cannot be trusted: commit 3 was made around us" in answer.reason
        assert "`finance-assets accept`" in answer.reason


def test_without_a_measurement_it_says_so():
    assert decide(replace(CHAMPION, findings=()), EACH).reason == (
        "champion v1: no drift measured yet"
    )


def test_outcomes_that_triage_has_not_judged_yet_are_not_learned():
    """The pipeline publishes labels before it measures them: they may follow another definition."""
    ready = replace(CHAMPION, ready=CHAMPION.ready | {"2005-08"}, measured=frozenset({"2005-07"}))
    assert decide(ready, EACH).reason == (
        "2005-07: covariate shift; the outcomes of 2005-08 are in, and wait to be measured: run "
        "its pipeline"
    )
    assert decide(replace(ready, measured=frozenset({"2005-08"})), EACH).as_of == "2005-08"


def test_a_cause_that_was_answered_is_not_asked_again_when_the_next_outcomes_come():
    answered = replace(CHAMPION, ready=frozenset(MONTHS), decided=frozenset({"2005-06", "2005-08"}))
    assert "was answered by the candidate as of 2005-08" in decide(answered, EACH).reason


def test_what_is_held_is_not_learned_a_month_later_either():
    later = replace(found("shift", "hold", "shift"), ready=frozenset(MONTHS))
    assert decide(later, EACH).reason == (
        "2005-09: shift; 2005-08 is held (hold): a candidate as of 2005-10 would learn it. "
        "Correct the delivery, or answer with `finance-assets retrain`"
    )
    learned = replace(later, champion_as_of="2005-08")
    assert isinstance(decide(learned, EACH), RetrainingRequest), "the champion learned it before"


def said(facts: RetrainingFacts, at: float) -> RetrainingFacts:
    return replace(facts, findings=tuple(replace(f, said_at=at) for f in facts.findings))


@pytest.mark.parametrize(
    ("answer", "is_one"),
    [
        (Answer("2005-08", asked_at=20.0), True),
        (Answer("2005-08", asked_at=5.0), False),
        (Answer("2005-07", asked_at=20.0), False),
    ],
    ids=["on the same data and since", "before the verdict", "on less data"],
)
def test_a_hold_is_answered_by_a_candidate_that_a_person_asked_for(answer, is_one):
    held = said(found("shift", "hold", "shift"), 10.0)
    held = replace(held, ready=frozenset(MONTHS), answers=(answer,))
    assert isinstance(decide(held, EACH), RetrainingRequest) is is_one


def test_restated_data_hold_as_long_as_they_are_restated_and_no_longer():
    held = found("shift", "shift")
    now = replace(held, restated=("labels.x: 2005-05 changed",))
    assert "held, as labels.x: 2005-05 changed" in decide(now, EACH).reason
    former = DriftFinding("2005-07", "restated_data", "hold", "1", (), "2005-08")
    answered = replace(held, findings=(former, held.findings[1]), ready=frozenset(MONTHS))
    assert isinstance(decide(replace(answered, restated=()), EACH), RetrainingRequest)
    # Where only the findings tell, a person answers whatever partition was held.
    assert "2005-07 is held (restated data)" in decide(answered, EACH).reason
    asked = replace(answered, answers=(Answer("2005-06", 1.0),))
    assert isinstance(decide(asked, EACH), RetrainingRequest)


THUMB = replace(found("shift"), is_baseline=True)


def test_the_rule_of_thumb_is_asked_about_under_the_same_conditions_as_any_champion():
    assert decide(THUMB, EACH).as_of == "2005-07"
    for more, why in (
        ({"cooled_as_of": "2005-08"}, "cooling down after the candidate as of 2005-06"),
        ({"measured": frozenset()}, "wait to be measured"),
        ({"restated": ("it was changed",)}, "held, as it was changed"),
        ({"findings": found("hold").findings}, "2005-07 is held (hold)"),
    ):
        answer = decide(replace(THUMB, **more), EACH)
        assert answer.reason.startswith("the rule of thumb serves; ")
        assert why in answer.reason


@pytest.mark.parametrize("is_baseline", [True, False])
def test_whom_a_person_put_back_serves_until_there_is_something_new(is_baseline):
    known = frozenset(MONTHS[:3])
    back = replace(found("shift"), ready=known, is_baseline=is_baseline, put_back_at="2005-08")
    assert "v1 was put back by a person" in decide(back, EACH).reason
    ready = back.ready | {"2005-09"}
    assert decide(replace(back, ready=ready), EACH).as_of == "2005-09"


@pytest.mark.parametrize("wrong", [{"at_least": 2}, {"at_least": 0}, {"cool_down": -1}])
def test_a_policy_that_cannot_be_met_does_not_load(wrong):
    with pytest.raises(DeclarationError):
        RetrainingPolicy(**wrong)
