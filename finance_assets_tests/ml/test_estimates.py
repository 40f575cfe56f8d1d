"""Gains in AUC: against a library, a bootstrap, and models that differ by luck alone."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from finance_assets.ml.estimates import (
    TOTAL_ALPHA,
    Gain,
    alpha_at,
    mean_difference,
    sure_at,
)
from finance_assets.ml.tasks.binary.auc import auc, auc_gain


def outcome_and_scores(rows=3000, seed=7):
    random = np.random.default_rng(seed)
    truth = random.normal(size=rows)
    outcome = (truth + random.normal(size=rows) > 1).astype("float64")
    good, poor = truth + random.normal(size=rows) * 0.3, truth + random.normal(size=rows) * 2
    return outcome, good, poor


@pytest.mark.parametrize("digits", [0, 1, 9])
def test_the_gain_is_the_difference_of_the_areas_ties_included(digits):
    outcome, good, poor = outcome_and_scores()
    good, poor = good.round(digits), poor.round(digits)
    expected = roc_auc_score(outcome, good) - roc_auc_score(outcome, poor)
    assert auc(outcome, good) == pytest.approx(roc_auc_score(outcome, good), abs=1e-12)
    assert auc_gain(outcome, good, poor).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("digits", [0, 9])
def test_the_standard_error_is_what_a_paired_bootstrap_finds(digits):
    outcome, good, poor = outcome_and_scores(1500)
    good, poor = good.round(digits), poor.round(digits)
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(400):
        rows = random.integers(0, len(outcome), len(outcome))
        drawn.append(auc(outcome[rows], good[rows]) - auc(outcome[rows], poor[rows]))
    # 400 draws know a standard deviation to 3.5 %; three of these.
    assert auc_gain(outcome, good, poor).error == pytest.approx(np.std(drawn), rel=0.11)


def test_intervals_cover_the_true_difference_as_often_as_they_say():
    """A thousand holdouts from two scores that are equally good."""
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(1000):
        outcome = (np.arange(400) < 80).astype("float64")
        ours, theirs = (outcome + random.normal(size=400) for _ in range(2))
        interval = auc_gain(outcome, ours, theirs).over_rows.interval(0.9)
        covered += interval.low <= 0 <= interval.high
    # 900 expected; three standard deviations are 28.
    assert 870 <= covered <= 930


def test_a_model_has_no_gain_over_itself():
    outcome, good, _ = outcome_and_scores()
    gain = auc_gain(outcome, good, good)
    assert (gain.value, gain.error) == (0.0, 0.0)


def test_whatever_the_number_of_looks_the_whole_error_stays_below_five_percent():
    assert sum(alpha_at(look) for look in range(1, 20_000)) < TOTAL_ALPHA
    assert alpha_at(1) == pytest.approx(0.0304, abs=1e-4)
    assert alpha_at(24) < alpha_at(23)
    for uncounted in (0, -1):
        with pytest.raises(ValueError, match="not counted"):
            alpha_at(uncounted)


def test_what_is_sure_is_95_percent_at_the_first_look_and_luck_passes_few_holdouts_in_all():
    assert sure_at(1) == 0.95
    # One end of the interval decides.
    assert sum((1 - sure_at(look)) / 2 for look in range(1, 20_000)) < 0.0412
    with pytest.raises(ValueError, match="not counted"):
        sure_at(0)


def test_each_look_widens_the_interval():
    gain = Gain(0.01, 0.002, (0.9, 0.9001, 0.8999))
    lows = [gain.at_look(look).low for look in (1, 2, 10, 1000)]
    assert lows == sorted(lows, reverse=True)
    assert gain.at_look(2).confidence == pytest.approx(1 - alpha_at(2))


def test_without_noise_of_retraining_the_interval_is_the_plain_one():
    gain = Gain(0.01, 0.002, (0.9, 0.9, 0.9))
    plain = gain.over_rows.interval(1 - alpha_at(3))
    assert gain.at_look(3).low == pytest.approx(plain.low)


def test_the_noisier_a_retraining_the_wider_the_interval():
    lows = [
        Gain(0.01, 0.002, (0.9 - noise, 0.9, 0.9 + noise)).at_look(1).low
        for noise in (0.0, 0.0005, 0.002, 0.01)
    ]
    assert lows == sorted(lows, reverse=True)
    assert lows[-1] < 0


def test_an_error_that_is_known_from_few_blocks_widens_the_interval_with_and_without_seeds():
    few, many = (Gain(0.01, 0.002, (0.9, 0.9001, 0.8999), freedom) for freedom in (5, 0))
    assert few.over_rows.interval().low < many.over_rows.interval().low
    assert few.at_look(1).low < many.at_look(1).low
    still = replace(few, reseeded=(0.9, 0.9, 0.9))
    assert still.at_look(3).low == pytest.approx(still.over_rows.interval(1 - alpha_at(3)).low)


@pytest.mark.parametrize("value", [-0.01, 0.0, 0.002, 0.006, 0.02])
def test_a_gain_that_cannot_be_sure_without_noise_is_not_sure_with_it(value):
    for noise in (0.0, 0.0001, 0.001):
        gain = Gain(value, 0.002, (0.9 - noise, 0.9, 0.9 + noise))
        assert gain.may_exceed(0.0) or not gain.at_look(1).low > 0


@pytest.mark.parametrize("known", [(), (0.9,), (0.9, 0.9)])
def test_too_few_retrainings_give_no_interval(known):
    with pytest.raises(ValueError, match="3 are needed"):
        Gain(0.01, 0.002, known).at_look(1)


def test_models_that_differ_by_luck_alone_are_hardly_ever_better_at_any_look():
    """300 holdouts, each looked at 24 times: 5 % of them may be passed by luck, no more.

    Retrainings move the score of each row a little, as another seed does. A plain paired test
    takes such models as given and passes one of them on most holdouts.
    """
    random = np.random.default_rng(11)
    fooled = fooled_plainly = 0
    for _ in range(300):
        outcome = (np.arange(600) < 120).astype("float64")
        truth = outcome * 1.5 + random.normal(size=600)

        def retrained(truth=truth):
            # What a seed changes is shared by many rows: a step somewhere on the score's scale.
            return truth + 0.5 * (truth > random.uniform(-1, 3)) * random.normal()

        champion, *siblings = (retrained() for _ in range(4))
        gains = [auc_gain(outcome, retrained(), champion, siblings) for _ in range(24)]
        fooled += any(g.at_look(k).low > 0 for k, g in enumerate(gains, 1))
        fooled_plainly += any(g.over_rows.interval().low > 0 for g in gains)
    assert fooled <= 15
    assert fooled_plainly > fooled


def test_the_mean_difference_of_costs_has_the_error_of_a_paired_mean():
    random = np.random.default_rng(5)
    ours, theirs = random.normal(0.5, 1, 4000), random.normal(0.2, 1, 4000)
    found = mean_difference(ours, theirs)
    assert found.value == pytest.approx((ours - theirs).mean())
    assert found.error == pytest.approx(math.sqrt(2 / 4000), rel=0.05)


def who_come_back(random, customers=100, months=4):
    """Outcomes and two equally good scores of customers who come back, and whose each row is."""
    clusters = np.tile(np.arange(customers), months)
    liable, seen, seen_otherwise = random.normal(size=(3, customers))[:, clusters]
    outcome = (liable + 0.3 * random.normal(size=len(clusters)) > 0.8).astype("float64")
    return outcome, liable + 0.8 * seen, liable + 0.8 * seen_otherwise, clusters


def test_models_that_are_equally_good_on_customers_who_come_back_are_rarely_surely_better():
    """Four hundred holdouts of a hundred customers in four months each."""
    random, sure = np.random.default_rng(5), dict.fromkeys(("auc", "cost", "rows alone"), 0)
    for _ in range(400):
        outcome, ours, theirs, clusters = who_come_back(random)
        costs = (np.where(s > 0.8, 1 - outcome, 3 * outcome) for s in (ours, theirs))
        found = {
            "auc": auc_gain(outcome, ours, theirs, clusters=clusters).over_rows.interval(),
            "cost": mean_difference(*costs, clusters).interval(),
            "rows alone": auc_gain(outcome, ours, theirs).over_rows.interval(),
        }
        for name, interval in found.items():
            sure[name] += not interval.low <= 0 <= interval.high
    # 20 expected; three standard deviations are 13.
    assert sure["auc"] <= 33 and sure["cost"] <= 33
    assert sure["rows alone"] > 66, "as if each row were of another"


def test_clusters_of_one_row_say_what_rows_say():
    outcome, ours, theirs = outcome_and_scores()
    alone = np.arange(len(outcome))
    for found, rows in (
        (auc_gain(outcome, ours, theirs, clusters=alone), auc_gain(outcome, ours, theirs)),
        (mean_difference(ours, theirs, alone), mean_difference(ours, theirs)),
    ):
        assert found.value == rows.value
        assert found.error == pytest.approx(rows.error, rel=0.002)


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_of_few_entities_a_difference_is_seldom_sure_where_there_is_none(count):
    random = np.random.default_rng(count)
    clusters = np.repeat(np.arange(count), 40)
    sure = 0
    for _ in range(600):
        ours, theirs = random.normal(size=(2, count))[:, clusters]
        ours, theirs = (one + random.normal(size=len(clusters)) for one in (ours, theirs))
        sure += mean_difference(ours, theirs, clusters).interval().high < 0
    # 2.5 % are meant; three standard errors of that over 600 draws.
    assert sure <= 600 * 0.025 + 3 * (600 * 0.025 * 0.975) ** 0.5
