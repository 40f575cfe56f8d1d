"""A model's life through the real steps: trained, judged, promoted, scored with, guarded."""

from dataclasses import replace
from pathlib import Path

import pytest
from finance_assets.steps.champions import Champion, champion_before, decisions
from mlflow import MlflowClient

from finance_assets.compute.runner import open_registry
from finance_assets.errors import ModelError
from finance_assets.ml.gate import evaluate_gate
from finance_assets.steps.use_case import model_steps
from finance_assets.use_cases.credit_default.use_case import CALENDAR, MODEL
from finance_assets_tests.ml.test_gate import EVIDENCE
from finance_assets_tests.scenario import APRIL, AUGUST, JULY, JUNE, deliver_sample, failed

CANDIDATE, EVALUATION, CHAMPION, PREDICTIONS, DRIFT = (
    step.key for step in model_steps(MODEL, CALENDAR)
)
NAME = MODEL.name


@pytest.fixture
def trained(runner, settings):
    """Tables through August, and a champion as of June."""
    deliver_sample(settings.landing, 2000)
    runner.run_tables(APRIL, AUGUST)
    retrain(runner, JUNE)
    return runner


def retrain(runner, as_of, spec=MODEL):
    """Candidate, evaluation and decision as of a month; the result of the decision."""
    by_key = {step.key: step for step in model_steps(spec, CALENDAR)}
    results = [runner.run(k, as_of, step=by_key[k]) for k in (CANDIDATE, EVALUATION, CHAMPION)]
    return results[-1]


def aliases(settings):
    found = MlflowClient(settings.tracking_uri).get_registered_model(NAME).aliases
    return {alias: str(version) for alias, version in found.items()}


def test_the_champion_in_force_at_a_month_is_the_last_one_decided_before_it(trained):
    assert champion_before(trained.lakehouse, MODEL, JUNE) is None
    assert champion_before(trained.lakehouse, MODEL, JULY) == Champion("1", JUNE)
    retrain(trained, AUGUST)
    assert champion_before(trained.lakehouse, MODEL, AUGUST) == Champion("1", JUNE)


def test_scoring_the_past_again_never_uses_a_later_model(trained):
    trained.run(PREDICTIONS, APRIL, JULY)
    before = trained.rows(PREDICTIONS)
    retrain(trained, AUGUST)
    result = trained.run(PREDICTIONS, APRIL, JULY)
    assert result.changed == ()
    assert trained.rows(PREDICTIONS) == before
    assert {row["statement_month"] for row in before} == {JULY}
    assert {row["model_version"] for row in before} == {"1"}


def test_scores_have_a_declared_band_and_say_which_data_they_rest_on(trained):
    trained.run(PREDICTIONS, JULY)
    rows = trained.rows(PREDICTIONS)
    assert len(rows) == 2000
    for row in rows:
        band = next(b.name for b in reversed(MODEL.bands) if row["score"] >= b.from_score)
        assert row["band"] == band
    version = trained.lakehouse.history("features.credit_default").publication_of(JULY).version
    assert {row["data_version"] for row in rows} == {f"features.credit_default@{version}"}


def test_a_candidate_that_fails_a_criterion_is_recorded_and_the_champion_stays(trained, settings):
    strict = replace(MODEL, gate=replace(MODEL.gate, min_auc=0.999))
    result = retrain(trained, AUGUST, strict)
    assert failed(result) == ["gate_auc_floor"]
    last = decisions(trained.lakehouse, MODEL)[-1]
    assert (last.is_promoted, last.failed) == (False, ["auc_floor"])
    assert (last.candidate_version, last.champion_version) == ("2", "1")
    assert aliases(settings) == {"champion": "1", "challenger": "2"}
    assert champion_before(trained.lakehouse, MODEL, "2005-09") == Champion("1", JUNE)


def test_a_promotion_moves_the_aliases_and_running_it_again_changes_nothing(trained, settings):
    easy = replace(MODEL, gate=replace(MODEL.gate, min_auc_gain=-1.0, max_calibration_error=1.0))
    retrain(trained, AUGUST, easy)
    assert aliases(settings) == {"champion": "2", "previous": "1"}
    again = retrain(trained, AUGUST, easy)
    assert again.changed == ()
    assert aliases(settings) == {"champion": "2", "previous": "1"}
    # Deciding about the past once more does not bring the old champion back.
    retrain(trained, JUNE)
    assert aliases(settings)["champion"] == "2"


def test_candidate_and_champion_are_measured_on_the_same_rows(trained):
    retrain(trained, AUGUST)
    rows = trained.rows(EVALUATION)
    by_role = {
        r["role"]: r for r in rows if (r["as_of_month"], r["holdout_month"]) == (AUGUST, "all")
    }
    assert set(by_role) == {"candidate", "champion"}
    assert by_role["candidate"]["positives"] == by_role["champion"]["positives"]
    assert by_role["candidate"]["rows"] == by_role["champion"]["rows"] == 2000
    assert {r["holdout_month"] for r in rows if r["as_of_month"] == AUGUST} == {"all", JULY}


def test_only_a_passed_report_can_promote(trained, settings):
    registry = open_registry(settings)
    report = evaluate_gate(replace(EVIDENCE, candidate=None))
    with pytest.raises(ModelError, match="the gate did not pass"):
        registry.promote(NAME, report)
    assert aliases(settings) == {"champion": "1"}


def test_nothing_else_in_the_package_sets_an_alias():
    import finance_assets

    setters = [
        path.name
        for path in Path(finance_assets.__file__).parent.rglob("*.py")
        if "set_registered_model_alias" in path.read_text()
    ]
    assert setters == ["registry.py"]


def test_a_model_file_altered_after_registration_is_refused(trained, settings):
    [model] = (settings.root / "mlflow" / "artifacts").rglob("model.lgb")
    text = model.read_text()
    model.write_text(text.replace("learning_rate: 0.05", "learning_rate: 0.06"))
    with pytest.raises(ModelError, match="not the one that was registered"):
        trained.run(PREDICTIONS, JULY)
    assert trained.lakehouse.history(PREDICTIONS).row_counts() == {}


def test_an_altered_training_reference_is_refused(trained, settings):
    trained.run(PREDICTIONS, JULY)
    [reference] = (settings.root / "mlflow" / "artifacts").rglob("reference.json")
    reference.write_text(reference.read_text().replace("1", "2", 1))
    with pytest.raises(ModelError, match="reference.json is not the one"):
        trained.run(DRIFT, JULY)


def test_a_month_scored_by_nobody_has_no_drift_rows_and_says_so(trained):
    trained.run(PREDICTIONS, APRIL, JULY)
    result = trained.run(DRIFT, APRIL, JULY)
    verdicts = {p: facts["verdict"] for p, facts in result.by_partition.items()}
    assert verdicts[JUNE] == "no_champion"
    assert verdicts[JULY] == "drift"
    assert {row["statement_month"] for row in trained.rows(DRIFT)} == {JULY}
    assert len(trained.rows(DRIFT)) == len(MODEL.feature_names) + 1


def test_new_data_for_the_same_month_is_a_new_candidate(trained, settings):
    deliver_sample(settings.landing, 2100, [APRIL])
    trained.run_tables(APRIL, AUGUST)
    retrain(trained, JUNE)
    versions = open_registry(settings).versions(NAME)
    assert [v.number for v in versions] == ["2", "1"]
    assert versions[0].tags["dataset_version"] != versions[1].tags["dataset_version"]
