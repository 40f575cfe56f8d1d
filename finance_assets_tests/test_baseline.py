"""The rule of thumb as champion, and models of what it misses, on the real engine."""

import shutil
from dataclasses import replace

import mlflow
import numpy as np
import pytest

from finance_assets.compute.runner import open_context, open_registry
from finance_assets.errors import DeclarationError, ModelError
from finance_assets.ml.families import FAMILIES, Anchor, load_model
from finance_assets.ml.families.anchored import fit_anchored
from finance_assets.ml.gate import Gate
from finance_assets.ml.gate_report import GateReport
from finance_assets.ml.tasks.regression import Regression, criteria
from finance_assets.model_life.acceptance import accept
from finance_assets.model_life.cards import gather_card
from finance_assets.model_life.chain import chain_problems, read_history
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.crowning import mirror
from finance_assets.model_life.judging import Judge
from finance_assets.model_life.reproduce import reproduce
from finance_assets.model_life.rollback import roll_back
from finance_assets.model_life.verification import verify
from finance_assets.monitoring.retraining import (
    NoRetraining,
    RetrainingPolicy,
    RetrainingRequest,
    decide_retraining,
)
from finance_assets.monitoring.retraining_facts import RetrainingFacts
from finance_assets_tests.kiosk import DAYS, GATE, KIOSKS, NAME, Kiosk
from finance_assets_tests.running import DeliveredRunner
from finance_assets_tests.scenario import MODEL as BINARY
from finance_assets_tests.shop import MODEL, SCORING, TABLES

RELATIVE = Regression(unit="pieces", coverage=0.8, relative_to="sold")
# No model saves nine tenths of an error that is mostly noise.
STRICT = Gate(
    tuple(
        criteria.BeatsBaseline(min_skill=0.9) if c.name == "beats_baseline" else c
        for c in GATE.criteria
    )
)
FIRST, SECOND, THIRD = DAYS[6], DAYS[7], DAYS[8]


def kiosk_with(gate, settings, spark) -> DeliveredRunner:
    kiosk = Kiosk(gate=gate, task=RELATIVE, more={"baseline_serves": True})
    return DeliveredRunner(kiosk, settings, spark)


def events(runner):
    found = read_history(runner.lakehouse, NAME).events
    return [(e.event, e.model_version, e.replaces, e.effective_from) for e in found]


def scored(runner, day):
    runner.run(TABLES, day)
    runner.run(SCORING, day)
    return runner.rows(f"predictions.{NAME}_predictions", lambda row: row["day"] == day)


def test_the_rule_of_thumb_serves_until_a_candidate_beats_it(settings, spark):
    before = kiosk_with(STRICT, settings, spark)
    before.run(TABLES, DAYS[0], FIRST)
    before.run(MODEL, FIRST)
    assert events(before) == [("installed", "1", None, SECOND)]
    rows, came = scored(before, SECOND), Kiosk().sales(THIRD).set_index("kiosk_id")["sold"]
    sold = Kiosk().sales(SECOND).set_index("kiosk_id")["sold"]
    assert {row["model_version"] for row in rows} == {"1"}
    assert len(rows) == KIOSKS
    assert all(row["prediction"] == sold[row["kiosk_id"]] for row in rows)
    assert all(row["beyond_naive"] == 0 for row in rows)
    held = [r["prediction_low"] <= came[r["kiosk_id"]] <= r["prediction_high"] for r in rows]
    assert np.mean(held) == pytest.approx(0.8, abs=0.06), "the interval of its past errors"
    [drift] = before.rows(f"monitoring.{NAME}_drift")
    assert (drift["variable"], drift["model_version"]) == ("beyond_naive", "1")

    after = kiosk_with(GATE, settings, spark)
    after.run(MODEL, SECOND)
    decided = sorted(after.rows(f"models.{NAME}_decision"), key=lambda row: row["recorded_at"])
    assert [(d["outcome"], d["champion_version"]) for d in decided] == [
        ("turned_down", "1"),
        ("promoted", "1"),
    ], decided[-1]["gate_report"]
    assert events(after)[1:] == [("promoted", "3", "1", THIRD)]
    assert {row["model_version"] for row in scored(after, THIRD)} == {"3"}

    # It is a version like any other: rolled back to, reproduced, verified, served by MLflow.
    spec, calendar = after.use_case.model, after.use_case.calendar
    ctx = open_context(settings, lambda: spark, run_id="test", report=lambda _: None)
    roll_back(ctx, Judge.of(after.use_case), reason="the new one is late", to="1")
    mirror(ctx, spec)
    assert verify(ctx, spec, {}) == []
    registry = open_registry(settings)
    assert "rule of thumb" in gather_card(ctx, spec, registry.version(NAME, "1"))["status"]
    frame = Kiosk().sales(THIRD)[["sold", "is_promoted", "warmth"]]
    for number in ("1", "3"):
        version = registry.version(NAME, number)
        assert reproduce(ctx, spec, calendar, version).is_reproduced, number
        served = mlflow.pyfunc.load_model(f"models:/{NAME}/{number}").predict(frame)
        ours = registry.model(version)
        assert np.array_equal(np.asarray(served), ours.predict(ours.inputs(frame)))

    # Only the first event may rest on the declaration.
    installed, promoted, back = read_history(after.lakehouse, NAME).events
    report = GateReport.from_json(installed.gate_report)
    forged = replace(report, candidate_version="3", champion_version="1").to_json()
    for event, where in ((promoted, (installed,)), (replace(back, event="installed"), ())):
        chain = (*where, replace(event, gate_report=forged).sealed())
        problems = " ".join(chain_problems(chain if where else (installed, promoted, chain[0])))
        assert "only the rule of thumb needs no gate" in problems


def test_after_a_lost_history_the_rule_of_thumb_serves_and_whoever_beats_it_is_held(
    settings, spark
):
    kiosk = kiosk_with(GATE, settings, spark)
    kiosk.run(TABLES, DAYS[0], SECOND)
    kiosk.run(MODEL, FIRST)
    shutil.rmtree(kiosk.lakehouse.path(champion_history_contract(NAME).table))
    ctx = open_context(settings, lambda: spark, run_id="test", report=lambda _: None)
    accept(ctx, kiosk.use_case.model, kiosk.use_case.calendar, reason="deleted", stated={})
    kiosk.run(MODEL, SECOND)
    # The rule of thumb is weaker than the champion that was lost may have been.
    assert [event for event, *_ in events(kiosk)] == ["installed"]
    decided = sorted(kiosk.rows(f"models.{NAME}_decision"), key=lambda row: row["recorded_at"])
    assert decided[-1]["outcome"] == "held"


def facts(ready, decided, is_baseline):
    version = "1" if is_baseline else None
    known = {"is_baseline": is_baseline, "measured": frozenset(ready)}
    return RetrainingFacts("d3", frozenset(ready), frozenset(decided), version, (), **known)


def test_each_new_partition_brings_one_try_to_beat_the_rule_of_thumb_and_never_an_older():
    asked = decide_retraining(facts({"d3", "d4", "d5"}, {"d4"}, True), RetrainingPolicy())
    assert isinstance(asked, RetrainingRequest)
    assert asked.as_of == "d5"
    done = decide_retraining(facts({"d3", "d4"}, {"d4"}, True), RetrainingPolicy())
    assert isinstance(done, NoRetraining)
    assert "the rule of thumb serves" in done.reason


@pytest.mark.parametrize(
    "family", ["xgboost", pytest.param("lightgbm", marks=pytest.mark.lightgbm)]
)
def test_what_is_relative_reaches_levels_that_were_never_seen(family):
    random = np.random.default_rng(3)
    pull, level = random.normal(size=600), np.linspace(1, 2, 600)
    unit = random.uniform(0.5, 1.5, 600)
    rows = np.column_stack([pull, level, unit])
    outcome = level + unit * (pull + 0.1 * random.normal(size=600))
    used, features = FAMILIES[family], ("pull", "level", "unit")
    params = used.fixed(Regression(unit="EUR").objective)
    model = fit_anchored(used, Anchor("level", "unit"), params, 60, rows, outcome, features)
    later = np.column_stack([pull, level + 50, unit])
    said = model.predict(later)
    assert np.abs(said[:, 1] - outcome - 50).mean() < 0.3
    assert (said[:, 0] <= said[:, 1]).all() and (said[:, 1] <= said[:, 2]).all()
    again = load_model(family, model.text)
    assert np.array_equal(again.predict(later), said)
    assert (again.features, again.learned) == (features, ("pull",))
    shares = again.contributions(later)
    assert np.array_equal(shares[:, 1], later[:, 1])
    # What is left is the same for every row, in its unit: the inner model's base.
    base = (said[:, 1] - shares.sum(axis=1)) / unit
    assert np.ptp(base) < 0.2
    with pytest.raises(ModelError, match="its tag says"):
        load_model("xgboost" if family == "lightgbm" else "lightgbm", model.text)
    with pytest.raises(ModelError, match="3 rows have no anchor"):
        rows[:3, 2] = (0, -1, np.nan)
        fit_anchored(used, Anchor("level", "unit"), params, 2, rows, outcome, features)


REFUSED = {
    "the rule of thumb is 'sold'": {"relative_to": "warmth"},
    "'nonsense' does not exist": {"relative_to": "sold", "per": "nonsense"},
    "nothing is relative": {"per": "warmth"},
    "is the rule of thumb itself": {"relative_to": "sold", "per": "sold"},
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_anchor_that_cannot_be_is_refused_at_load(what):
    task = Regression(unit="pieces", **REFUSED[what])
    with pytest.raises(DeclarationError, match=what):
        Kiosk(task=task).model()


def test_nothing_left_to_learn_from_and_no_forecast_are_refused_at_load():
    with pytest.raises(DeclarationError, match="nothing is left to learn from"):
        replace(Kiosk(task=RELATIVE).model(), feature_names=("sold",))
    with pytest.raises(DeclarationError, match="every candidate is the baseline"):
        replace(Kiosk().model(), family="baseline", params={}, baseline_serves=True)
    with pytest.raises(DeclarationError, match="the task binary gives no forecast"):
        replace(BINARY, baseline_serves=True)
    with pytest.raises(DeclarationError, match="predicts the target itself"):
        Kiosk(task=RELATIVE, more={"is_distributed": True}).model()
