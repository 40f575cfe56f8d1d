"""The gate: each criterion can fail on its own, and whatever cannot be judged has failed."""

import json
import math
from dataclasses import dataclass, replace

import pytest

from finance_assets.codec import from_json, to_json
from finance_assets.ml.criterion import Criterion, Evidence, Finding
from finance_assets.ml.estimates import Estimate, Gain, Interval
from finance_assets.ml.gate import Gate, evaluate_gate
from finance_assets.ml.gate_report import FLOORS, GateReport, Verdict
from finance_assets.ml.tasks import mandatory
from finance_assets.ml.tasks.binary import criteria
from finance_assets.ml.tasks.binary.assessment import Assessment
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.ml.evidence import (
    ASSESSMENT,
    EVIDENCE,
    FAULTS,
    GAIN,
    GOOD,
    around,
    assessed,
    cost_gap,
    gains,
    gap,
    measured,
    without,
)
from finance_assets_tests.scenario import GATE


def judged(change: dict, gate: Gate = GATE) -> GateReport:
    return evaluate_gate(gate, replace(EVIDENCE, **change))


def swapped(criterion: Criterion) -> Gate:
    """The gate with one criterion in the place of its namesake."""
    return Gate(tuple(criterion if c.name == criterion.name else c for c in GATE.criteria))


def test_good_evidence_passes_every_criterion():
    report = judged({})
    assert report.failed_criteria == []
    assert report.is_passed
    assert tuple(verdict.name for verdict in report.verdicts) == GATE.names
    assert json.loads(report.to_json())["is_passed"] is True


def test_every_criterion_has_a_fault_of_its_own():
    assert {name for name, _ in FAULTS} == set(GATE.names)


@pytest.mark.parametrize(("criterion", "change"), FAULTS)
def test_each_fault_fails_its_criterion_and_no_other(criterion, change):
    report = judged(change)
    assert not report.is_passed
    assert report.failed_criteria == [criterion]


@pytest.mark.parametrize("criterion", GATE.criteria, ids=lambda c: c.name)
def test_without_any_one_criterion_its_faults_would_be_promoted(criterion, monkeypatch):
    """Mutation: a criterion that always passes lets through just the faults that it stops."""
    monkeypatch.setattr(type(criterion), "judge", lambda self, evidence: Finding(True, "", ""))
    escaped = {name for name, change in FAULTS if judged(change).is_passed}
    assert escaped == {criterion.name}


def leakage(**change) -> criteria.Leakage:
    [declared] = [c for c in GATE.criteria if c.name == "leakage"]
    return replace(declared, **change)


CALIBRATION = {"max_error": 0.03, "max_shift": 0.5}
EXCEPTIONS = next(c.exceptions for c in GATE.criteria if isinstance(c, criteria.Fairness))
WEAKER = [
    criteria.Discrimination(min_auc=0.7),
    criteria.BeatsChampion(min_gain=0.0),
    criteria.Calibration(**{**CALIBRATION, "max_error": 0.05}),
    criteria.Calibration(**{**CALIBRATION, "max_shift": 0.8}),
    criteria.Calibration(**CALIBRATION, min_slope=0.6),
    criteria.Calibration(**CALIBRATION, max_slope=1.5),
    criteria.BusinessCost(tolerance=0.1),
    criteria.BeatsBaselines(min_gain=-0.05),
    criteria.BeatsBaselines(cost_margin=0.1),
    criteria.Stability(max_psi=0.5),
    criteria.Fairness(min_ratio=0.6, max_gap=0.1, exceptions=EXCEPTIONS),
    criteria.Fairness(min_ratio=0.8, max_gap=0.25, exceptions=EXCEPTIONS),
    leakage(max_auc=0.99),
    leakage(max_gain_share=0.99),
    leakage(max_jump=0.1),
    leakage(max_naive=0.95),
    leakage(max_over_naive=0.1),
    leakage(max_unique=0.05),
    leakage(max_repetition=0.2),
    criteria.EnoughRows(min_rows=900, min_positives=100),
    criteria.EnoughRows(min_rows=1000, min_positives=90),
    criteria.KnownOutcomes(min_share=0.7),
    criteria.Signature(declared_change="a feature was added"),
]


@pytest.mark.parametrize("weaker", WEAKER, ids=repr)
def test_loosening_any_one_bound_lets_a_fault_through(weaker):
    gate = swapped(weaker)
    escaped = [name for name, change in FAULTS if judged(change, gate).is_passed]
    assert set(escaped) == {weaker.name}


FLOOR = FLOORS["binary"]
MANDATORY = set(mandatory.mandatory_types("binary"))
ADDED = {kind.name for kind in mandatory.by_default()}


@pytest.mark.parametrize("name", sorted(MANDATORY - ADDED))
def test_a_gate_that_leaves_out_a_criterion_does_not_load(name):
    with pytest.raises(ValueError, match=name):
        Gate(tuple(c for c in GATE.criteria if c.name != name))


def test_what_has_no_bound_to_declare_is_judged_though_nobody_declares_it():
    declared = tuple(c for c in GATE.criteria if c.name not in ADDED)
    assert set(Gate(declared).names) == MANDATORY


@pytest.mark.parametrize("chosen", [(), tuple(kind() for kind in mandatory.by_default())])
def test_a_gate_that_is_for_no_task_does_not_load(chosen):
    with pytest.raises(ValueError, match="judges one task"):
        Gate(chosen)


def test_a_gate_with_a_criterion_twice_does_not_load():
    with pytest.raises(ValueError, match="once"):
        Gate((*GATE.criteria, criteria.Calibration(max_error=0.1)))


def test_the_gate_of_every_use_case_is_whole():
    for use_case in all_use_cases().values():
        assert set(use_case.model.gate.names) >= set(
            mandatory.mandatory_types(use_case.model.task.name)
        )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_auc_that_is_no_number_fails(value):
    report = judged(measured(candidate=replace(GOOD, auc=value)))
    assert {"discrimination", "beats_champion", "leakage"} <= set(report.failed_criteria)


def test_an_unmeasured_candidate_fails_with_the_reason_why_it_was_not():
    report = judged(
        {
            "measured": {},
            "assessment": None,
            "unmeasured": {"candidate": "ValueError: 7 scores are no numbers"},
        }
    )
    assert {"discrimination", "calibration", "fairness", "artifact"} <= set(report.failed_criteria)
    assert "7 scores are no numbers" in report.verdicts[0].observed


def test_no_champion_yet_is_a_state_that_passes_and_says_so():
    none = {k: v for k, v in ASSESSMENT.gains.items() if k != "champion"}
    change = {"champion_version": None, "champion_signature": (), **without("champion")}
    report = judged({**change, **assessed(gains=none)})
    assert report.is_passed
    [verdict] = [v for v in report.verdicts if v.name == "beats_champion"]
    assert "no champion yet" in verdict.observed


def test_a_champion_whose_files_are_gone_is_none_to_beat_and_the_report_says_so():
    none = {k: v for k, v in ASSESSMENT.gains.items() if k != "champion"}
    gone = {"champion_gone": "its files are gone", "champion_signature": (), **without("champion")}
    report = judged({**gone, **assessed(gains=none)})
    assert report.failed_criteria == []
    [verdict] = [v for v in report.verdicts if v.name == "beats_champion"]
    assert "its files are gone" in verdict.observed
    altered = judged({**gone, **assessed(gains=none), "champion_gone": ""})
    assert "beats_champion" in altered.failed_criteria


def test_not_worse_within_a_stated_margin_can_be_declared():
    worse = gains(champion=replace(GAIN, value=0.0005))
    assert not judged(worse).is_passed
    assert judged(worse, swapped(criteria.BeatsChampion(min_gain=-0.005))).is_passed


def test_a_gain_that_passes_the_first_look_does_not_pass_the_hundredth():
    found = [judged({"looks": look}).is_passed for look in (1, 2, 3, 10, 100, 10_000)]
    assert found[0] is True
    assert found[-1] is False
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("looks", [0, -1])
def test_looks_that_were_not_counted_beat_nothing(looks):
    assert judged({"looks": looks}).failed_criteria == [
        "beats_champion",
        "business_cost",
        "beats_baselines",
    ]


def test_what_surely_beats_the_baselines_at_the_first_look_does_not_at_the_tenth():
    none = {"champion_version": None, "champion_signature": ()}
    ranks = {**none, **gains(naive=Gain(0.011, 0.005))}
    narrow = {**ASSESSMENT.gains, "scorecard": Gain(0.001, 0.002)}
    cheaper = {**ASSESSMENT.cost_gaps, "scorecard": Estimate(-0.005, 0.002)}
    saves = {**none, **assessed(gains=narrow, cost_gaps=cheaper)}
    for first in (ranks, saves):
        assert judged(first).is_passed
        assert judged({**first, "looks": 10}).failed_criteria == ["beats_baselines"]


def test_more_looks_do_not_excuse_a_candidate_that_surely_loses_against_the_scorecard():
    for look in (1, 10):
        lost = judged({**cost_gap(scorecard=Estimate(0.0125, 0.0035)), "looks": look})
        assert "beats_baselines" in lost.failed_criteria


def test_what_is_surely_worth_acting_on_at_the_first_look_is_not_at_the_tenth():
    none = {"champion_version": None, "champion_signature": ()}
    first = {**none, **cost_gap(flag_nobody=Estimate(-0.05, 0.02))}
    assert judged(first).is_passed
    assert judged({**first, "looks": 10}).failed_criteria == ["business_cost"]


def test_a_tolerance_is_one_where_costs_are_gains_too():
    gaining = {**ASSESSMENT.costs, "candidate": -0.25, "champion": -0.26}
    tolerant = swapped(criteria.BusinessCost(tolerance=0.05))
    assert judged(assessed(costs=gaining)).failed_criteria == ["business_cost"]
    assert judged(assessed(costs=gaining), tolerant).is_passed
    more = {**gaining, "champion": -0.27}
    assert judged(assessed(costs=more), tolerant).failed_criteria == ["business_cost"]


def test_a_model_that_only_saves_money_is_worth_it_too():
    cheaper = gains(scorecard=Gain(0.0, 0.002))
    assert judged(cheaper).is_passed
    assert judged(gains(scorecard=Gain(-0.02, 0.002))).failed_criteria == ["beats_baselines"]


def test_an_exception_holds_for_its_group_and_no_other_and_is_shown():
    excused = gap(ratio=around(0.78, 0.01), group="sex=male, age_band=under 25")
    report = judged(excused)
    assert report.is_passed
    [verdict] = [v for v in report.verdicts if v.name == "fairness"]
    assert "By declared exception: sex=male, age_band=under 25" in verdict.observed
    assert verdict.evidence["excused"] == ["sex=male, age_band=under 25"]
    assert len(verdict.evidence["exceptions"]) == 2
    other = gap(ratio=around(0.78, 0.01), group="sex=female, age_band=under 25")
    assert judged(other).failed_criteria == ["fairness"]


def test_a_gap_between_groups_that_may_be_chance_does_not_fail():
    assert judged(gap(ratio=Interval(0.75, 0.4, 1.1, 0.95))).is_passed
    assert judged(gap(ratio=Interval(0.9, 0.89, 0.91, 0.95))).is_passed


def test_a_use_case_without_protected_attributes_has_to_say_why():
    none = {"assessment": replace(ASSESSMENT, gaps=())}
    assert judged(none).failed_criteria == ["fairness"]
    assert judged(none, swapped(criteria.Fairness(why_none="parcels have no sex"))).is_passed


def test_a_report_that_leaves_a_criterion_out_is_not_a_passed_one():
    whole = judged({})
    assert not replace(whole, verdicts=whole.verdicts[1:]).is_passed
    assert not replace(whole, verdicts=()).is_passed
    assert not replace(whole, verdicts=(), mandatory=()).is_passed
    assert not replace(whole, verdicts=(*whole.verdicts, whole.verdicts[0])).is_passed
    assert not replace(whole, gate_digest="").is_passed


def test_a_stored_report_passes_on_its_verdicts_and_on_nothing_else():
    failed = judged(FAULTS[0][1])
    forged = failed.to_json().replace(
        '"is_passed": false, "mandatory"', '"is_passed": true, "mandatory"'
    )
    assert forged != failed.to_json()
    assert not GateReport.from_json(forged).is_passed
    text = replace(failed.verdicts[0], is_passed="yes")
    assert not replace(judged({}), verdicts=(text, *judged({}).verdicts[1:])).is_passed
    assert GateReport.from_json(judged({}).to_json()).is_passed


@pytest.mark.parametrize("criterion", GATE.criteria, ids=lambda c: c.name)
def test_a_criterion_that_raises_has_failed(criterion, monkeypatch):
    def burst(self, evidence):
        raise RuntimeError("store does not answer")

    monkeypatch.setattr(type(criterion), "judge", burst)
    report = judged({})
    assert report.failed_criteria == [criterion.name]
    [verdict] = [v for v in report.verdicts if not v.is_passed]
    assert isinstance(verdict, Verdict)
    assert "store does not answer" in verdict.observed


def test_an_assessment_is_read_back_as_it_was_stored():
    assert from_json(Assessment, to_json(ASSESSMENT)) == ASSESSMENT


def impostor(criterion: Criterion) -> Criterion:
    """A subclass that always passes, under the name of the criterion it replaces."""

    @dataclass(frozen=True)
    class Blind(type(criterion)):
        def judge(self, evidence: Evidence) -> Finding:
            return Finding(True, "", "")

    return Blind(**vars(criterion))


@pytest.mark.parametrize("criterion", GATE.criteria, ids=lambda c: c.name)
def test_a_subclass_in_the_place_of_a_criterion_does_not_load(criterion):
    with pytest.raises(ValueError, match=f"criterion {criterion.name} is a .*exactly finance"):
        swapped(impostor(criterion))


def test_a_class_of_ones_own_under_a_known_name_does_not_load():
    @dataclass(frozen=True)
    class Mine(Criterion):
        name = "fairness"
        sentence = "All is well."

        def judge(self, evidence: Evidence) -> Finding:
            return Finding(True, "", "")

    with pytest.raises(ValueError, match="criterion fairness is a"):
        swapped(Mine())


def test_a_judge_set_on_an_instance_is_not_asked():
    [declared] = [c for c in GATE.criteria if c.name == "discrimination"]
    tampered = replace(declared)
    object.__setattr__(tampered, "judge", lambda evidence: Finding(True, "", ""))
    fault = FAULTS[0][1]
    assert judged(fault, swapped(tampered)).failed_criteria == ["discrimination"]


def test_a_criterion_of_the_use_cases_own_can_only_be_added():
    @dataclass(frozen=True)
    class NotOnFridays(Criterion):
        name = "not_on_fridays"
        sentence = "Nobody is there to look."

        def judge(self, evidence: Evidence) -> Finding:
            return Finding(False, "another day", "Friday")

    report = judged({}, Gate((*GATE.criteria, NotOnFridays())))
    assert report.failed_criteria == ["not_on_fridays"]
    assert not report.is_passed


EMPTY_BOUNDS = [
    (lambda: criteria.Discrimination(min_auc=0), "Discrimination: min_auc=0"),
    (lambda: criteria.Discrimination(min_auc=math.nan), "Discrimination: min_auc=nan"),
    (lambda: criteria.Discrimination(min_auc="0.8"), "Discrimination: min_auc='0.8'"),
    (lambda: criteria.Discrimination(min_auc=True), "Discrimination: min_auc=True"),
    (lambda: criteria.BeatsChampion(min_gain=-1.0), "BeatsChampion: min_gain=-1.0"),
    (lambda: criteria.Calibration(max_error=1.0), "Calibration: max_error=1.0"),
    (lambda: criteria.Calibration(0.03, min_slope=-9), "Calibration: min_slope=-9"),
    (lambda: criteria.Calibration(0.03, max_slope=9), "Calibration: max_slope=9"),
    (lambda: criteria.Calibration(0.03, max_shift=9), "Calibration: max_shift=9"),
    (lambda: criteria.BusinessCost(tolerance=10), "BusinessCost: tolerance=10"),
    (lambda: criteria.BeatsBaselines(min_gain=-1), "BeatsBaselines: min_gain=-1"),
    (lambda: criteria.BeatsBaselines(cost_margin=1), "BeatsBaselines: cost_margin=1"),
    (lambda: criteria.Stability(max_psi=math.inf), "Stability: max_psi=inf"),
    (lambda: criteria.Fairness(min_ratio=0), "Fairness: min_ratio=0"),
    (lambda: criteria.Fairness(max_gap=1), "Fairness: max_gap=1"),
    (lambda: criteria.Leakage(max_auc=1), "Leakage: max_auc=1"),
    (lambda: leakage(max_gain_share=1.0), "Leakage: max_gain_share=1.0"),
    (lambda: leakage(max_jump=1.0), "Leakage: max_jump=1.0"),
    (lambda: leakage(max_naive=1.0), "Leakage: max_naive=1.0"),
    (lambda: leakage(max_over_naive=1.0), "Leakage: max_over_naive=1.0"),
    (lambda: leakage(max_unique=1.0), "Leakage: max_unique=1.0"),
    (lambda: leakage(max_repetition=1.0), "Leakage: max_repetition=1.0"),
    (lambda: criteria.EnoughRows(min_rows=0), "EnoughRows: min_rows=0"),
    (lambda: criteria.EnoughRows(min_positives=0), "EnoughRows: min_positives=0"),
    (
        lambda: criteria.FairnessException("everybody", 0.7, 0.2, "reason " * 9),
        "FairnessException: group='everybody'",
    ),
    (
        lambda: criteria.FairnessException("sex=male", 0.7, 0.2, "because"),
        "reason='because'",
    ),
    (
        lambda: criteria.FairnessException("sex=male", 0.0, 0.2, "reason " * 9),
        "FairnessException: min_ratio=0.0",
    ),
    (
        lambda: criteria.Fairness(exceptions=(EXCEPTIONS[0], EXCEPTIONS[0])),
        "Fairness: exceptions=",
    ),
]


@pytest.mark.parametrize(("declare", "message"), EMPTY_BOUNDS, ids=[m for _, m in EMPTY_BOUNDS])
def test_a_bound_that_says_nothing_does_not_load_and_the_error_says_what_may(declare, message):
    with pytest.raises(ValueError, match="allowed: ") as error:
        declare()
    assert message in str(error.value)


def test_a_report_carries_the_digest_of_its_gate_which_every_bound_is_part_of():
    digests = {swapped(weaker).digest for weaker in WEAKER}
    assert len(digests | {GATE.digest}) == len(WEAKER) + 1
    assert judged({}).gate_digest == GATE.digest
    assert GateReport.from_json(judged({}).to_json()).to_json() == judged({}).to_json()


def test_a_criterion_that_becomes_mandatory_later_does_not_undo_an_old_promotion(monkeypatch):
    class Carbon(Criterion):
        name = "carbon"

        def __init__(self, grams):
            """A bound to declare."""

    stored = judged({}).to_json()
    monkeypatch.setattr(mandatory, "EVERYWHERE", (*mandatory.EVERYWHERE, Carbon))
    assert GateReport.from_json(stored).is_passed
    with pytest.raises(ValueError, match="carbon"):
        Gate(GATE.criteria)


@pytest.mark.parametrize("name", sorted(FLOOR))
def test_a_report_with_a_set_of_its_own_never_passes_without_the_first_fourteen(name):
    whole = judged({})
    left = tuple(v for v in whole.verdicts if v.name != name)
    for named in ((), tuple(sorted(FLOOR - {name}))):
        assert not replace(whole, verdicts=left, mandatory=named).is_passed
    assert len(FLOOR) == 14
    assert FLOOR <= MANDATORY


def test_a_report_is_held_to_the_set_it_names_itself():
    whole = judged({})
    assert not replace(whole, mandatory=(*whole.mandatory, "carbon")).is_passed


def test_what_is_tried_against_the_gate_are_more_than_100_faults_and_attacks():
    assert len(FAULTS) + len(EMPTY_BOUNDS) + len(WEAKER) >= 100
