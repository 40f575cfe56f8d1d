"""MLflow experiments are objects of the workspace: each needs its parent folder."""

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from finance_assets.compute.runner import open_registry
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import NAME

pytestmark = pytest.mark.slow


@pytest.fixture
def in_a_new_folder(workspace, tmp_path, monkeypatch):
    """Settings whose experiments lie in a folder that nobody made."""
    folder = f"/Shared/{tmp_path.name}/a/b"
    monkeypatch.setenv("FINANCE_ASSETS_MLFLOW_TRACKING_URI", "databricks")
    monkeypatch.setenv("FINANCE_ASSETS_MLFLOW_EXPERIMENT_PREFIX", f"{folder}/")
    get_settings.cache_clear()
    return folder


def test_the_workspace_refuses_an_experiment_without_its_folder(in_a_new_folder):
    with pytest.raises(MlflowException, match="Parent directory .* does not exist"):
        MlflowClient("databricks", "databricks").create_experiment(f"{in_a_new_folder}/x")


def test_an_experiments_folder_is_made_with_it(in_a_new_folder, workspace):
    registry = open_registry(get_settings())
    made = registry.ensure_experiment(NAME)
    assert registry.ensure_experiment(NAME) == made
    found = MlflowClient("databricks").get_experiment(made)
    assert found.name == f"{in_a_new_folder}/{NAME}"
    folders = [r for r in workspace.front.requests if r[1].endswith("/workspace/mkdirs")]
    assert len(folders) == 1
