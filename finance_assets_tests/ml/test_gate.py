"""The gate: each criterion can fail on its own, and whatever cannot be judged has failed."""

import json
import math
from dataclasses import replace

import pytest

from finance_assets.ml import gate
from finance_assets.ml.gate import CRITERIA, REQUIRED_TAGS, Evidence, GateReport, evaluate_gate
from finance_assets.ml.metrics import Metrics
from finance_assets.ml.spec import GateLimits

GOOD = Metrics(5000, 600, 0.85, 0.6, 0.06, 0.01, 0.6, (5.0,) * 10)
EVIDENCE = Evidence(
    candidate_version="2",
    candidate=GOOD,
    champion_version="1",
    champion=replace(GOOD, auc=0.84),
    tags=dict.fromkeys(REQUIRED_TAGS, "x"),
    signature=("a", "b"),
    expected_signature=("a", "b"),
    data_checks={"features[2005-04]": ()},
    limits=GateLimits(min_auc=0.75, max_calibration_error=0.03),
)


def test_good_evidence_passes_every_criterion():
    report = evaluate_gate(EVIDENCE)
    assert report.is_passed
    assert report.failed_criteria == []
    assert [verdict.name for verdict in report.verdicts] == [c.name for c in CRITERIA]
    assert json.loads(report.to_json())["is_passed"] is True


BROKEN = [
    ("auc_floor", {"candidate": replace(GOOD, auc=0.74), "champion": replace(GOOD, auc=0.7)}),
    ("beats_champion", {"champion": replace(GOOD, auc=0.86)}),
    ("beats_champion", {"champion": None}),
    ("beats_champion", {"champion": replace(GOOD, auc=math.nan)}),
    ("calibration", {"candidate": replace(GOOD, calibration_error=0.031)}),
    ("calibration", {"candidate": replace(GOOD, calibration_error=math.nan)}),
    ("enough_rows", {"candidate": replace(GOOD, rows=999)}),
    ("enough_rows", {"candidate": replace(GOOD, positives=99)}),
    *[("required_tags", {"tags": {**EVIDENCE.tags, tag: ""}}) for tag in REQUIRED_TAGS],
    ("signature", {"signature": ("a", "b", "leak")}),
    ("signature", {"signature": ("b", "a")}),
    ("signature", {"signature": (), "expected_signature": ()}),
    ("data_checks", {"data_checks": {"features[2005-04]": ("keys_unique",)}}),
    ("data_checks", {"data_checks": {}}),
]


@pytest.mark.parametrize(("criterion", "change"), BROKEN)
def test_each_fault_fails_its_criterion_and_no_other(criterion, change):
    report = evaluate_gate(replace(EVIDENCE, **change))
    assert not report.is_passed
    assert report.failed_criteria == [criterion]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_auc_that_is_no_number_fails(value):
    report = evaluate_gate(replace(EVIDENCE, candidate=replace(GOOD, auc=value)))
    assert report.failed_criteria == ["auc_floor", "beats_champion"]


def test_an_unmeasured_candidate_fails_everything_that_needs_a_measure():
    report = evaluate_gate(replace(EVIDENCE, candidate=None))
    assert report.failed_criteria == ["auc_floor", "beats_champion", "calibration", "enough_rows"]
    assert "was not measured" in report.verdicts[0].observed


def test_no_champion_yet_is_a_state_that_passes_and_says_so():
    report = evaluate_gate(replace(EVIDENCE, champion_version=None, champion=None))
    assert report.is_passed
    assert "no champion yet" in report.verdicts[1].observed


def test_as_good_as_the_champion_is_good_enough_unless_a_gain_is_asked_for():
    even = replace(EVIDENCE, champion=GOOD)
    assert evaluate_gate(even).is_passed
    limits = replace(EVIDENCE.limits, min_auc_gain=0.001)
    assert evaluate_gate(replace(even, limits=limits)).failed_criteria == ["beats_champion"]


def test_a_report_that_leaves_a_criterion_out_is_not_a_passed_one():
    whole = evaluate_gate(EVIDENCE)
    assert not GateReport("2", "1", whole.verdicts[1:]).is_passed
    assert not GateReport("2", "1", ()).is_passed


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: c.name)
def test_weakening_any_criterion_would_let_a_fault_through(monkeypatch, criterion):
    """Mutation of the gate: with a criterion that always passes, its faults are promoted."""
    always = replace(criterion, judge=lambda evidence: gate.Finding(True, "", ""))
    mutated = tuple(always if c is criterion else c for c in CRITERIA)
    monkeypatch.setattr(gate, "CRITERIA", mutated)
    escaped = [n for n, change in BROKEN if evaluate_gate(replace(EVIDENCE, **change)).is_passed]
    assert set(escaped) == {criterion.name}


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda c: c.name)
def test_a_criterion_that_raises_has_failed(monkeypatch, criterion):
    def burst(evidence):
        raise RuntimeError("store does not answer")

    broken = tuple(replace(c, judge=burst) if c is criterion else c for c in CRITERIA)
    monkeypatch.setattr(gate, "CRITERIA", broken)
    report = evaluate_gate(EVIDENCE)
    assert report.failed_criteria == [criterion.name]
    assert not report.is_passed
