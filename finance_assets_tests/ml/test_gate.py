"""The gate: each criterion can fail on its own, and whatever cannot be judged has failed."""

import json
import math
from dataclasses import dataclass, fields, replace

import pytest

from finance_assets.ml import criteria
from finance_assets.ml.assessment import Assessment, Interval
from finance_assets.ml.gate import (
    MANDATORY,
    Criterion,
    Evidence,
    Finding,
    Gate,
    GateReport,
    Verdict,
    evaluate_gate,
)
from finance_assets.use_cases import ALL
from finance_assets.use_cases.credit_default.model import GATE
from finance_assets_tests.ml.evidence import ASSESSMENT, EVIDENCE, FAULTS, GAIN, GOOD, gap, measured


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
def test_without_any_one_criterion_its_faults_would_be_promoted(criterion):
    """Mutation: a criterion that always passes lets through just the faults that it stops."""

    @dataclass(frozen=True)
    class Blind(type(criterion)):
        def judge(self, evidence: Evidence) -> Finding:
            return Finding(True, "", "")

    blind = Blind(**{f.name: getattr(criterion, f.name) for f in fields(criterion)})
    gate = swapped(blind)
    escaped = {name for name, change in FAULTS if judged(change, gate).is_passed}
    assert escaped == {criterion.name}


WEAKER = [
    criteria.Discrimination(min_auc=0.7),
    criteria.BeatsChampion(min_gain=-0.01),
    criteria.Calibration(max_error=0.05),
    criteria.BusinessCost(tolerance=0.1),
    criteria.BeatsBaselines(min_gain=-0.05),
    criteria.Stability(max_psi=0.5),
    criteria.Fairness(min_ratio=0.5, max_gap=0.1),
    criteria.Fairness(min_ratio=0.8, max_gap=0.5),
    criteria.Leakage(max_auc=0.99, max_gain_share=0.95),
    criteria.Leakage(max_auc=0.97, max_gain_share=1.0),
    criteria.EnoughRows(min_rows=900, min_positives=100),
    criteria.EnoughRows(min_rows=1000, min_positives=90),
    criteria.Signature(declared_change="a feature was added"),
]


@pytest.mark.parametrize("weaker", WEAKER, ids=repr)
def test_loosening_any_one_bound_lets_a_fault_through(weaker):
    gate = swapped(weaker)
    escaped = [name for name, change in FAULTS if judged(change, gate).is_passed]
    assert set(escaped) == {weaker.name}


@pytest.mark.parametrize("name", sorted(MANDATORY))
def test_a_gate_that_leaves_out_a_criterion_does_not_load(name):
    with pytest.raises(ValueError, match=name):
        Gate(tuple(c for c in GATE.criteria if c.name != name))


def test_a_gate_with_a_criterion_twice_does_not_load():
    with pytest.raises(ValueError, match="once"):
        Gate((*GATE.criteria, criteria.Calibration(max_error=1.0)))


def test_the_gate_of_every_use_case_is_whole():
    for use_case in ALL.values():
        assert set(use_case.model.gate.names) >= MANDATORY


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_auc_that_is_no_number_fails(value):
    report = judged(measured(candidate=replace(GOOD, auc=value)))
    assert {"discrimination", "beats_champion", "beats_baselines"} <= set(report.failed_criteria)


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
    change = {"champion_version": None, "champion_signature": ()}
    report = judged({**change, "assessment": replace(ASSESSMENT, auc_gain=None)})
    assert report.is_passed
    [verdict] = [v for v in report.verdicts if v.name == "beats_champion"]
    assert "no champion yet" in verdict.observed


def test_not_worse_within_a_stated_margin_can_be_declared():
    worse = {"assessment": replace(ASSESSMENT, auc_gain=replace(GAIN, low=-0.003))}
    assert not judged(worse).is_passed
    assert judged(worse, swapped(criteria.BeatsChampion(min_gain=-0.005))).is_passed


def test_a_gap_between_groups_that_may_be_chance_does_not_fail():
    assert judged(gap(ratio=Interval(0.75, 0.4, 1.1, 0.95))).is_passed
    assert judged(gap(ratio=Interval(0.9, 0.89, 0.91, 0.95))).is_passed


def test_a_use_case_without_protected_attributes_has_to_say_why():
    none = {"assessment": replace(ASSESSMENT, gaps=())}
    assert judged(none).failed_criteria == ["fairness"]
    assert judged(none, swapped(criteria.Fairness(why_none="parcels have no sex"))).is_passed


def test_a_report_that_leaves_a_criterion_out_is_not_a_passed_one():
    whole = judged({})
    assert not GateReport("2", "1", whole.verdicts[1:]).is_passed
    assert not GateReport("2", "1", ()).is_passed


def test_a_stored_report_passes_on_its_verdicts_and_on_nothing_else():
    failed = judged(FAULTS[0][1])
    forged = failed.to_json().replace(
        '"is_passed": false, "verdicts"', '"is_passed": true, "verdicts"'
    )
    assert forged != failed.to_json()
    assert not GateReport.from_json(forged).is_passed
    text = replace(failed.verdicts[0], is_passed="yes")
    assert not GateReport("2", "1", (text, *judged({}).verdicts[1:])).is_passed
    assert GateReport.from_json(judged({}).to_json()).is_passed


@pytest.mark.parametrize("criterion", GATE.criteria, ids=lambda c: c.name)
def test_a_criterion_that_raises_has_failed(criterion):
    @dataclass(frozen=True)
    class Bursting(type(criterion)):
        def judge(self, evidence: Evidence) -> Finding:
            raise RuntimeError("store does not answer")

    bursting = Bursting(**{f.name: getattr(criterion, f.name) for f in fields(criterion)})
    report = judged({}, swapped(bursting))
    assert report.failed_criteria == [criterion.name]
    [verdict] = [v for v in report.verdicts if not v.is_passed]
    assert isinstance(verdict, Verdict)
    assert "store does not answer" in verdict.observed


def test_an_assessment_is_read_back_as_it_was_stored():
    assert Assessment.from_json(ASSESSMENT.to_json()) == ASSESSMENT
