"""What is expected of scores costs what the gate says that decisions cost."""

import numpy as np
import pytest

from finance_assets.ml.tasks.binary.costs import CostMatrix
from finance_assets.ml.tasks.binary.expected import expected, observed

FROM = 0.3


@pytest.mark.parametrize(
    "costs",
    [
        CostMatrix(1, 5),
        CostMatrix(1, 5, flagged_bad=2),
        CostMatrix(1, 5, passed_good=-0.5),
        CostMatrix(3, 20, flagged_bad=-4, passed_good=1.5),
    ],
)
def test_all_four_costs_count_before_outcomes_are_known_and_after(costs):
    random = np.random.default_rng(5)
    score = random.uniform(size=20_000)
    outcome = (random.uniform(size=len(score)) < score).astype("float64")
    paid = costs.each_row(outcome, score >= FROM).mean()
    assert observed(outcome, score, costs, FROM)["cost_per_row"].value == pytest.approx(paid)
    # The mean over all outcomes that the scores, which are the true probabilities, allow.
    sure, never = (costs.each_row(np.full(len(score), y), score >= FROM) for y in (1.0, 0.0))
    truth = (score * sure + (1 - score) * never).mean()
    told = expected(score, costs, FROM)["cost_per_row"]
    assert told.value == pytest.approx(truth, rel=0.01)
    assert told.low < paid < told.high
