"""The scorecard: what it is fitted on, and that it reads back as it was."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from finance_assets.codec import from_json, to_json
from finance_assets.ml.tasks.binary.scorecard import Scorecard, ScorecardFeature, fit_scorecard
from finance_assets.monitoring.reference import (
    build_reference,
    choose_edges,
)

FEATURES = ("status", "ratio")


@pytest.fixture(scope="module")
def frame():
    """A code and a ratio, both missing at times, and an outcome that depends on both."""
    random = np.random.default_rng(5)
    status = random.integers(-2, 4, 2_000).astype("float64")
    ratio = random.normal(size=2_000)
    outcome = status + ratio + random.normal(size=2_000) > 2
    ratio[random.random(2_000) < 0.1] = np.nan
    return pd.DataFrame({"status": status, "ratio": ratio, "is_late": outcome.astype("int8")})


def test_it_is_a_logistic_regression_on_one_column_per_bin(frame):
    blocks = []
    for name in FEATURES:
        edges = choose_edges(frame[name].tolist())
        bins = [build_reference(name, [value], edges).counts for value in frame[name]]
        blocks.append(np.array(bins, dtype="float64"))
    model = LogisticRegression(C=1.0, solver="newton-cholesky")
    model.fit(np.hstack(blocks), frame["is_late"].to_numpy())
    scorecard = fit_scorecard(frame, FEATURES, "is_late")
    weights = [w for feature in scorecard.features for w in feature.log_odds]
    assert weights == model.coef_[0].tolist()
    assert scorecard.intercept == model.intercept_[0]
    assert scorecard.predict(frame) == pytest.approx(
        model.predict_proba(np.hstack(blocks))[:, 1], abs=1e-12
    )


def test_it_reads_back_from_json_as_it_was(frame):
    scorecard = fit_scorecard(frame, FEATURES, "is_late")
    assert from_json(Scorecard, to_json(scorecard)) == scorecard


def test_one_that_was_kept_by_an_older_version_is_read(frame):
    kept = (
        '{"intercept": -1.5, "features": [{"name": "status", "edges": [0.5, 1],'
        ' "log_odds": [0, 0.25, -0.5, 2]}]}'
    )
    only = ScorecardFeature("status", (0.5, 1.0), (0.0, 0.25, -0.5, 2.0))
    assert from_json(Scorecard, kept) == Scorecard(-1.5, (only,))
