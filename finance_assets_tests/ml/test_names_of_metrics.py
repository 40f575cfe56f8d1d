"""Metrics are named once, as fields: what names them elsewhere names these."""

import numpy as np
import pytest

from finance_assets.ml.tasks.binary import Band, Binary, CostMatrix
from finance_assets.ml.tasks.regression import Regression

RANDOM = np.random.default_rng(3)
SCORE = RANDOM.uniform(size=400)
EVENTS = (RANDOM.uniform(size=400) < SCORE).astype("float64")
SALES = RANDOM.normal(50, 5, size=400)
FORECASTS = np.column_stack([SALES - 4, SALES + 1, SALES + 6])
BINARY = Binary(CostMatrix(1, 5), (Band("low", 0), Band("high", 0.5)), "high")
TASKS = {"binary": (BINARY, EVENTS, SCORE), "regression": (Regression("pieces"), SALES, FORECASTS)}


@pytest.mark.parametrize("name", TASKS)
def test_a_summary_shows_metrics_that_are_measured(name):
    task, outcome, output = TASKS[name]
    measured = task.measure(outcome, output)
    assert set(task.headline) <= set(measured.scalars())
    assert set(task.headline) <= set(measured.values()), "as evaluations store them"
    assert measured.merit in {measured.values()[next(iter(task.headline))] * by for by in (1, -1)}


@pytest.mark.parametrize("name", TASKS)
def test_the_first_of_them_is_expected_and_later_observed(name):
    """The report plots it over time, before and after outcomes are known."""
    task, outcome, output = TASKS[name]
    assert next(iter(task.headline)) in set(task.observed(outcome, output))
    assert set(task.expected(output)) <= set(task.observed(outcome, output))
