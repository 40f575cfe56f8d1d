"""Training is repeatable, and time decides what it may see."""

import numpy as np
import pandas as pd
import pytest

from finance_assets.errors import HistoryError
from finance_assets.ml.frames import first_as_of, split_as_of
from finance_assets.ml.training import predict, train, training_fingerprint
from finance_assets.use_cases.credit_default.use_case import CALENDAR, MODEL


def frame(rows: int = 3000) -> pd.DataFrame:
    random = np.random.default_rng(1)
    values = random.normal(size=(rows, len(MODEL.feature_names)))
    data = pd.DataFrame(values, columns=list(MODEL.feature_names))
    data.iloc[::7, 3] = np.nan
    data[MODEL.target] = (values[:, 1] + random.normal(size=rows) > 1).astype("int8")
    return data


def test_the_same_frame_gives_the_same_model_to_the_byte():
    first, second = train(MODEL, frame()), train(MODEL, frame())
    assert first.model_to_string() == second.model_to_string()
    assert np.array_equal(predict(first, MODEL, frame()), predict(second, MODEL, frame()))


def test_the_model_reads_only_the_declared_features():
    booster = train(MODEL, frame())
    assert tuple(booster.feature_name()) == MODEL.feature_names


def test_the_fingerprint_changes_with_data_and_window():
    prints = {
        training_fingerprint(MODEL, "features@1", "2005-04"),
        training_fingerprint(MODEL, "features@2", "2005-04"),
        training_fingerprint(MODEL, "features@1", "2005-04..2005-05"),
    }
    assert len(prints) == 3
    again = training_fingerprint(MODEL, "features@1", "2005-04")
    assert again in prints


def test_as_of_a_month_only_outcomes_known_by_then_count():
    split = split_as_of(CALENDAR, MODEL, "2005-08")
    assert (split.train.first, split.train.last) == ("2005-04", "2005-06")
    assert (split.holdout.first, split.holdout.last) == ("2005-07", "2005-07")
    assert split.matured.last == "2005-08"
    assert split.train.last < split.holdout.first


def test_too_early_a_month_says_when_training_can_begin():
    assert first_as_of(CALENDAR, MODEL) == "2005-06"
    with pytest.raises(HistoryError, match="2005-06 or later"):
        split_as_of(CALENDAR, MODEL, "2005-05")
