"""Comparisons against values worked out by hand, or by a library."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from finance_assets.codec import from_json, to_json
from finance_assets.ml.evaluation import CANDIDATE, NAIVE, SCORECARD, Holdout, stability
from finance_assets.ml.families.lightgbm import LightGbmModel
from finance_assets.ml.tasks.binary import CostMatrix, ReasonCodes
from finance_assets.ml.tasks.binary.assessment import assess
from finance_assets.ml.tasks.binary.reasons import explain
from finance_assets.ml.tasks.binary.scorecard import Scorecard, fit_scorecard
from finance_assets_tests.scenario import USE_CASE
from finance_assets_tests.shop import Shop
from finance_assets_tests.test_time import MONTHS

MODEL = USE_CASE.model
RANDOM = np.random.default_rng(7)


def test_the_cost_matrix_implies_the_threshold_at_which_both_decisions_cost_the_same():
    costs = CostMatrix(flagged_good=1.0, missed_bad=5.0)
    assert costs.threshold == pytest.approx(1 / 6)
    p = costs.threshold
    assert (1 - p) * costs.flagged_good == pytest.approx(p * costs.missed_bad)
    outcome = np.array([0.0, 0.0, 1.0, 1.0])
    flagged = np.array([True, False, True, False])
    assert costs.each_row(outcome, flagged).mean() == pytest.approx((1 + 0 + 0 + 5) / 4)


def test_scores_that_stay_are_stable_and_scores_that_jump_are_not():
    calm, column = RANDOM.uniform(size=2000), MODEL.partition_column
    held = pd.DataFrame({column: ["2005-06"] * 2000 + ["2005-07"] * 2000})
    holdout = Holdout(MODEL, held, pd.DataFrame({column: ["2005-04", "2005-05"]}))
    psi = stability(holdout, calm, np.concatenate([calm, calm / 10]))
    assert psi["2005-06"] == 0
    assert psi["2005-07"] > 1


def test_the_scorecard_ranks_explains_and_survives_its_json():
    frame = pd.DataFrame({"late": RANDOM.integers(0, 5, 4000), "noise": RANDOM.normal(size=4000)})
    frame.loc[::10, "noise"] = np.nan
    frame["bad"] = (RANDOM.uniform(size=4000) < frame["late"] / 6).astype("int8")
    card = fit_scorecard(frame, ("late", "noise"), "bad")
    score = card.predict(frame)
    assert roc_auc_score(frame["bad"], score) > 0.7
    assert abs(score.mean() - frame["bad"].mean()) < 0.01
    late = next(f for f in card.features if f.name == "late")
    assert list(late.log_odds[2:6]) == sorted(late.log_odds[2:6])
    again = from_json(Scorecard, to_json(card))
    assert np.array_equal(again.predict(frame), score)


def boosted():
    import lightgbm as lgb

    rows = RANDOM.normal(size=(2000, 3))
    bad = (rows[:, 0] - rows[:, 1] > 0).astype("int8")
    params = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    booster = lgb.train(params, lgb.Dataset(rows, label=bad), 20)
    return LightGbmModel(booster.model_to_string(), ("up", "down", "noise")), rows


@pytest.mark.lightgbm
def test_reasons_are_what_raised_the_score_strongest_first():
    model, rows = boosted()
    codes = ReasonCodes("high", {"up": "much of up", "down": "little of down", "noise": "x"}, 2)
    score = model.predict(rows)
    found = explain(model, codes, rows, score, from_score=0.9)
    contributions = model.contributions(rows)
    for row in range(len(rows)):
        if score[row] < 0.9:
            assert found["reason_1"][row] is None
            continue
        best = int(np.argmax(contributions[row]))
        assert found["reason_1"][row] == codes.words[model.features[best]]
        if found["reason_2"][row]:
            assert found["reason_2"][row] != found["reason_1"][row]


@pytest.mark.lightgbm
def test_contributions_are_exact_they_add_up_to_the_log_odds():
    model, rows = boosted()
    score = model.predict(rows[:50])
    base = model.boosters[0].predict(rows[:50], pred_contrib=True)[:, -1]
    total = model.contributions(rows[:50]).sum(axis=1) + base
    assert np.allclose(1 / (1 + np.exp(-total)), score)


@pytest.mark.lightgbm
def test_features_with_the_same_words_count_as_one_reason():
    model, rows = boosted()
    codes = ReasonCodes("high", {"up": "same", "down": "same", "noise": "other"}, 3)
    found = explain(model, codes, rows, model.predict(rows), from_score=0.6)
    explained = [i for i, text in enumerate(found["reason_1"]) if text]
    assert explained
    for row in explained:
        texts = [found[f"reason_{place}"][row] for place in (1, 2, 3)]
        known = [text for text in texts if text]
        assert len(known) == len(set(known))


def shop_holdout(months, customers=1500):
    """The same customers in so many months, each time with the same figures and outcome."""
    random, shop = np.random.default_rng(3), Shop(MONTHS, 1).model()

    def rows(names):
        spent, visits = random.normal(size=(2, customers))
        one = pd.DataFrame(
            {
                "customer_id": np.arange(customers),
                "spent": spent,
                "visits": visits,
                "region": np.where(np.arange(customers) % 2, "north", "south"),
                "left": (spent + random.normal(size=customers) > 1).astype("int8"),
            }
        )
        return pd.concat([one.assign(seen=name) for name in names], ignore_index=True)

    return Holdout(shop, rows(months), rows(["2024-10"]))


def reaches(found):
    """How far every interval of an assessment reaches, by what it is of."""
    reach = {f"gain over {role}": gain.error for role, gain in found.gains.items()}
    reach |= {f"cost against {role}": gap.error for role, gap in found.cost_gaps.items()}
    line = found.recalibration
    reach |= {"slope": line.slope.high - line.slope.low, "shift": line.shift.high - line.shift.low}
    for gap in found.gaps:
        reach[f"ratio of {gap.group}"] = gap.ratio.high - gap.ratio.low
        reach[f"opportunity of {gap.group}"] = gap.opportunity_gap.high - gap.opportunity_gap.low
    return reach


def test_customers_who_come_back_in_each_month_are_counted_once_in_every_interval():
    """The same rows again in four months say no more than once."""

    def assessed(holdout):
        spent, visits = (holdout.frame[n].to_numpy() for n in ("spent", "visits"))
        scores = {
            CANDIDATE: 1 / (1 + np.exp(1.6 - 1.6 * spent)),
            SCORECARD: 1 / (1 + np.exp(1.6 - 1.6 * spent - 0.5 * visits)),
            NAIVE: spent + visits,
        }
        before = np.full(len(holdout.last_trained), 0.2)
        return assess(holdout.spec.task, holdout, scores, before, {"spent": 1.0})

    once, four = (
        shop_holdout(["2024-11"]),
        shop_holdout(["2024-11", "2024-12", "2025-01", "2025-02"]),
    )
    assert once.clusters is None
    alone, often = reaches(assessed(once)), reaches(assessed(four))
    assert len(alone) == 9
    assert often == pytest.approx(alone, rel=0.08)
