"""Another version of a library than the one that trained: the same scores, or an error that helps."""

import json
from pathlib import Path

import numpy as np
import pytest

from finance_assets.errors import ModelError
from finance_assets.ml.families import FAMILIES, load_model

TEXTS = Path(__file__).with_name("texts")
FEATURES = ("a", "b", "c")


@pytest.mark.parametrize("file", sorted(path.name for path in TEXTS.iterdir()))
def test_a_text_of_another_version_gives_the_scores_that_version_gave(file):
    """Recorded by that version; there is a newer one than the lock's, as after going back."""
    recorded = json.loads((TEXTS / file).read_text())
    family = recorded["trained_by"].split(" ")[0]
    model = load_model(family, recorded["text"])
    assert model.features == FEATURES
    found = model.predict(np.array(recorded["rows"], dtype="float64"))
    assert found.tolist() == recorded["said"]
    assert FAMILIES[family].library != recorded["trained_by"]


@pytest.mark.parametrize(
    ("family", "text"),
    [
        (
            "xgboost",
            '{"learner": {"feature_names": ["a"], "gradient_booster": {"name": "newer"}}}',
        ),
        pytest.param(
            "lightgbm", "tree\nversion=v99\nfeature_names=a\n", marks=pytest.mark.lightgbm
        ),
    ],
)
def test_a_text_that_this_version_cannot_read_says_which_one_can(family, text):
    model = load_model(family, text)
    with pytest.raises(ModelError) as raised:
        model.predict(np.zeros((1, 1)))
    assert raised.value.what.startswith(f"{FAMILIES[family].library} cannot read the model's text")
    assert "\n" not in raised.value.what
    assert "install the version that trained it (tag `library`" in raised.value.remedy
