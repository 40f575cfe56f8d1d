"""What Unity Catalog's registry takes: a model of many features, and texts of any length."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from finance_assets.compute.runner import open_registry
from finance_assets.ml.frames import Dataset
from finance_assets.ml.tracking import Candidate, register
from finance_assets.ml.training import declared_recipe, train_here
from finance_assets.settings import get_settings
from finance_assets_tests.ml.test_training import MODEL, SPLIT

pytestmark = pytest.mark.slow
NAMES = tuple(f"share_of_something_long_{number}" for number in range(60))


@pytest.fixture
def registry(workspace, tmp_path, monkeypatch):
    """The workspace's registry, with experiments and models of this test alone."""
    monkeypatch.setenv("FINANCE_ASSETS_MLFLOW_TRACKING_URI", "databricks")
    monkeypatch.setenv("FINANCE_ASSETS_MLFLOW_EXPERIMENT_PREFIX", f"/Shared/{tmp_path.name}/")
    get_settings.cache_clear()
    return open_registry(get_settings())


def candidate(**tags):
    """A model of many features, with the tags that registering reads."""
    recipe = replace(
        declared_recipe(MODEL, SPLIT, Dataset("d", {}), False), features=NAMES, rounds=2
    )
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.normal(size=(200, len(NAMES))), columns=list(NAMES))
    frame[MODEL.target] = (random.normal(size=200) > 0).astype("int8")
    model = train_here(recipe, frame)
    told = {"title": "t", "library": recipe.library, "model_family": recipe.family}
    told |= {"fingerprint": recipe.fingerprint, **tags}
    return Candidate(model, frame[list(NAMES)].head(), told, {}, {"recipe.json": {}}, {})


def test_a_model_of_many_features_is_registered_and_read_back(registry):
    given = candidate()
    version = register(registry, "many", given)
    assert registry.model(registry.version("many", version.number)).features == NAMES


def test_a_text_that_is_too_long_for_a_tag_is_cut_and_trimmed(registry):
    version = register(registry, "talkative", candidate(purpose=f"  {'to foresee. ' * 200}\n"))
    registry.set_tags(version, {"approval_reason": " short \n"})
    tags = registry.version("talkative", version.number).tags
    assert tags["purpose"].startswith("to foresee. to")
    assert tags["purpose"].endswith("…")
    assert tags["approval_reason"] == "short"
