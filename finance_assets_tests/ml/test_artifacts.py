"""Artifacts of versions: what is copied goes again, and what is unfinished is not taken for known."""

import gc
import tempfile

import pytest

from finance_assets.compute.runner import open_registry
from finance_assets.errors import GoneError
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
