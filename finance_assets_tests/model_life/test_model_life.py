"""A model's life through the real steps: trained, judged, promoted, scored with, guarded."""

from dataclasses import replace

import pytest

from finance_assets.compute.runner import open_registry
from finance_assets.errors import ModelError
from finance_assets.ml.gate import Gate, evaluate_gate
from finance_assets.ml.registry import Mirror
from finance_assets.ml.tasks.binary import criteria
from finance_assets_tests.ml.evidence import EASY_GATE, EVIDENCE, without
from finance_assets_tests.model_life.models import (
    DECISION,
    DRIFT,
    EVALUATION,
    HISTORY,
    NAME,
    PREDICTIONS,
    aliases,
    champion_at,
    decided,
    decision,
    events,
    mlflow_client,
)
from finance_assets_tests.model_life.models import run_model_steps as retrain
from finance_assets_tests.scenario import (
    APRIL,
    AUGUST,
    FEATURES,
    GATE,
    JULY,
    JUNE,
    MODEL,
    SEPTEMBER,
    deliver_sample,
    failed,
)

# On so few rows the scorecard is as good as the model, and groups are small.
EASY = replace(MODEL, gate=EASY_GATE)
STRICT = replace(
    EASY,
    gate=Gate(
        tuple(
            criteria.Discrimination(min_auc=0.99) if c.name == "discrimination" else c
            for c in EASY.gate.criteria
        )
    ),
)


def champion_as_of_june(runner):
    runner.begin(2000, AUGUST)
    retrain(runner, JUNE, EASY)


@pytest.fixture
def trained(runner, homes):
    """Tables through August, and a champion as of June."""
    homes.copy(runner, "champion_as_of_june", champion_as_of_june)
    return runner


def test_the_champion_in_force_at_a_month_is_the_last_one_decided_before_it(trained):
    assert champion_at(trained, JUNE) is None
    assert champion_at(trained, JULY) == ("1", JUNE)
    retrain(trained, AUGUST, EASY)
    assert champion_at(trained, AUGUST) == ("1", JUNE)
    assert champion_at(trained, "2005-09") == ("2", AUGUST)


def test_scoring_the_past_again_never_uses_a_later_model(trained):
    trained.run(PREDICTIONS, APRIL, JULY)
    before = trained.rows(PREDICTIONS)
    retrain(trained, AUGUST, EASY)
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
        band = next(b.name for b in reversed(MODEL.task.bands) if row["score"] >= b.from_score)
        assert row["band"] == band
    version = trained.lakehouse.history(FEATURES).publication_of(JULY).version
    assert {row["data_version"] for row in rows} == {f"{FEATURES}@{version}"}


def test_rows_that_were_not_scored_do_not_count_as_drifted(trained):
    trained.run(PREDICTIONS, JULY)
    deliver_sample(trained.settings.landing, 2100, [JULY])
    trained.run_tables(JULY)
    trained.run(DRIFT, JULY)
    assert {row["rows"] for row in trained.rows(DRIFT)} == {2000}


def test_a_candidate_that_fails_a_criterion_is_recorded_and_the_champion_stays(trained, settings):
    result = retrain(trained, AUGUST, STRICT)
    assert failed(result) == ["gate_discrimination"]
    assert decision(trained, AUGUST) == ("turned_down", ["discrimination"])
    assert decided(trained) == [("1", "promoted"), ("2", "turned_down")]
    assert events(trained) == [("promoted", "1", None)]
    assert aliases(settings) == {"champion": "1", "challenger": "2"}
    assert champion_at(trained, "2005-09") == ("1", JUNE)


def test_a_promotion_moves_the_aliases_and_running_it_again_changes_nothing(trained, settings):
    retrain(trained, AUGUST, EASY)
    assert aliases(settings) == {"champion": "2", "previous": "1"}
    known = trained.rows(HISTORY)
    again = retrain(trained, AUGUST, EASY)
    assert again.changed == ()
    assert trained.rows(HISTORY) == known
    assert aliases(settings) == {"champion": "2", "previous": "1"}
    # Deciding about the past once more does not bring the old champion back.
    retrain(trained, JUNE, EASY)
    assert trained.rows(HISTORY) == known
    assert aliases(settings)["champion"] == "2"


def test_all_contenders_are_measured_on_the_same_rows_as_a_whole_and_by_group(trained):
    retrain(trained, AUGUST, EASY)
    rows = [row for row in trained.rows(EVALUATION) if row["as_of"] == AUGUST]
    whole = {(r["role"], r["metric"]): r["value"] for r in rows if r["segment"] == "all"}
    roles = {"candidate", "champion", "scorecard", "naive"}
    assert {role for role, _ in whole} == roles
    assert {whole[role, "rows"] for role in roles} == {2000}
    assert len({whole[role, "positives"] for role in roles}) == 1
    segments = {row["segment"] for row in rows if row["role"] == "candidate"}
    assert {f"statement_month={JULY}", "sex=male", "sex=female", "age_band=under 25"} <= segments
    own = [r for r in rows if r["role"] == "candidate" and r["metric"] == "rows"]
    assert sum(r["value"] for r in own if "sex=" in r["segment"]) == 2000


def test_only_a_passed_report_can_be_mirrored(trained, settings):
    registry = open_registry(settings)
    report = evaluate_gate(GATE, replace(EVIDENCE, **without("scorecard")))
    with pytest.raises(ModelError, match="the gate did not pass"):
        registry.mirror(NAME, Mirror(report, None, None, ""))
    assert aliases(settings) == {"champion": "1"}


def test_nothing_else_in_the_package_sets_an_alias():
    from pathlib import Path

    import finance_assets

    sources = list(Path(finance_assets.__file__).parent.rglob("*.py"))
    setters = [p.name for p in sources if "set_registered_model_alias" in p.read_text()]
    assert setters == ["registry.py"]
    callers = [p.name for p in sources if ".registry.mirror(" in p.read_text()]
    assert callers == ["crowning.py"], "and the history is the only one to ask for it"


def test_aliases_that_could_not_be_moved_lose_nothing_and_are_mended_by_the_next_run(
    trained, settings, monkeypatch
):
    from finance_assets.ml.registry import ModelRegistry

    def burst(*given):
        raise OSError("the process died")

    with monkeypatch.context() as patch:
        patch.setattr(ModelRegistry, "mirror", burst)
        result = retrain(trained, AUGUST, EASY)
    assert "the process died" in result.metadata["follow_up"]
    assert result.stated[HISTORY][NAME]["champion_version"] == "2", "Dagster is told all the same"
    assert aliases(settings) == {"champion": "1"}
    assert champion_at(trained, SEPTEMBER) == ("2", AUGUST)
    retrain(trained, AUGUST, EASY, (DECISION,))
    assert aliases(settings) == {"champion": "2", "previous": "1"}
    assert events(trained) == [("promoted", "1", None), ("promoted", "2", "1")]


def test_the_history_refuses_to_be_changed(trained):
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    path = trained.lakehouse.path(HISTORY)
    with pytest.raises(DeltaError, match="append-only"):
        DeltaTable(str(path)).delete("event = 'promoted'")
    rows = trained.spark.read.format("delta").load(str(path))
    with pytest.raises(Exception, match="append-only"):
        rows.limit(0).write.format("delta").mode("overwrite").save(str(path))
    assert len(trained.rows(HISTORY)) == 1


def test_rows_of_the_declared_band_get_reasons_in_plain_words_and_no_others_do(trained):
    trained.run(PREDICTIONS, JULY)
    words = set(MODEL.task.reasons.words.values())
    explained = 0
    for row in trained.rows(PREDICTIONS):
        reasons = [row["reason_1"], row["reason_2"], row["reason_3"]]
        if row["band"] == "high":
            assert reasons[0] in words
            assert {r for r in reasons if r} <= words
            explained += 1
        else:
            assert reasons == [None, None, None]
    assert explained > 50


def test_a_model_file_altered_after_registration_is_refused(trained, settings):
    [model] = (settings.root / "mlflow" / "artifacts").rglob("model.json")
    text = model.read_text()
    model.write_text(text.replace("split_conditions", "split_condition", 1))
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
    assert verdicts[JULY] == "immature_reference"
    assert {row["statement_month"] for row in trained.rows(DRIFT)} == {JULY}
    assert len(trained.rows(DRIFT)) == len(MODEL.feature_names) + 1


def test_new_data_for_the_same_month_is_a_new_candidate(trained, settings):
    deliver_sample(settings.landing, 2100, [APRIL])
    trained.run_tables(APRIL, AUGUST)
    retrain(trained, JUNE, EASY)
    versions = list(open_registry(settings).versions(NAME))
    assert [v.number for v in versions] == ["2", "1"]
    assert versions[0].tags["dataset_version"] != versions[1].tags["dataset_version"]


def test_a_searched_candidate_logs_its_trials_as_nested_runs(trained, settings, monkeypatch):

    from finance_assets.ml.spec import SearchSpace

    monkeypatch.setitem(settings.__dict__, "search", True)
    space = SearchSpace({"max_leaves": (7, 31)}, trials=3)
    searched = replace(EASY, search=space, rounds=20)
    retrain(trained, AUGUST, searched)
    client, registry = mlflow_client(settings), open_registry(settings)
    version = next(registry.versions(NAME))
    experiment = client.get_experiment_by_name(NAME).experiment_id
    children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{version.run_id}'")
    assert len(children) == 3
    assert {run.info.status for run in children} == {"FINISHED"}
    best = max(children, key=lambda run: run.data.metrics["validation_merit"])
    recipe = registry.record(version, "recipe.json")
    assert recipe["params"]["max_leaves"] == int(best.data.params["max_leaves"])
    assert "artifact" not in decision(trained, AUGUST)[1], "the recipe gives the model again"
    # Again: the declared search is known, and nothing is searched or trained.
    retrain(trained, AUGUST, searched)
    assert next(registry.versions(NAME)).number == version.number
