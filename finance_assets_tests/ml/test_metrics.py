"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from finance_assets.ml.metrics import calibration_error, measure


def test_a_perfect_order_measures_as_perfect():
    outcome = np.array([0.0] * 90 + [1.0] * 10)
    measured = measure(outcome, np.linspace(0, 1, 100))
    assert measured.auc == 1.0
    assert measured.ks == 1.0
    assert measured.pr_auc == pytest.approx(1.0)
    assert measured.lift_top_decile == pytest.approx(10.0)
    assert (measured.rows, measured.positives) == (100, 10)


def test_a_flipped_order_measures_as_worst():
    outcome = np.array([0.0] * 90 + [1.0] * 10)
    measured = measure(outcome, np.linspace(1, 0, 100))
    assert measured.auc == 0.0
    assert measured.lift_top_decile == 0.0


def test_a_constant_score_says_nothing_but_can_be_calibrated():
    outcome = np.array([0.0, 1.0] * 50)
    measured = measure(outcome, np.full(100, 0.5))
    assert measured.auc == 0.5
    assert measured.brier == 0.25
    assert measured.calibration_error == pytest.approx(0.0)


def test_calibration_error_is_the_mean_distance_of_score_and_rate():
    outcome = np.array([0.0] * 50 + [1.0] * 50)
    score = np.array([0.1] * 50 + [0.7] * 50)
    assert calibration_error(outcome, score) == pytest.approx((0.1 + 0.3) / 2)


@pytest.mark.parametrize("outcome", [[], [0.0, 0.0], [1.0, 1.0]])
def test_no_rows_or_one_class_cannot_be_measured(outcome):
    with pytest.raises(ValueError, match="cannot be measured"):
        measure(np.array(outcome), np.array([0.5] * len(outcome)))
