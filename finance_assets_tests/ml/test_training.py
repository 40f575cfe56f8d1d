"""Training is repeatable, and time decides what it may see."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from finance_assets.errors import HistoryError, ModelError
from finance_assets.ml.families import family_of
from finance_assets.ml.frames import Dataset, versions_of
from finance_assets.ml.search import folds_of, search
from finance_assets.ml.spec import SearchSpace
from finance_assets.ml.splits import first_as_of, split_as_of
from finance_assets.ml.training import Recipe, declared_recipe, train_here
from finance_assets_tests.scenario import CALENDAR, FEATURES, LABELS, MODEL

SPLIT = split_as_of(CALENDAR, MODEL, "2005-08")
RECIPE = declared_recipe(
    MODEL, SPLIT, Dataset(f"{FEATURES}@3,{LABELS}@5", {FEATURES: "0a", LABELS: "0b"}), False
)
QUICK = replace(RECIPE, rounds=20)


def frame(rows: int = 3000) -> pd.DataFrame:
    random = np.random.default_rng(1)
    values = random.normal(size=(rows, len(MODEL.feature_names)))
    data = pd.DataFrame(values, columns=list(MODEL.feature_names))
    data.iloc[::7, 3] = np.nan
    data[MODEL.target] = (values[:, 1] + random.normal(size=rows) > 1).astype("int8")
    data["statement_month"] = np.repeat(["2005-04", "2005-05", "2005-06"], rows // 3)
    return data


def test_the_same_recipe_gives_the_same_model_to_the_byte():
    first, second = train_here(RECIPE, frame()), train_here(RECIPE, frame())
    assert first.text == second.text
    rows = first.inputs(frame())
    assert np.array_equal(first.predict(rows), second.predict(rows))


def test_a_model_read_from_its_text_predicts_the_same():
    model = train_here(QUICK, frame())
    again = family_of(MODEL.family).load(model.text)
    assert np.array_equal(
        again.predict(again.inputs(frame())), model.predict(model.inputs(frame()))
    )
    with pytest.raises(ModelError, match="no model family 'forest'"):
        family_of("forest")


def test_the_model_reads_only_the_declared_features():
    model = train_here(QUICK, frame())
    assert tuple(model.booster.feature_names) == MODEL.feature_names
    assert sum(model.gain_shares().values()) == pytest.approx(1.0)


def test_the_fingerprint_changes_with_everything_that_decides_the_model():
    changes = [
        {"dataset_version": f"{FEATURES}@4,{LABELS}@5"},
        {"train_window": "2005-04"},
        {"params": {**RECIPE.params, "max_leaves": 16}},
        {"rounds": 151},
        {"features": RECIPE.features[:-1]},
        {"library": "xgboost 9"},
        {"family": "lightgbm"},
        {"search": {"trials": 1}},
        {"label_lag": 2},
        {"contents": {FEATURES: "0a", LABELS: "0c"}},
    ]
    prints = {replace(RECIPE, **change).fingerprint for change in changes}
    assert len(prints | {RECIPE.fingerprint}) == len(changes) + 1
    assert Recipe.from_dict(RECIPE.to_dict()).fingerprint == RECIPE.fingerprint


def test_a_recipe_from_before_the_contents_were_recorded_is_read_as_it_was_written():
    record = RECIPE.to_dict()
    del record["contents"], record["label_lag"]
    recipe = Recipe.from_dict(record)
    assert recipe.to_dict() == record
    assert recipe.split(CALENDAR, "2005-08", MODEL.label_lag) == SPLIT


def test_a_dataset_version_names_tables_and_versions():
    assert versions_of(RECIPE.dataset_version) == {
        FEATURES: 3,
        LABELS: 5,
    }


def test_as_of_a_month_only_outcomes_known_by_then_count():
    assert (SPLIT.train.first, SPLIT.train.last) == ("2005-04", "2005-06")
    assert (SPLIT.holdout.first, SPLIT.holdout.last) == ("2005-07", "2005-07")
    assert SPLIT.matured.last == "2005-08"
    assert SPLIT.train.last < SPLIT.holdout.first


def test_too_early_a_month_says_when_training_can_begin():
    assert first_as_of(CALENDAR, MODEL) == "2005-06"
    with pytest.raises(HistoryError, match="2005-06 or later"):
        split_as_of(CALENDAR, MODEL, "2005-05")


SPACE = SearchSpace({"max_leaves": (2, 31), "reg_lambda": (0.01, 10.0)}, trials=5)


def test_a_search_finds_the_same_each_time_within_the_declared_bounds():
    found, trials = search(QUICK, MODEL.task, SPACE, frame(), "statement_month", 1)
    again, _ = search(QUICK, MODEL.task, SPACE, frame(), "statement_month", 1)
    assert found == again
    assert len(trials) == 5
    best = max(trials, key=lambda trial: trial.merit)
    assert {name: found.params[name] for name in SPACE.space} == best.params
    for trial in trials:
        assert 2 <= trial.params["max_leaves"] <= 31
        assert isinstance(trial.params["max_leaves"], int)
        assert 0.01 <= trial.params["reg_lambda"] <= 10
        assert trial.started_ms <= trial.ended_ms
    assert found.params["seed"] == QUICK.params["seed"]


def test_each_fold_of_a_search_is_measured_on_a_later_month_than_it_was_fitted_on(monkeypatch):
    from finance_assets.ml import search as module

    seen = []
    real = module.train_here

    def watched(recipe, rows):
        seen.append(sorted(set(rows["statement_month"])))
        return real(recipe, rows)

    monkeypatch.setattr(module, "train_here", watched)
    search(QUICK, MODEL.task, replace(SPACE, trials=1), frame(), "statement_month", 1)
    assert seen == [["2005-04"], ["2005-04", "2005-05"]]


def days(positives_a_day: int, count: int = 40) -> pd.DataFrame:
    """Days of sixty rows, of which every other day has no positive at all."""
    data = frame(3000).head(60 * count).copy()
    data["statement_month"] = np.repeat([f"2005-{d:03}" for d in range(count)], 60)
    place = np.arange(len(data))
    data[MODEL.target] = ((place % 60 < positives_a_day) & (place // 60 % 2 == 0)).astype("int8")
    return data


def test_a_few_rows_without_the_event_among_many_with_it_cannot_be_measured_either():
    for positives in (5, 95):
        assert not MODEL.task.can_measure(np.arange(100) < positives)
    assert MODEL.task.can_measure(np.arange(100) < 50)


def test_days_that_cannot_be_measured_alone_are_validated_on_together():
    folds = folds_of(MODEL.task, days(3), MODEL.target, "statement_month", 1)
    assert [(f.fitted_through, f.first, f.last) for f in folds] == [
        ("2005-007", "2005-008", "2005-015"),
        ("2005-015", "2005-016", "2005-023"),
        ("2005-023", "2005-024", "2005-031"),
        ("2005-031", "2005-032", "2005-039"),
    ]
    _, trials = search(QUICK, MODEL.task, replace(SPACE, trials=2), days(3), "statement_month", 1)
    assert all(0 < trial.merit < 1 for trial in trials)


def test_few_partitions_are_folds_of_their_own_and_a_poor_last_one_goes_to_that_before():
    few = days(20, 10)
    few["statement_month"] = np.repeat(["2005-04", "2005-05", "2005-06", "2005-07", "2005-08"], 120)
    folds = folds_of(MODEL.task, few, MODEL.target, "statement_month", 1)
    assert [f.first for f in folds] == ["2005-05", "2005-06", "2005-07", "2005-08"]
    few.loc[few["statement_month"] == "2005-08", MODEL.target] = 0
    last = folds_of(MODEL.task, few, MODEL.target, "statement_month", 1)[-1]
    assert (last.fitted_through, last.first, last.last) == ("2005-06", "2005-07", "2005-08")


def test_a_fold_is_fitted_on_nothing_whose_outcome_it_shares():
    few = days(20, 10)
    few["statement_month"] = np.repeat(["2005-04", "2005-05", "2005-06", "2005-07", "2005-08"], 120)
    folds = folds_of(MODEL.task, few, MODEL.target, "statement_month", 3)
    assert [(f.fitted_through, f.first) for f in folds] == [
        ("2005-04", "2005-07"),
        ("2005-05", "2005-08"),
    ]
    assert folds_of(MODEL.task, few, MODEL.target, "statement_month", 6) == []


def test_a_search_over_days_of_too_few_events_keeps_the_declared_recipe():
    rare = days(0)
    rare.loc[:18, MODEL.target] = 1
    assert search(QUICK, MODEL.task, SPACE, rare, "statement_month", 1) == (QUICK, ())


def test_a_search_over_a_single_month_has_nothing_to_validate_on():
    single = frame().query("statement_month == '2005-04'")
    assert search(QUICK, MODEL.task, SPACE, single, "statement_month", 1) == (QUICK, ())
