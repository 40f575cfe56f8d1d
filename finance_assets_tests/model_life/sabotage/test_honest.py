"""The control: nothing stands in the way of a candidate that nothing is wrong with."""

import json
import math

import pytest

from finance_assets_tests.ml.evidence import FAULTS
from finance_assets_tests.model_life.models import DECISION, decision, run_model_steps
from finance_assets_tests.model_life.sabotage import (
    test_holdout,
    test_learned,
    test_models,
    test_registered,
)
from finance_assets_tests.model_life.sabotage.attacks import fresh
from finance_assets_tests.scenario import AUGUST, MODEL

pytestmark = pytest.mark.slow


def cases(module):
    """How many cases each test of a module has."""
    for name, test in vars(module).items():
        if name.startswith("test_"):
            yield math.prod(len(mark.args[1]) for mark in getattr(test, "pytestmark", ()))


def test_at_least_50_attacks_go_through_the_steps_and_140_with_those_that_do_not():
    files = test_models, test_learned, test_holdout, test_registered
    through_steps = sum(sum(cases(file)) for file in files)
    assert through_steps >= 50
    assert through_steps + len(FAULTS) >= 140


@pytest.mark.parametrize("criterion", MODEL.gate.criteria, ids=lambda c: c.name)
def test_the_honest_candidate_is_promoted_and_no_criterion_stands_in_its_way(home, criterion):
    if criterion is MODEL.gate.criteria[0]:
        run_model_steps(home, AUGUST, fresh())
    outcome, failed = decision(home, AUGUST)
    assert (outcome, failed) == ("promoted", [])
    report = json.loads(home.rows(DECISION, "recorded_at")[-1]["gate_report"])
    [verdict] = [v for v in report["verdicts"] if v["name"] == criterion.name]
    assert verdict["is_passed"] is True
