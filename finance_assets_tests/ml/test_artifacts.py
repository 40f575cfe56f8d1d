"""Artifacts of versions: what is copied goes again, and what is unfinished is not taken for known."""

import gc
import shutil
import tempfile

import pytest
from mlflow import MlflowClient

from finance_assets.compute.runner import open_registry
from finance_assets.errors import GoneError, ModelError, StoreError
from finance_assets.ml.tracking import register
from finance_assets_tests.databricks.test_registry import candidate

NAME = "shop"
PNG = b"\x89PNG not drawn"


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_nothing_is_left_of_what_was_copied(settings, temporary):
    registry = open_registry(settings)
    version = register(registry, NAME, candidate())
    registry.add_files(version, "plots", {"roc.png": PNG})
    registry = open_registry(settings)
    version = registry.version(NAME, version.number)
    assert registry.record(version, "recipe.json") == {}
    assert registry.plots(version) == {"roc": PNG}
    assert registry.model(version).features == registry.signature(version)
    assert list(temporary.iterdir())
    del registry
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_a_plot_that_is_added_is_there(settings):
    registry = open_registry(settings)
    version = register(registry, NAME, candidate())
    assert registry.plots(version) == {}
    registry.record_evaluation(version, {"auc": 0.75, "brier": 0.1}, {"roc": PNG})
    assert registry.plots(version) == {"roc": PNG}
    registry.record_evaluation(version, {"auc": 0.8}, {"lift": PNG})
    assert registry.plots(version) == {"roc": PNG, "lift": PNG}
    assert registry.metrics(version) == {"auc": 0.8, "brier": 0.1}


def test_what_is_not_there_is_gone(settings):
    registry = open_registry(settings)
    version = register(registry, NAME, candidate())
    with pytest.raises(GoneError, match="scorecard.json"):
        registry.record(version, "scorecard.json")


def test_a_store_that_does_not_answer_is_not_taken_for_one_that_lost_it(settings, monkeypatch):
    registry = open_registry(settings)
    version = register(registry, NAME, candidate())

    def denied(*_, **__):
        raise PermissionError("the store says no")

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="says no"):
        patch.setattr("mlflow.artifacts.download_artifacts", denied)
        registry.record(version, "recipe.json")
    assert registry.record(version, "recipe.json") == {}


def test_copies_that_a_machine_cleaned_up_are_made_again(settings, temporary):
    registry = open_registry(settings)
    version = register(registry, NAME, candidate())
    assert registry.model(version).features
    for folder in temporary.iterdir():
        shutil.rmtree(folder)
    assert registry.model(version).features
    assert registry.record(version, "recipe.json") == {}


def test_a_record_is_read_without_a_search_among_all_models(settings, monkeypatch):
    registry = open_registry(settings)
    version = register(registry, NAME, candidate())
    monkeypatch.delattr(MlflowClient, "search_logged_models")
    monkeypatch.delattr("mlflow.store.artifact.runs_artifact_repo.RunsArtifactRepository.__init__")
    assert registry.record(version, "recipe.json") == {}


def test_what_was_altered_and_is_restored_is_read_again(settings):
    registry = open_registry(settings)
    version = register(registry, NAME, candidate())
    [file] = settings.root.rglob("recipe.json")
    sound = file.read_text()
    file.write_text('{"altered": true}')
    with pytest.raises(ModelError, match="not the one that was registered"):
        registry.record(version, "recipe.json")
    file.write_text(sound)
    assert registry.record(version, "recipe.json") == {}


def test_a_version_whose_registration_was_interrupted_is_none(settings, monkeypatch):
    """It has what it was made with from the beginning, and its fingerprint last of all."""
    registry, given = open_registry(settings), candidate(purpose="to foresee")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(registry), "add_files", interrupted)
        register(registry, NAME, given)
    [version] = registry.versions(NAME)
    assert version.tags["purpose"] == "to foresee"
    assert "fingerprint" not in version.tags
    assert registry.find(NAME, given.tags["fingerprint"]) is None
    again = register(registry, NAME, given)
    assert registry.find(NAME, given.tags["fingerprint"]).number == again.number


def interrupted(*_):
    raise KeyboardInterrupt


def test_tags_that_a_store_leaves_out_when_a_version_is_made_are_set_then(settings, monkeypatch):
    registry, given = open_registry(settings), candidate(purpose="to foresee")
    create = MlflowClient._create_model_version

    def without_tags(self, *arguments, **more):
        return create(self, *arguments, **{**more, "tags": None})

    monkeypatch.setattr(MlflowClient, "_create_model_version", without_tags)
    said = register(registry, NAME, given).tags
    found = registry.find(NAME, given.tags["fingerprint"]).tags
    assert found == said
    assert {"artifact_sha256", "recipe_sha256", "purpose"} <= found.keys()
