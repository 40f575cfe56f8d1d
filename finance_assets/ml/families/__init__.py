"""Families: the libraries that fit models, each behind the same few questions.

A family owns its parameters, its objectives, its text format and its flavour in MLflow. What is
asked of a model by the kind of problem is in tasks/; recipes and rows are in training.py.
"""

from typing import Any

from finance_assets.errors import ModelError
from finance_assets.ml.families.anchored import (
    AnchoredModel,
    is_anchored,
    load_anchored,
    log_anchored,
)
from finance_assets.ml.families.baseline import BASELINE
from finance_assets.ml.families.family import (
    Anchor,
    Family,
    Model,
    Objective,
    Parameter,
    Parameters,
)
from finance_assets.ml.families.lightgbm import LIGHTGBM
from finance_assets.ml.families.xgboost import XGBOOST

FAMILIES: dict[str, Family] = {family.name: family for family in (BASELINE, LIGHTGBM, XGBOOST)}

__all__ = [
    "BASELINE",
    "FAMILIES",
    "Anchor",
    "Family",
    "Model",
    "Objective",
    "Parameter",
    "Parameters",
    "family_of",
    "load_model",
    "log_model",
]


def family_of(name: str, where: str = "tag model_family") -> Family:
    """The family of a name.

    Raises:
        ModelError: there is none.
    """
    if name not in FAMILIES:
        raise ModelError(
            f"there is no model family {name!r}",
            where=where,
            remedy=f"one of {', '.join(FAMILIES)}",
        )
    return FAMILIES[name]


def load_model(name: str, text: str) -> Model:
    """The model of a text that a family of this name fitted.

    Raises:
        ModelError: there is no such family, or the text is of another.
    """
    family = family_of(name)
    if not is_anchored(text):
        return family.load(text)
    fitted_by, model = load_anchored(text, FAMILIES)
    if fitted_by != family.name:
        raise ModelError(
            f"its tag says {family.name}, its text is {fitted_by}'s",
            where="tag model_family",
            remedy="do not use it; restore the tag, or train anew",
        )
    return model


def log_model(model: Model, family: Family, **common: Any) -> Any:
    """Log a model of a family in MLflow's flavour, where there is one."""
    if isinstance(model, AnchoredModel):
        return log_anchored(model, **common)
    return family.log(model, **common)
