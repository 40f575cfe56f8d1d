"""Evidence of a good candidate, and of every way in which one can be bad: shared by tests."""

import math
from dataclasses import replace

from finance_assets.ml.assessment import Assessment, GroupGap, Interval
from finance_assets.ml.criteria import REQUIRED_TAGS
from finance_assets.ml.gate import Evidence
from finance_assets.ml.metrics import Metrics

GOOD = Metrics(5000, 600, 0.85, 0.6, 0.06, 0.01, 0.6, (5.0,) * 10)
GAIN = Interval(0.01, 0.004, 0.016, 0.95)
GAP = GroupGap(
    attribute="sex",
    group="male",
    reference="female",
    rows=2000,
    rate=0.8,
    deserving_rate=0.9,
    ratio=Interval(0.95, 0.93, 0.97, 0.95),
    opportunity_gap=Interval(-0.02, -0.03, -0.01, 0.95),
)
COSTS = {
    "candidate": 0.25,
    "champion": 0.26,
    "scorecard": 0.26,
    "flag_nobody": 0.7,
    "flag_everybody": 0.9,
}
ASSESSMENT = Assessment(
    threshold=0.2,
    threshold_reason="declared",
    cost_unit="calls",
    costs=COSTS,
    auc_gain=GAIN,
    stability={"2005-07": 0.01},
    gaps=(GAP,),
    small_groups={},
    unjudged={},
    gain_shares={"a": 0.7, "b": 0.3},
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
)


def measured(**roles: Metrics) -> dict:
    """The measured models, some of them otherwise."""
    return {"measured": {**EVIDENCE.measured, **roles}}


def without(role: str) -> dict:
    """The measured models without one."""
    return {"measured": {k: v for k, v in EVIDENCE.measured.items() if k != role}}


def assessed(**change) -> dict:
    """The assessment, changed in some part."""
    return {"assessment": replace(ASSESSMENT, **change)}


def gap(ratio=GAP.ratio, opportunity=GAP.opportunity_gap) -> dict:
    """An assessment with another gap between the groups."""
    return assessed(gaps=(replace(GAP, ratio=ratio, opportunity_gap=opportunity),))


NAN = math.nan
LOW = replace(GOOD, auc=0.74)
LOW_BASELINES = {"scorecard": replace(GOOD, auc=0.7), "naive": replace(GOOD, auc=0.7)}

# Each fault fails its criterion and no other.
FAULTS = [
    ("discrimination", measured(candidate=LOW, **LOW_BASELINES)),
    ("beats_champion", assessed(auc_gain=replace(GAIN, low=-0.001))),
    ("beats_champion", assessed(auc_gain=replace(GAIN, low=0.0))),
    ("beats_champion", assessed(auc_gain=replace(GAIN, low=NAN))),
    ("beats_champion", assessed(auc_gain=None)),
    ("beats_champion", without("champion")),
    ("beats_champion", measured(champion=replace(GOOD, auc=NAN))),
    ("calibration", measured(candidate=replace(GOOD, calibration_error=0.031))),
    ("calibration", measured(candidate=replace(GOOD, calibration_error=NAN))),
    ("business_cost", assessed(costs={**COSTS, "candidate": 0.27})),
    ("business_cost", assessed(costs={**COSTS, "flag_nobody": 0.2})),
    ("business_cost", assessed(costs={**COSTS, "flag_everybody": 0.2})),
    ("business_cost", assessed(costs={**COSTS, "candidate": NAN})),
    ("business_cost", assessed(costs={k: v for k, v in COSTS.items() if k != "champion"})),
    ("beats_baselines", measured(scorecard=replace(GOOD, auc=0.86))),
    ("beats_baselines", measured(naive=replace(GOOD, auc=0.86))),
    ("beats_baselines", without("scorecard")),
    ("beats_baselines", without("naive")),
    ("stability", assessed(stability={"2005-07": 0.3})),
    ("stability", assessed(stability={"2005-07": 0.01, "2005-08": NAN})),
    ("stability", assessed(stability={})),
    ("fairness", gap(ratio=Interval(0.7, 0.6, 0.8, 0.95))),
    ("fairness", gap(opportunity=Interval(-0.15, -0.2, -0.1, 0.95))),
    ("fairness", gap(ratio=Interval(NAN, NAN, NAN, 0.95))),
    ("fairness", assessed(gaps=())),
    ("fairness", assessed(unjudged={"age": "fewer than two groups of enough rows"})),
    ("leakage", measured(candidate=replace(GOOD, auc=0.98))),
    ("leakage", assessed(gain_shares={"a": 0.99, "b": 0.01})),
    ("leakage", assessed(gain_shares={})),
    ("enough_rows", measured(candidate=replace(GOOD, rows=999))),
    ("enough_rows", measured(candidate=replace(GOOD, positives=99))),
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
]
