"""Measures of forecasts against scikit-learn, and block errors against a drawn bootstrap."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, root_mean_squared_error

from finance_assets.ml.tasks.regression.blocks import block_mean, block_ratio
from finance_assets.ml.tasks.regression.groups import compare_errors
from finance_assets.ml.tasks.regression.metrics import RegressionMetrics, measure
from finance_assets.ml.tasks.regression.probes import alone

RANDOM = np.random.default_rng(11)
QUANTILES = (0.1, 0.5, 0.9)


def forecasts(rows=500):
    outcome = RANDOM.normal(10, 4, rows)
    middle = outcome + RANDOM.normal(0.5, 1, rows)
    return outcome, np.column_stack([middle - 1.2, middle, middle + 1.5])


def test_measures_agree_with_scikit_learn():
    outcome, said = forecasts()
    found = measure(outcome, said, QUANTILES)
    assert found.mae == pytest.approx(mean_absolute_error(outcome, said[:, 1]), abs=1e-12)
    assert found.rmse == pytest.approx(root_mean_squared_error(outcome, said[:, 1]), abs=1e-12)
    pinball = [mean_pinball_loss(outcome, said[:, i], alpha=QUANTILES[i]) for i in (0, 2)]
    assert found.pinball == pytest.approx(np.mean(pinball), abs=1e-12)
    assert found.bias == pytest.approx(0.5, abs=0.15)
    assert found.width == pytest.approx(2.7)
    inside = [low <= came <= high for came, (low, _, high) in zip(outcome, said, strict=True)]
    assert found.coverage == pytest.approx(np.mean(inside))
    assert RegressionMetrics.of(found.values()) == found


def test_a_row_on_which_nothing_is_said_and_nothing_came_counts_as_right():
    found = measure(np.array([0.0, 1.0]), np.array([[0.0, 0, 0], [1, 3, 4]]), QUANTILES)
    assert found.smape == pytest.approx((0 + 2 / 2) / 2)
    with pytest.raises(ValueError, match="no rows"):
        measure(np.zeros(0), np.zeros((0, 3)), QUANTILES)


def hanging_together(rows=600, weight=0.8):
    noise = RANDOM.normal(size=rows)
    for place in range(1, rows):
        noise[place] += weight * noise[place - 1]
    return noise


def drawn(figure, rows, block, draws=4000):
    """The standard error of a figure by drawing circular blocks of rows."""
    random = np.random.default_rng(5)
    starts = random.integers(0, rows, size=(draws, rows // block))
    places = (starts[:, :, None] + np.arange(block)) % rows
    return np.std([figure(chosen.ravel()) for chosen in places])


def drawn_as(together):
    """The length of the blocks for so many rows that hang together."""
    return 4 * together if together > 1 else 1


@pytest.mark.parametrize("block", [1, 5, 10])
def test_the_error_of_a_mean_is_that_of_a_drawn_block_bootstrap(block):
    values = hanging_together()
    expected = drawn(lambda rows: values[rows].mean(), len(values), drawn_as(block))
    assert block_mean(values, block).error == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("block", [1, 10])
def test_the_error_of_a_ratio_is_that_of_a_drawn_paired_block_bootstrap(block):
    above, below = np.abs(hanging_together()), np.abs(hanging_together()) + 1
    figure = lambda rows: above[rows].mean() / below[rows].mean()  # noqa: E731
    expected = drawn(figure, len(above), drawn_as(block))
    found = block_ratio(above, below, block)
    assert found.value == pytest.approx(above.mean() / below.mean())
    assert found.error == pytest.approx(expected, rel=0.06)


def test_rows_that_hang_together_are_less_sure_than_their_number_says():
    values = hanging_together()
    assert block_mean(values, 20).error > 2 * block_mean(values, 1).error
    with pytest.raises(ValueError, match="fewer than two blocks"):
        block_mean(values[:159], 20)


@pytest.mark.parametrize("rows", [252, 504, 1000])
@pytest.mark.parametrize("confidence", [0.95, 0.998])
def test_intervals_of_forecasts_that_overlap_cover_as_often_as_they_say(rows, confidence):
    """A thousand holdouts of forecasts ten rows ahead, whose errors add up ten steps each."""
    random, covered = np.random.default_rng(1), 0
    for _ in range(1000):
        steps = np.concatenate([[0.0], random.normal(size=rows + 9).cumsum()])
        interval = block_mean(steps[10:] - steps[:-10], 10).interval(confidence)
        covered += interval.low <= 0 <= interval.high
    # A fifth more misses than they say, and three standard deviations.
    missed = 1000 * (1 - confidence) * 1.2
    assert 1000 - covered <= missed + 3 * np.sqrt(missed)


def test_a_group_whose_forecasts_are_worse_stands_out_and_the_others_do_not():
    region = np.array(["north", "south", "east"])[np.arange(3000) % 3]
    error = np.abs(RANDOM.normal(size=3000)) * np.where(region == "south", 2.0, 1.0)
    groups, small = compare_errors({"region": region}, error, 500, 1)
    by_name = {group.group: group for group in groups}
    assert by_name["region=south"].ratio.low > 1.3
    assert by_name["region=north"].ratio.high < 1
    assert not small
    _, small = compare_errors({"region": region}, error, 1001, 1)
    assert small == {"region=north": 1000, "region=south": 1000, "region=east": 1000}


def test_intervals_of_a_group_cover_its_true_ratio_as_often_as_they_say():
    """A thousand holdouts; a fifth of the rows are in the south, whose errors are half as large."""
    covered, true = 0, 0.5 / (0.2 * 0.5 + 0.8)
    for _ in range(1000):
        is_south = RANDOM.random(800) < 0.2
        error = RANDOM.exponential(size=800) * np.where(is_south, 0.5, 1.0)
        region = np.where(is_south, "south", "north")
        groups, _ = compare_errors({"region": region}, error, 50, 1)
        [south] = [group for group in groups if group.group == "region=south"]
        assert south.ratio.confidence == pytest.approx(0.975), "two groups at once"
        covered += south.ratio.low <= true <= south.ratio.high
    # 975 expected; three standard deviations are 15.
    assert 960 <= covered <= 990


def test_the_only_large_group_of_an_attribute_is_compared_with_nobody():
    region = np.array(["north"] * 950 + ["south"] * 50)
    size = np.where(np.arange(1000) % 2, "small", "large")
    error = np.abs(RANDOM.normal(size=1000))
    groups, small = compare_errors({"region": region, "size": size}, error, 100, 1)
    assert {group.attribute for group in groups} == {"size", "region, size"}
    assert small["region=south"] == 50
    assert compare_errors({"region": region}, error, 100, 1)[0] == ()


def test_a_feature_that_knows_what_the_rule_of_thumb_missed_is_seen():
    import pandas as pd

    missed = RANDOM.normal(size=1000)
    frame = pd.DataFrame({"leak": -missed, "noise": RANDOM.normal(size=1000), "same": 1.0})
    found = alone(frame, ("leak", "noise", "same"), missed)
    assert found["leak"] == pytest.approx(1.0)
    assert found["noise"] < 0.1
    assert found["same"] == 0
