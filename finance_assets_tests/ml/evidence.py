"""Evidence of a good candidate, and of every way in which one can be bad: shared by tests."""

import math
from dataclasses import replace

from finance_assets.ml.criterion import Evidence
from finance_assets.ml.estimates import Estimate, Gain, Interval
from finance_assets.ml.gate import Gate
from finance_assets.ml.known import Known
from finance_assets.ml.repetition import Repetition
from finance_assets.ml.tasks.binary import criteria
from finance_assets.ml.tasks.binary.assessment import Assessment
from finance_assets.ml.tasks.binary.criteria import REQUIRED_TAGS
from finance_assets.ml.tasks.binary.groups import GroupGap
from finance_assets.ml.tasks.binary.metrics import BinaryMetrics, Recalibration
from finance_assets_tests.scenario import GATE

GOOD = BinaryMetrics(5000, 600, 0.85, 0.6, 0.06, 0.01, 0.6, (5.0,) * 10)
GAIN = Gain(0.01, 0.002, (0.8501, 0.8499, 0.85))
GAP = GroupGap(
    attribute="sex",
    group="sex=male",
    threshold=0.2,
    rows=2000,
    reference="sex=female",
    rate=0.8,
    ratio=Interval(0.95, 0.93, 0.97, 0.99),
    deserving_reference="sex=female",
    deserving_rate=0.9,
    opportunity_gap=Interval(-0.02, -0.03, -0.01, 0.99),
)
COSTS = {
    "candidate": 0.25,
    "champion": 0.26,
    "scorecard": 0.26,
    "flag_nobody": 0.7,
    "flag_everybody": 0.9,
}
RECALIBRATION = Recalibration(Interval(1.0, 0.95, 1.05, 0.95), Interval(0.0, -0.1, 0.1, 0.95))
REPETITION = Repetition(0.2, 0.18, "2005-06", ("a", "b"))
ASSESSMENT = Assessment(
    threshold=0.2,
    threshold_reason="declared",
    cost_unit="calls",
    costs=COSTS,
    cost_gaps={
        "champion": Estimate(-0.01, 0.002),
        "scorecard": Estimate(-0.01, 0.002),
        "flag_nobody": Estimate(-0.45, 0.02),
        "flag_everybody": Estimate(-0.65, 0.02),
    },
    gains={"champion": GAIN, "scorecard": Gain(0.02, 0.002), "naive": Gain(0.05, 0.005)},
    recalibration=RECALIBRATION,
    stability={"2005-07": 0.01},
    gaps=(GAP,),
    small_groups={},
    unjudged={},
    gain_shares={"a": 0.7, "b": 0.3},
    naive="a",
    alone={"a": 0.8, "b": 0.6},
    unique={"a": 0.2, "b": 0.001},
    repetition=REPETITION,
    repeated_rows=0,
)
EXPECTED = {"dataset_version": "features@1", "train_window": "2005-04", "train_rows": "100"}
EVIDENCE = Evidence(
    candidate_version="2",
    champion_version="1",
    measured={
        "candidate": GOOD,
        "champion": replace(GOOD, auc=0.84),
        "scorecard": replace(GOOD, auc=0.83),
        "naive": replace(GOOD, auc=0.8),
    },
    unmeasured={},
    assessment=ASSESSMENT,
    tags={
        **dict.fromkeys(REQUIRED_TAGS, "x"),
        **EXPECTED,
        "artifact_sha256": "abc",
        "env": "dev",
    },
    expected=EXPECTED,
    signature=("a", "b"),
    expected_signature=("a", "b"),
    champion_signature=("a", "b"),
    data_checks={"features[2005-04]": ()},
    retrained_sha256="abc",
    looks=1,
    known=(Known("2005-04", False, 80, 100), Known("2005-05", True, 80, 100)),
)


def measured(**roles: BinaryMetrics) -> dict:
    """The measured models, some of them otherwise."""
    return {"measured": {**EVIDENCE.measured, **roles}}


def without(role: str) -> dict:
    """The measured models without one."""
    return {"measured": {k: v for k, v in EVIDENCE.measured.items() if k != role}}


def assessed(**change) -> dict:
    """The assessment, changed in some part."""
    return {"assessment": replace(ASSESSMENT, **change)}


def gap(ratio=GAP.ratio, opportunity=GAP.opportunity_gap, **change) -> dict:
    """An assessment with another gap between the groups."""
    return assessed(gaps=(replace(GAP, ratio=ratio, opportunity_gap=opportunity, **change),))


def gains(**roles: Gain) -> dict:
    """The gains over the other models, some of them otherwise."""
    return assessed(gains={**ASSESSMENT.gains, **roles})


def cost_gap(**roles: Estimate) -> dict:
    """The differences in cost to the other models, some of them otherwise."""
    return assessed(cost_gaps={**ASSESSMENT.cost_gaps, **roles})


def no_cost_gap(role: str) -> dict:
    """The differences in cost without one."""
    return assessed(cost_gaps={k: v for k, v in ASSESSMENT.cost_gaps.items() if k != role})


def recalibrated(slope=RECALIBRATION.slope, shift=RECALIBRATION.shift) -> dict:
    """An assessment with another line through the scores."""
    return assessed(recalibration=Recalibration(slope, shift))


def around(value: float, reach: float) -> Interval:
    """An interval of this half-width."""
    return Interval(value, value - reach, value + reach, 0.95)


# As lenient as bounds may be, where a test has 2,000 accounts and is about something else.
EASY_GATE = Gate(
    tuple(
        {
            "beats_baselines": criteria.BeatsBaselines(min_gain=-0.05, cost_margin=0.1),
            "business_cost": criteria.BusinessCost(tolerance=0.1),
            "beats_champion": criteria.BeatsChampion(min_gain=-0.05),
            "calibration": criteria.Calibration(0.1, 0.5, 2.0, 1.0),
            "fairness": criteria.Fairness(min_ratio=0.6, max_gap=0.25),
            "leakage": criteria.Leakage(
                max_auc=0.97, max_jump=0.1, max_unique=0.05, max_repetition=0.2
            ),
        }.get(criterion.name, criterion)
        for criterion in GATE.criteria
    )
)

NAN = math.nan
LOW = replace(GOOD, auc=0.74)
LOW_BASELINES = {"scorecard": replace(GOOD, auc=0.7), "naive": replace(GOOD, auc=0.7)}

# Each fault fails its criterion and no other.
FAULTS = [
    ("discrimination", measured(candidate=LOW, **LOW_BASELINES)),
    ("beats_champion", gains(champion=replace(GAIN, value=-0.01))),
    ("beats_champion", gains(champion=replace(GAIN, value=0.0))),
    ("beats_champion", gains(champion=replace(GAIN, value=0.005))),
    ("beats_champion", gains(champion=replace(GAIN, error=NAN))),
    ("beats_champion", gains(champion=replace(GAIN, reseeded=(0.85, 0.86, 0.84)))),
    ("beats_champion", gains(champion=replace(GAIN, reseeded=(0.85, NAN, 0.85)))),
    ("beats_champion", gains(champion=replace(GAIN, reseeded=()))),
    ("beats_champion", gains(champion=replace(GAIN, reseeded=(0.85, 0.85)))),
    (
        "beats_champion",
        assessed(gains={k: v for k, v in ASSESSMENT.gains.items() if k != "champion"}),
    ),
    ("beats_champion", without("champion")),
    ("beats_champion", {"looks": 10_000}),
    ("calibration", measured(candidate=replace(GOOD, calibration_error=0.031))),
    ("calibration", measured(candidate=replace(GOOD, calibration_error=NAN))),
    ("calibration", recalibrated(slope=around(0.7, 0.02))),
    ("calibration", recalibrated(slope=around(1.4, 0.02))),
    ("calibration", recalibrated(slope=around(1.0, 3.0))),
    ("calibration", recalibrated(slope=around(NAN, NAN))),
    ("calibration", recalibrated(shift=around(0.6, 0.02))),
    ("calibration", recalibrated(shift=around(-0.6, 0.02))),
    ("calibration", recalibrated(shift=around(NAN, 0.0))),
    ("business_cost", assessed(costs={**COSTS, "candidate": 0.27})),
    # Costs are gains here, and the champion gains more by more than a tenth of it.
    ("business_cost", assessed(costs={**COSTS, "candidate": -0.26, "champion": -0.29})),
    # It never acts, or always.
    ("business_cost", cost_gap(flag_nobody=Estimate(0.0, 0.0))),
    ("business_cost", cost_gap(flag_everybody=Estimate(0.0, 0.0))),
    # It acts on a row or two.
    ("business_cost", cost_gap(flag_nobody=Estimate(-0.001, 0.001))),
    ("business_cost", cost_gap(flag_nobody=Estimate(0.05, 0.02))),
    ("business_cost", cost_gap(flag_everybody=Estimate(0.05, 0.02))),
    ("business_cost", cost_gap(flag_everybody=Estimate(-0.65, NAN))),
    ("business_cost", no_cost_gap("flag_nobody")),
    ("business_cost", assessed(costs={**COSTS, "candidate": NAN})),
    ("business_cost", assessed(costs={k: v for k, v in COSTS.items() if k != "champion"})),
    ("beats_baselines", gains(naive=Gain(-0.01, 0.005))),
    ("beats_baselines", gains(naive=Gain(0.005, 0.005))),
    ("beats_baselines", gains(naive=Gain(0.05, NAN))),
    ("beats_baselines", gains(scorecard=Gain(-0.01, 0.002))),
    ("beats_baselines", cost_gap(scorecard=Estimate(0.01, 0.002))),
    ("beats_baselines", cost_gap(scorecard=Estimate(-0.01, NAN))),
    ("beats_baselines", no_cost_gap("scorecard")),
    (
        "beats_baselines",
        assessed(
            gains={**ASSESSMENT.gains, "scorecard": Gain(0.001, 0.002)},
            cost_gaps={**ASSESSMENT.cost_gaps, "scorecard": Estimate(-0.001, 0.002)},
        ),
    ),
    ("beats_baselines", without("scorecard")),
    ("beats_baselines", without("naive")),
    ("stability", assessed(stability={"2005-07": 0.3})),
    ("stability", assessed(stability={"2005-07": 0.01, "2005-08": NAN})),
    ("stability", assessed(stability={})),
    ("fairness", gap(ratio=Interval(0.7, 0.6, 0.8, 0.95))),
    ("fairness", gap(opportunity=Interval(-0.15, -0.2, -0.1, 0.95))),
    ("fairness", gap(ratio=Interval(NAN, NAN, NAN, 0.95))),
    ("fairness", gap(opportunity=around(NAN, NAN))),
    ("fairness", gap(ratio=around(0.78, 0.01), group="sex=male, age_band=under 26")),
    ("fairness", gap(ratio=around(0.7, 0.01), group="sex=male, age_band=under 25")),
    ("fairness", gap(opportunity=around(-0.17, 0.01), group="sex=male, age_band=under 25")),
    ("fairness", assessed(gaps=(GAP, replace(GAP, threshold=0.4, ratio=around(0.7, 0.1))))),
    ("fairness", assessed(gaps=())),
    ("fairness", assessed(unjudged={"age": "fewer than two groups of enough rows"})),
    ("leakage", measured(candidate=replace(GOOD, auc=0.98), champion=replace(GOOD, auc=0.95))),
    ("leakage", measured(champion=replace(GOOD, auc=0.79))),
    ("leakage", assessed(alone={"a": 0.93, "b": 0.6})),
    ("leakage", assessed(alone={"a": 0.8, "b": 0.83})),
    ("leakage", assessed(alone={"a": 0.8, "b": NAN})),
    ("leakage", assessed(alone={"b": 0.6})),
    ("leakage", assessed(unique={"a": 0.2, "b": 0.015})),
    ("leakage", assessed(unique={"a": 0.2, "b": NAN})),
    ("leakage", assessed(unique={})),
    ("leakage", assessed(repetition=replace(REPETITION, share=0.3))),
    ("leakage", assessed(repetition=replace(REPETITION, usual=NAN))),
    ("leakage", assessed(gain_shares={"a": 0.99, "b": 0.01})),
    ("leakage", assessed(gain_shares={})),
    ("enough_rows", measured(candidate=replace(GOOD, rows=999))),
    ("enough_rows", measured(candidate=replace(GOOD, positives=99))),
    ("enough_rows", measured(candidate=replace(GOOD, positives=4901))),
    ("enough_rows", assessed(repeated_rows=1)),
    ("point_in_time", {"expected": {**EXPECTED, "train_window": "2005-05"}}),
    ("point_in_time", {"expected": {**EXPECTED, "dataset_version": "features@2"}}),
    ("point_in_time", {"expected": {**EXPECTED, "train_rows": "101"}}),
    ("point_in_time", {"expected": {}}),
    ("artifact", {"artifact_problem": "ModelError: altered"}),
    ("artifact", {"retrained_sha256": "abd"}),
    ("artifact", {"retrained_sha256": ""}),
    ("artifact", {"tags": {**EVIDENCE.tags, "artifact_sha256": ""}, "retrained_sha256": ""}),
    ("signature", {"signature": ("a", "b", "leak")}),
    ("signature", {"signature": ("b", "a")}),
    ("signature", {"signature": (), "expected_signature": (), "champion_signature": ()}),
    ("signature", {"champion_signature": ("a",)}),
    *[
        ("required_tags", {"tags": {**EVIDENCE.tags, tag: ""}})
        for tag in REQUIRED_TAGS
        if tag not in EXPECTED
    ],
    ("data_checks", {"data_checks": {"features[2005-04]": ("keys_unique",)}}),
    ("data_checks", {"data_checks": {}}),
    ("known_outcomes", {"known": (EVIDENCE.known[0], Known("2005-05", True, 79, 100))}),
    ("known_outcomes", {"known": ()}),
]
