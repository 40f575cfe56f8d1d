"""A regression from its tables to a promoted model, forecasts and drift, on the real engine."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from deltalake import DeltaTable

from finance_assets.compute.runner import open_registry
from finance_assets.ml.training import train_here
from finance_assets.model_life.chain import read_history
from finance_assets.steps import training as training_step
from finance_assets_tests.kiosk import DAYS, FEATURES, KIOSKS, NAME, Kiosk
from finance_assets_tests.running import DeliveredRunner
from finance_assets_tests.shop import CANDIDATE_ONLY, MODEL, SCORING, TABLES

AS_OF, AFTER = DAYS[7], DAYS[8]


def eight_days(home) -> None:
    DeliveredRunner(Kiosk(), home.settings, home.spark).run(TABLES, DAYS[0], AS_OF)


@pytest.fixture
def started(settings, spark, homes):
    """A runner of a kiosk in a home that has the tables of eight days: the same for all kiosks."""

    def run(kiosk) -> DeliveredRunner:
        runner = DeliveredRunner(kiosk, settings, spark)
        homes.copy(runner, "kiosk", eight_days)
        return runner

    return run


def decisions(kiosk: DeliveredRunner) -> list[tuple[str, str]]:
    rows = sorted(kiosk.rows(f"models.{NAME}_decision"), key=lambda row: row["recorded_at"])
    return [(row["outcome"], row["failed_criteria"]) for row in rows]


def figures(kiosk: DeliveredRunner) -> dict[str, float]:
    rows = kiosk.rows(
        f"models.{NAME}_evaluation", lambda r: (r["role"], r["segment"]) == ("candidate", "all")
    )
    return {row["metric"]: row["value"] for row in rows}


@pytest.mark.parametrize(
    "family", ["xgboost", pytest.param("lightgbm", marks=pytest.mark.lightgbm)]
)
def test_a_regression_runs_from_its_tables_to_forecasts_and_drift(family, started):
    kiosk = started(Kiosk(family))
    kiosk.run(MODEL, AS_OF)
    assert decisions(kiosk) == [("promoted", "")]
    [event] = read_history(kiosk.lakehouse, NAME).events
    assert event.report.task == "regression"
    found = figures(kiosk)
    assert found["rows"] == KIOSKS
    assert found["mae"] < found["rmse"] < 5
    assert 0.7 < found["coverage"] < 0.9
    kiosk.run(TABLES, AFTER)
    kiosk.run(SCORING, AFTER)
    forecasts = kiosk.rows(f"predictions.{NAME}_predictions")
    assert len(forecasts) == KIOSKS
    assert all(r["prediction_low"] <= r["prediction"] <= r["prediction_high"] for r in forecasts)
    came = dict(zip(*Kiosk().sales(DAYS[9])[["kiosk_id", "sold"]].to_numpy().T, strict=True))
    error = np.mean([abs(r["prediction"] - came[r["kiosk_id"]]) for r in forecasts])
    assert error < 3, "the noise alone is 2.5 · 0.8"
    drift = {row["variable"]: row["psi"] for row in kiosk.rows(f"monitoring.{NAME}_drift")}
    assert set(drift) == {"sold", "is_promoted", "warmth", "prediction"}
    assert max(drift.values()) < 0.25


@pytest.mark.lightgbm
def test_what_is_registered_says_the_same_when_mlflow_loads_it(settings, started):
    import mlflow

    kiosk = started(Kiosk("lightgbm"))
    kiosk.run(CANDIDATE_ONLY, AS_OF)
    registry = open_registry(settings)
    [version] = registry.versions(NAME)
    rows = Kiosk().sales(AFTER)[["sold", "is_promoted", "warmth"]]
    served = mlflow.pyfunc.load_model(f"models:/{version.name}/{version.number}").predict(rows)
    ours = registry.model(version)
    assert np.array_equal(np.asarray(served), ours.predict(ours.inputs(rows)))


def test_the_future_does_not_change_what_was_learned_and_said(
    settings, spark, tmp_path, mlflow_store
):
    """The leak test: everything after the holdout's outcomes is another, and no byte differs."""

    def ran(changed_from, folder):
        home = settings.model_copy(update={"home": folder})
        home.__dict__.pop("root", None)
        home.prepare_home()
        shutil.copy(mlflow_store, home.root / "mlflow" / "mlflow.db")
        kiosk = DeliveredRunner(Kiosk(changed_from=changed_from), home, spark)
        kiosk.run(TABLES, DAYS[0], DAYS[10])
        kiosk.run(MODEL, AS_OF)
        [candidate] = kiosk.rows(f"models.{NAME}_candidate")
        features = DeltaTable(str(kiosk.lakehouse.path(FEATURES))).to_pandas()
        known = features[features["day"] <= AS_OF].sort_values(["day", "kiosk_id"])
        return candidate["artifact_sha256"], known.to_csv(index=False), figures(kiosk)

    before, after = ran("9999", tmp_path / "a"), ran(AFTER, tmp_path / "b")
    assert before == after


def labels_of(change):
    def tamper(recipe, rows):
        frame = rows.frame.copy()
        frame[recipe.target] = change(frame)
        return train_here(recipe, frame)

    return tamper


SABOTAGE = {
    "too high for everything": ("bias", labels_of(lambda f: f["sold_next"] + 4)),
    "shuffled outcomes": (
        "accuracy",
        labels_of(lambda f: f["sold_next"].sample(frac=1, random_state=1).to_numpy()),
    ),
    "the rule of thumb itself": ("beats_baseline", labels_of(lambda f: f["sold"])),
    "forecasts without the noise": (
        "interval_coverage",
        labels_of(lambda f: 16 + 0.6 * f["sold"] + 3 * f["warmth"] + 2 * f["is_promoted"]),
    ),
    "worse for those who promote": (
        "fairness",
        labels_of(lambda f: f["sold_next"] + 6 * f["is_promoted"]),
    ),
    "a few rounds only": (
        "beats_baseline",
        lambda recipe, rows: train_here(replace(recipe, rounds=1), rows.frame),
    ),
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_a_sabotaged_forecaster_is_turned_down(name, started, monkeypatch):
    criterion, tamper = SABOTAGE[name]
    monkeypatch.setattr(training_step, "train", tamper)
    kiosk = started(Kiosk())
    kiosk.run(MODEL, AS_OF)
    [(outcome, failed)] = decisions(kiosk)
    assert outcome == "turned_down"
    assert criterion in failed.split(",")
    assert "artifact" in failed.split(","), "training again gives another model"
