"""Metrics against values worked out by hand."""

import numpy as np
import pytest

from finance_assets.ml.tasks.binary.metrics import calibration_error, measure, recalibrate


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


def told(rows: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-odds, their probabilities, and outcomes that come with just these."""
    random = np.random.default_rng(4)
    logit = random.normal(-2, 1.2, rows)
    score = 1 / (1 + np.exp(-logit))
    return logit, score, (random.random(rows) < score).astype("float64")


def test_scores_that_are_right_have_a_slope_of_one_and_no_shift():
    _, score, outcome = told()
    line = recalibrate(outcome, score)
    assert line.slope.low < 1 < line.slope.high
    assert line.shift.low < 0 < line.shift.high
    assert line.slope.high - line.slope.low < 0.15


@pytest.mark.parametrize(("factor", "added"), [(2.0, 0.0), (0.5, 0.0), (1.0, 0.7), (1.0, -0.7)])
def test_the_line_finds_how_scores_were_bent(factor, added):
    logit, _, outcome = told()
    bent = 1 / (1 + np.exp(-(logit * factor + added)))
    line = recalibrate(outcome, bent)
    assert line.slope.value == pytest.approx(1 / factor, abs=0.05)
    if factor == 1.0:
        assert line.shift.value == pytest.approx(-added, abs=0.05)


def test_the_intervals_are_those_of_an_unpenalised_logistic_regression():
    """Against scikit-learn's fit, and the curvature of the likelihood at it."""
    from sklearn.linear_model import LogisticRegression

    logit, score, outcome = told(3000)
    fitted = LogisticRegression(C=np.inf).fit(logit[:, None], outcome)
    line = recalibrate(outcome, score)
    assert line.slope.value == pytest.approx(fitted.coef_[0, 0], abs=1e-3)
    expected = fitted.predict_proba(logit[:, None])[:, 1]
    inputs = np.column_stack([np.ones_like(logit), logit])
    curvature = inputs.T @ (inputs * (expected * (1 - expected))[:, None])
    error = np.sqrt(np.linalg.inv(curvature)[1, 1])
    assert line.slope.high - line.slope.value == pytest.approx(1.96 * error, rel=1e-3)


@pytest.mark.parametrize("jitter", [0.0, 1e-9, 1e-3])
def test_the_base_rate_for_everybody_is_calibrated_on_average_and_has_no_sure_slope(jitter):
    _, _, outcome = told(5000)
    random = np.random.default_rng(2)
    score = outcome.mean() * (1 + jitter * random.normal(size=len(outcome)))
    assert calibration_error(outcome, score) < 0.03
    slope = recalibrate(outcome, score).slope
    assert not (slope.low >= 0.5 and slope.high <= 2.0)
