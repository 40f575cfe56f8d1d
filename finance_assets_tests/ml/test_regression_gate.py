"""The gate of a regression: each criterion can fail on its own, and nothing unjudged passes."""

import math
from dataclasses import replace

import pytest

from finance_assets.errors import DeclarationError
from finance_assets.ml.criteria.provenance import REQUIRED_TAGS
from finance_assets.ml.criterion import Evidence, Finding
from finance_assets.ml.estimates import Estimate, Gain, Interval
from finance_assets.ml.gate import Gate, evaluate_gate
from finance_assets.ml.gate_report import FLOORS
from finance_assets.ml.known import Known
from finance_assets.ml.repetition import Repetition
from finance_assets.ml.tasks import binary
from finance_assets.ml.tasks.mandatory import by_default, mandatory_types
from finance_assets.ml.tasks.regression import Regression, criteria
from finance_assets.ml.tasks.regression.assessment import RegressionAssessment
from finance_assets.ml.tasks.regression.groups import GroupError
from finance_assets.ml.tasks.regression.metrics import RegressionMetrics
from finance_assets_tests.kiosk import GATE, Kiosk
from finance_assets_tests.scenario import USE_CASE

GOOD = RegressionMetrics(700, 2.0, 2.6, 0.05, 0.01, 0.8, 6.4, 0.5)
GROUP = GroupError("region", "region=north", 350, 2.0, Interval(1.0, 0.95, 1.05, 0.99))
ASSESSMENT = RegressionAssessment(
    unit="pieces",
    block=1,
    naive="sold",
    naive_mae=5.0,
    gains={"naive": Gain(0.55, 0.01), "champion": Gain(0.05, 0.005, (0.551, 0.549, 0.55))},
    relative_error=Estimate(0.4, 0.01),
    bias=Estimate(0.01, 0.01),
    coverage=Estimate(0.8, 0.01),
    stability={"2024-01-07": 0.05},
    groups=(GROUP,),
    small_groups={},
    unjudged={},
    gain_shares={"sold": 0.7, "warmth": 0.3},
    alone={"sold": 0.5, "warmth": 0.4},
    unique={"sold": 0.5, "warmth": 0.2},
    repetition=Repetition(0.02, 0.01, "2024-01-01", ("sold", "warmth")),
    repeated_rows=0,
)
EXPECTED = {"dataset_version": "features@1", "train_rows": "100"}
EVIDENCE = Evidence(
    candidate_version="2",
    champion_version="1",
    measured={"candidate": GOOD, "champion": replace(GOOD, mae=2.3), "naive": replace(GOOD, mae=5)},
    unmeasured={},
    assessment=ASSESSMENT,
    tags={**dict.fromkeys(REQUIRED_TAGS, "x"), **EXPECTED, "artifact_sha256": "abc", "env": "dev"},
    expected=EXPECTED,
    signature=("sold", "warmth"),
    expected_signature=("sold", "warmth"),
    champion_signature=("sold", "warmth"),
    data_checks={"features[2024-01-01]": ()},
    retrained_sha256="abc",
    looks=1,
    known=(Known("2024-01-01", False, 80, 100), Known("2024-01-02", True, 80, 100)),
)


def assessed(**changes):
    return {"assessment": replace(ASSESSMENT, **changes)}


def measured(role, **changes):
    return {"measured": {**EVIDENCE.measured, role: replace(EVIDENCE.measured[role], **changes)}}


def gains(**changes):
    return assessed(gains={**ASSESSMENT.gains, **changes})


def ratio(value, low):
    return assessed(groups=(replace(GROUP, ratio=Interval(value, low, value + 0.1, 0.99)),))


FAULTS = [
    ("accuracy", assessed(relative_error=Estimate(0.95, 0.01))),
    ("accuracy", assessed(relative_error=Estimate(0.85, 0.1))),
    ("accuracy", measured("candidate", rmse=math.nan)),
    ("accuracy", assessed(relative_error=Estimate(math.nan, 0.01))),
    ("beats_baseline", gains(naive=Gain(0.04, 0.001))),
    ("beats_baseline", gains(naive=Gain(0.1, 0.05))),
    ("beats_baseline", {"measured": {k: v for k, v in EVIDENCE.measured.items() if k != "naive"}}),
    ("beats_champion", gains(champion=Gain(0.001, 0.0001, (0.5, 0.5, 0.5)))),
    ("beats_champion", gains(champion=Gain(0.05, 0.005, (0.5, 0.6, 0.4)))),
    ("beats_champion", gains(champion=Gain(0.05, 0.005))),
    ("beats_champion", measured("champion", mae=math.inf)),
    ("bias", assessed(bias=Estimate(0.3, 0.01))),
    ("bias", assessed(bias=Estimate(-0.3, 0.01))),
    ("bias", assessed(bias=Estimate(0.15, 0.1))),
    ("bias", assessed(bias=Estimate(math.nan, 0.1))),
    ("interval_coverage", assessed(coverage=Estimate(0.6, 0.01))),
    ("interval_coverage", assessed(coverage=Estimate(0.98, 0.01))),
    ("interval_coverage", assessed(coverage=Estimate(0.8, 0.1))),
    ("interval_coverage", measured("candidate", width=0.0)),
    ("fairness", ratio(1.4, 1.2)),
    ("fairness", assessed(unjudged={"region": "7 rows without a value"})),
    ("fairness", assessed(groups=())),
    ("fairness", ratio(math.nan, math.nan)),
    ("leakage", assessed(alone={"sold": 0.5, "warmth": 0.99})),
    ("leakage", assessed(unique={"sold": 0.5, "warmth": 0.6})),
    ("leakage", assessed(gain_shares={"sold": 0.99, "warmth": 0.01})),
    ("leakage", assessed(repetition=Repetition(0.9, 0.1, "2024-01-01", ("sold",)))),
    ("leakage", gains(naive=Gain(0.9, 0.01))),
    ("leakage", gains(champion=Gain(0.4, 0.005, (0.551, 0.549, 0.55)))),
    ("leakage", assessed(alone={})),
    ("enough_rows", measured("candidate", rows=199)),
    ("enough_rows", assessed(repeated_rows=1)),
    ("stability", assessed(stability={"2024-01-07": 0.9})),
    ("point_in_time", {"tags": {**EVIDENCE.tags, "train_rows": "99"}}),
    ("artifact", {"retrained_sha256": "abd"}),
    ("signature", {"signature": ("warmth", "sold"), "champion_signature": ("warmth", "sold")}),
    ("required_tags", {"tags": {k: v for k, v in EVIDENCE.tags.items() if k != "owner"}}),
    ("data_checks", {"data_checks": {"features[2024-01-01]": ("keys_unique",)}}),
    ("known_outcomes", {"known": (Known("2024-01-01", False, 79, 100), EVIDENCE.known[1])}),
    ("known_outcomes", {"known": EVIDENCE.known[:1]}),
]


def judged(change, gate=GATE):
    return evaluate_gate(gate, replace(EVIDENCE, **change))


def test_good_evidence_passes_every_criterion():
    assert judged({}).failed_criteria == []
    assert judged({}).is_passed


def test_every_criterion_has_a_fault_of_its_own():
    assert {name for name, _ in FAULTS} == set(GATE.names)


@pytest.mark.parametrize(("criterion", "change"), FAULTS)
def test_each_fault_fails_its_criterion_and_no_other(criterion, change):
    assert judged(change).failed_criteria == [criterion]
    assert not judged(change).is_passed


def test_looks_that_were_not_counted_beat_nothing():
    assert judged({"looks": 0}).failed_criteria == ["accuracy", "beats_baseline", "beats_champion"]


@pytest.mark.parametrize(
    ("criterion", "change"),
    [
        ("accuracy", assessed(relative_error=Estimate(0.88, 0.009))),
        ("beats_baseline", gains(naive=Gain(0.07, 0.009))),
    ],
)
def test_what_is_sure_at_the_first_look_is_not_at_the_tenth(criterion, change):
    first = {"champion_version": None, "champion_signature": (), **change}
    assert judged(first).is_passed
    assert judged({**first, "looks": 10}).failed_criteria == [criterion]


@pytest.mark.parametrize("criterion", GATE.criteria, ids=lambda c: c.name)
def test_without_any_one_criterion_its_faults_would_be_promoted(criterion, monkeypatch):
    monkeypatch.setattr(type(criterion), "judge", lambda self, evidence: Finding(True, "", ""))
    assert {name for name, change in FAULTS if judged(change).is_passed} == {criterion.name}


@pytest.mark.parametrize(
    "name", sorted(set(mandatory_types("regression")) - {kind.name for kind in by_default()})
)
def test_a_gate_that_leaves_out_a_criterion_does_not_load(name):
    with pytest.raises(ValueError, match=name):
        Gate(tuple(c for c in GATE.criteria if c.name != name))


def test_it_has_as_many_mandatory_criteria_as_a_binary_gate():
    assert len(FLOORS["regression"]) == len(FLOORS["binary"]) == 14
    assert set(mandatory_types("regression")) >= FLOORS["regression"]


def test_a_report_of_another_task_does_not_pass_on_this_ones_criteria():
    whole = judged({})
    assert not replace(whole, task="binary").is_passed
    assert not replace(whole, task="clustering").is_passed


def test_a_criterion_of_another_task_is_no_stand_in():
    with pytest.raises(ValueError, match="judges one task"):
        Gate((*GATE.criteria, binary.criteria.Discrimination(min_auc=0.7)))


def test_a_gate_of_another_task_does_not_load_with_the_model():
    with pytest.raises(Exception, match="gate: judges regression models"):
        replace(USE_CASE.model, gate=GATE)


def test_a_gate_that_judges_other_intervals_than_the_task_promises_does_not_load():
    with pytest.raises(DeclarationError, match=r"judges intervals of 0.8, .* promises 0.95"):
        Kiosk(task=Regression(unit="pieces", coverage=0.95)).model()


@pytest.mark.parametrize(
    "declare",
    [
        lambda: criteria.Accuracy(max_relative_error=1.5),
        lambda: criteria.BeatsBaseline(min_skill=-0.1),
        lambda: criteria.BeatsChampion(min_gain=-1),
        lambda: criteria.Bias(max_share=5),
        lambda: criteria.IntervalCoverage(coverage=0.8, max_gap=0.8),
        lambda: criteria.Fairness(max_ratio=10),
        lambda: criteria.Leakage(max_skill=1.0),
        lambda: criteria.Leakage(max_alone=1.0),
        lambda: criteria.EnoughRows(min_rows=1),
    ],
)
def test_bounds_that_say_nothing_do_not_load(declare):
    with pytest.raises(ValueError, match="allowed: a number from"):
        declare()
