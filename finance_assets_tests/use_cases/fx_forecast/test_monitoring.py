"""What monitoring can say of a month of rates: some 42 rows, which hang together."""

import numpy as np
import pandas as pd
import pytest

from finance_assets.monitoring.drift import DriftReport, compare
from finance_assets.monitoring.measurements import Matured, Measurements
from finance_assets.monitoring.reference import Reference, build_reference
from finance_assets.monitoring.significance import Figure
from finance_assets.monitoring.triage import Action, Verdict, triage
from finance_assets.use_cases.fx_forecast.use_case import MODEL

ROWS, WIDTH = 42, 1.0


def a_month(seed: int, off: float = 0.0, times: float = 1.0) -> Measurements:
    """A month of forecasts five days ahead: each error holds moves of those before, too.

    `off`: by how many widths of the interval forecasts are too low; `times`: a feature's unit.
    """
    random = np.random.default_rng(seed)
    # The interval holds four fifths of normal errors: 2.56 standard deviations wide.
    moves = random.normal(size=ROWS + 9) / 2.563 / np.sqrt(10)
    errors = np.convolve(moves, np.ones(10), "valid") + off * WIDTH
    forecast = np.tile([4.5, 5.0, 5.5], (ROWS, 1))
    output = MODEL.task.said(
        pd.DataFrame(forecast, columns=["prediction_low", "prediction", "prediction_high"])
    )
    seen = MODEL.task.observed(5.0 + errors, output)
    lost = MODEL.task.lost(MODEL.task.expected(output), seen)
    matured = Matured("before", _figure(seen["level"]), lost=lost and _figure(lost))
    feature = random.normal(size=ROWS + 19)
    slow = np.convolve(feature, np.ones(20) / np.sqrt(20), "valid") * times
    return Measurements("now", _report(slow), "1", "digest", matured=matured)


def _report(values: np.ndarray) -> DriftReport:
    known = build_reference("move_20d", np.random.default_rng(0).normal(size=5000))
    counts = build_reference("move_20d", values, known.edges).counts
    found = compare(known, counts, _outside(known, values))
    return DriftReport(len(values), (found,), MODEL.drift)


def _outside(known: Reference, values: np.ndarray) -> int:
    assert known.low is not None and known.high is not None
    return int(((values < known.low) | (values > known.high)).sum())


def _figure(one) -> Figure:
    return Figure(one.value, one.low, one.high)


def test_a_month_like_any_other_is_judged_and_brings_no_alarm():
    found = [triage(a_month(seed)).verdict for seed in range(300)]
    assert found == [Verdict.none] * 300


@pytest.mark.parametrize("off", [1.6, -1.6])
def test_forecasts_that_are_off_by_more_than_their_interval_are_a_concept_shift(off):
    found = [triage(a_month(seed, off=off)) for seed in range(100)]
    assert {(one.verdict, one.action) for one in found} == {(Verdict.concept_shift, Action.retrain)}


def test_a_feature_in_another_unit_is_held():
    found = [triage(a_month(seed, times=100.0)) for seed in range(100)]
    held = [one for one in found if one.verdict is Verdict.data_quality]
    assert len(held) >= 95
