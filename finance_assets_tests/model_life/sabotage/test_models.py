"""Models that are not what the recipe makes, or are no better than the one in force."""

import json
from dataclasses import replace

import numpy as np
import pytest

from finance_assets.compute.runner import open_registry
from finance_assets.ml.families.xgboost import XgBoostModel
from finance_assets.ml.frames import Dataset, labelled_rows
from finance_assets.ml.reseeding import reseeded
from finance_assets.ml.splits import split_as_of
from finance_assets.ml.tasks.binary.auc import auc_gain
from finance_assets.ml.training import declared_recipe, train_here
from finance_assets_tests.model_life.leaves import shifted, with_base_rate, with_leaves
from finance_assets_tests.model_life.models import CANDIDATE, DECISION, NAME
from finance_assets_tests.model_life.sabotage.attacks import (
    ACCOUNTS,
    GATE,
    ROUNDS,
    fresh,
    trained_otherwise,
)
from finance_assets_tests.scenario import AUGUST, CALENDAR, MODEL

pytestmark = pytest.mark.slow


def leaves(model, change) -> XgBoostModel:
    """The model with each leaf value changed."""
    return XgBoostModel(with_leaves(model.text, change), model.features)


def raised(model, by) -> XgBoostModel:
    """The model with the log-odds of every row moved."""
    rate = float(
        json.loads(model.booster.save_config())["learner"]["learner_model_param"][
            "base_score"
        ].strip("[]")
    )
    return XgBoostModel(with_base_rate(model.text, shifted(rate, by)), model.features)


def with_labels(recipe, rows, change):
    """A model trained on other labels."""
    frame = rows.frame.copy()
    frame[recipe.target] = change(frame)
    return train_here(recipe, frame)


def rebalanced(recipe, rows, keep_bad, keep_good):
    """A model trained on part of the rows."""
    bad = rows.frame[recipe.target] == 1
    random = np.random.default_rng(1).random(len(bad))
    return train_here(recipe, rows.frame[random < np.where(bad, keep_bad, keep_good)])


MODEL_SABOTAGE = {
    "the base rate for everybody": (
        "calibration",
        lambda recipe, rows, model: leaves(model, lambda v: 0.0),
    ),
    "the base rate with a trace of a score": (
        "calibration",
        lambda recipe, rows, model: leaves(model, lambda v: v / 1000),
    ),
    "too timid about everything": (
        "calibration",
        lambda recipe, rows, model: leaves(model, lambda v: v / 4),
    ),
    "too high for everybody": (
        "calibration",
        lambda recipe, rows, model: raised(model, 3.0),
    ),
    "flipped sign": (
        "discrimination",
        lambda recipe, rows, model: leaves(model, lambda v: -v),
    ),
    "constant score": (
        "discrimination",
        lambda recipe, rows, model: raised(leaves(model, lambda v: 0.0), 1.0),
    ),
    "scores that are no numbers": (
        "discrimination",
        lambda recipe, rows, model: leaves(model, lambda v: float("nan")),
    ),
    "shuffled labels": (
        "discrimination",
        lambda recipe, rows, model: with_labels(
            recipe, rows, lambda f: f[recipe.target].sample(frac=1, random_state=1).to_numpy()
        ),
    ),
    "labels of a feature": (
        "artifact",
        lambda recipe, rows, model: with_labels(
            recipe, rows, lambda f: (f["pay_status"] >= 2).astype("int8")
        ),
    ),
    "too sure of everything": (
        "calibration",
        lambda recipe, rows, model: leaves(model, lambda v: v * 5),
    ),
    "trained on too many bad rows": (
        "calibration",
        lambda recipe, rows, model: rebalanced(recipe, rows, 1.0, 0.1),
    ),
    "trained on too few bad rows": (
        "business_cost",
        lambda recipe, rows, model: rebalanced(recipe, rows, 0.05, 1.0),
    ),
    "a few rounds only": (
        "beats_baselines",
        lambda recipe, rows, model: train_here(replace(recipe, rounds=1), rows.frame),
    ),
    "one feature only": (
        "leakage",
        lambda recipe, rows, model: train_here(
            recipe, rows.frame.assign(**{n: 0.0 for n in recipe.features if n != "pay_status"})
        ),
    ),
    "another seed than recorded": (
        "artifact",
        lambda recipe, rows, model: train_here(
            replace(recipe, params={**recipe.params, "seed": 7}), rows.frame
        ),
    ),
}


@pytest.mark.parametrize("name", MODEL_SABOTAGE)
def test_a_sabotaged_model_is_turned_down(name, judge, monkeypatch):
    criterion, tamper = MODEL_SABOTAGE[name]
    trained_otherwise(monkeypatch, tamper)
    outcome, failed = judge()
    assert outcome == "turned_down"
    assert criterion in failed
    assert "artifact" in failed, "training again gives another model"


def test_a_copy_of_the_champion_is_no_better_and_is_turned_down(home, judge, monkeypatch):
    registry = open_registry(home.settings)
    champion = registry.model(registry.version(NAME, "1"))
    trained_otherwise(monkeypatch, lambda recipe, rows, model: champion)
    outcome, failed = judge()
    assert (outcome, "beats_champion" in failed) == ("turned_down", True)


def test_a_candidate_that_learned_nothing_new_is_not_promoted_by_chance(judge):
    outcome, failed = judge(fresh(params={**MODEL.params, "max_depth": 1}))
    assert outcome == "turned_down"
    assert "beats_champion" in failed or "beats_baselines" in failed


def test_a_memoriser_is_turned_down(judge):
    params = {**MODEL.params, "max_leaves": 2000, "min_child_weight": 0.0, "learning_rate": 0.5}
    outcome, failed = judge(fresh(params=params))
    assert outcome == "turned_down"
    assert {"calibration", "beats_champion"} & set(failed)


def test_a_candidate_that_nobody_evaluated_is_measured_by_the_decision(judge, monkeypatch):
    trained_otherwise(monkeypatch, MODEL_SABOTAGE["flipped sign"][1])
    outcome, failed = judge(keys=(CANDIDATE, DECISION))
    assert outcome == "turned_down"
    assert {"discrimination", "artifact"} <= set(failed)


def test_of_24_candidates_that_differ_by_seed_only_none_beats_another_at_any_look(home):
    """Each is champion once against all others, in the order of their seeds."""
    split = split_as_of(CALENDAR, MODEL, AUGUST)
    rows = labelled_rows(home.lakehouse, MODEL, split)
    assert len(rows.frame) == ACCOUNTS * 4
    held, trained = rows.within(split.holdout).frame, rows.within(split.train)
    recipe = declared_recipe(
        replace(MODEL, rounds=ROUNDS), split, Dataset("test", {}), is_searched=False
    )

    def score(model):
        return model.predict(model.inputs(held))

    again = [score(model) for model in reseeded(recipe, trained)]
    scores = [
        score(train_here(replace(recipe, params={**recipe.params, "seed": n}), trained.frame))
        for n in range(24)
    ]
    outcome = held[MODEL.target].to_numpy("float64")
    [bound] = [c.min_gain for c in GATE.criteria if c.name == "beats_champion"]
    best = max(
        auc_gain(outcome, candidate, champion, again).at_look(look).low
        for champion in scores
        for look, candidate in enumerate(scores, 1)
        if candidate is not champion
    )
    assert best < bound
