"""Candidates that learned what they must not, or from other rows than they say."""

from dataclasses import replace

import numpy as np
import pytest
from deltalake import DeltaTable

from finance_assets.ml.frames import LabelledRows
from finance_assets.ml.training import train
from finance_assets.steps import training as training_step
from finance_assets_tests.model_life.sabotage.attacks import (
    ACCOUNTS,
    FEATURES,
    LABELS,
    rewritten,
    tables,
    trained_otherwise,
)
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    CALENDAR,
    JULY,
    JUNE,
    MAY,
    MODEL,
    deliver_sample,
)

pytestmark = pytest.mark.slow


def other_split(monkeypatch, change):
    real = training_step.split_as_of
    monkeypatch.setattr(training_step, "split_as_of", lambda *given: change(real(*given)))


def test_a_candidate_trained_on_the_holdout_is_turned_down(judge, monkeypatch):
    other_split(
        monkeypatch,
        lambda s: replace(s, train=s.rows),
    )
    assert judge() == ("turned_down", ["point_in_time", "artifact"])


def test_a_candidate_that_lies_about_having_seen_the_holdout_is_turned_down(
    home, judge, monkeypatch
):
    def peeking(recipe, rows, model):
        seen = LabelledRows(rows.spec, rows.window, rows.plan)
        holdout = training_rows(home, rows.spec, CALENDAR.shift(rows.window.last, 1))
        seen.__dict__["frame"] = rows.frame._append(holdout, ignore_index=True)
        return train(recipe, seen)

    trained_otherwise(monkeypatch, peeking)
    outcome, failed = judge()
    assert (outcome, failed) == ("turned_down", ["artifact"])


def training_rows(home, spec, month):
    """The labelled rows of a month, read around the steps."""
    features, labels = (DeltaTable(path).to_pandas() for path in tables(home, FEATURES, LABELS))
    labels = labels[[*spec.key, spec.target]]
    rows = features.merge(labels, on=list(spec.key)).dropna(subset=[spec.target])
    rows[spec.target] = rows[spec.target].astype("int8")
    return rows[rows[spec.partition_column] == month]


def test_a_candidate_of_the_wrong_window_is_turned_down(judge, monkeypatch):
    other_split(
        monkeypatch,
        lambda s: replace(s, train=s.train.at(s.train.first)),
    )
    outcome, failed = judge()
    assert outcome == "turned_down"
    assert {"point_in_time", "artifact"} <= set(failed)


def test_a_candidate_of_another_month_is_turned_down(judge, monkeypatch):
    other_split(monkeypatch, lambda s: replace(s, as_of=JULY))
    real = training_step._record
    monkeypatch.setattr(
        training_step, "_record", lambda version: replace(real(version), as_of=AUGUST)
    )
    assert judge() == ("turned_down", ["point_in_time"])


def test_a_candidate_of_data_restated_since_is_turned_down(home, judge):
    def restate():
        deliver_sample(home.settings.landing, ACCOUNTS - 1, [APRIL])
        home.run_tables(APRIL, JUNE)

    try:
        outcome, failed = judge(between=restate)
        assert (outcome, "point_in_time" in failed) == ("turned_down", True)
    finally:
        deliver_sample(home.settings.landing, ACCOUNTS, [APRIL])
        home.run_tables(APRIL, JUNE)


LEAKS = {
    "the outcome itself": lambda bad, random: bad,
    "a tenth of it flipped": lambda bad, random: np.where(
        random.random(len(bad)) < 0.1, 1 - bad, bad
    ),
    "a third of it, else nothing": lambda bad, random: np.where(
        random.random(len(bad)) < 1 / 3, bad, np.nan
    ),
    "a third of it, else zero": lambda bad, random: np.where(
        random.random(len(bad)) < 1 / 3, bad, 0.0
    ),
    "a third of it, else a coin": lambda bad, random: np.where(
        random.random(len(bad)) < 1 / 3, bad, random.integers(0, 2, len(bad))
    ),
    "a third of it among noise": lambda bad, random: bad / 3 + random.normal(size=len(bad)) * 0.3,
}


def leaking(rows, labels, feature, leak):
    """The outcome, more or less hidden, in the place of a feature."""
    known = labels.set_index(["account_id", "statement_month"])["is_default"]
    keys = list(zip(rows["account_id"], rows["statement_month"], strict=True))
    bad = known.reindex(keys).to_numpy(dtype="float64", na_value=np.nan)
    return rows.assign(**{feature: leak(bad, np.random.default_rng(5))})


@pytest.mark.parametrize("leak", LEAKS)
def test_a_feature_that_knows_the_outcome_is_turned_down(home, judge, leak):
    labels = DeltaTable(tables(home, LABELS)[0]).to_pandas()

    def change(rows):
        return leaking(rows, labels, "payment_ntd", LEAKS[leak])

    with rewritten(home, FEATURES, change):
        outcome, failed = judge()
    assert (outcome, "leakage" in failed) == ("turned_down", True)


def test_the_rule_of_thumb_is_no_hiding_place_for_the_outcome(home, judge):
    labels = DeltaTable(tables(home, LABELS)[0]).to_pandas()

    def change(rows):
        return leaking(rows, labels, MODEL.naive, LEAKS["a tenth of it flipped"])

    with rewritten(home, FEATURES, change):
        outcome, failed = judge()
    assert (outcome, "leakage" in failed) == ("turned_down", True)


OF_THE_MONTH = ["credit_limit_ntd", "pay_status", "bill_ntd", "payment_ntd", "utilisation_ratio"]


@pytest.mark.parametrize("original", [APRIL, MAY, JUNE])
def test_a_month_delivered_again_as_the_holdout_is_turned_down(home, judge, original):
    """What is of the month repeats; what looks back on other months does not."""

    def again(rows):
        by_account = rows[rows["statement_month"] == original].set_index("account_id")
        is_july = rows["statement_month"] == JULY
        copied = by_account[OF_THE_MONTH].reindex(rows.loc[is_july, "account_id"]).to_numpy()
        changed = rows.copy()
        changed.loc[is_july, OF_THE_MONTH] = copied
        return changed

    with rewritten(home, FEATURES, again):
        outcome, failed = judge()
    assert (outcome, "leakage" in failed) == ("turned_down", True)
