"""Fixtures: one workspace for all tests of this folder, and a fresh deployment in each."""

import dagster as dg
import pytest

from finance_assets.settings import get_settings
from finance_assets_tests.databricks.acting import runs_of
from finance_assets_tests.databricks.server import workspace as served
from finance_assets_tests.scenario import deliver_sample


@pytest.fixture(scope="session")
def shared_workspace(tmp_path_factory):
    """A stand-in for a workspace, with a real MLflow server behind it."""
    root = tmp_path_factory.mktemp("workspace")
    with served(root) as workspace:
        yield workspace


@pytest.fixture(scope="session")
def catalog_workspace(tmp_path_factory):
    """The same with Spark and Delta on the JVM as its engine: tables have names there."""
    with served(tmp_path_factory.mktemp("workspace"), has_catalog=True) as workspace:
        yield workspace
        assert workspace.settled() == []


@pytest.fixture
def workspace(shared_workspace, tmp_path, monkeypatch):
    """The workspace, with a storage folder and a landing folder for this test alone."""
    landing, storage = tmp_path / "landing", tmp_path / "storage"
    landing.mkdir()
    storage.mkdir()
    deliver_sample(landing, 300)
    shared_workspace.reset()
    for name, value in shared_workspace.environment(
        FINANCE_ASSETS_HOME=str(tmp_path / "home"),
        FINANCE_ASSETS_LANDING=str(landing),
        FINANCE_ASSETS_DATABRICKS_STORAGE=str(storage),
        FINANCE_ASSETS_GIT_SHA="test",
    ).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    get_settings().prepare_home()
    yield shared_workspace
    get_settings.cache_clear()
    left = shared_workspace.settled()
    shared_workspace.kill()
    assert left == [], "runs go on after the test"


@pytest.fixture
def instance():
    """A Dagster instance for this test alone."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def runs(workspace):
    """Runs that this test made, by step."""
    before = set(workspace.jobs.runs)
    return lambda name: [r for r in runs_of(workspace, name) if r.run_id not in before]
