"""Registration: what is stated of a model when it is registered, whoever fitted it."""

import json
from typing import TYPE_CHECKING

from finance_assets.codec import Json
from finance_assets.ml.families import Model
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import TimeSplit
from finance_assets.ml.training import Recipe
from finance_assets.model_life.people import acting_user
from finance_assets.monitoring.reference import (
    build_reference,
)
from finance_assets.step.declaration import StepContext

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE_ROWS = 5


def example_of(recipe: Recipe, fit: "pd.DataFrame") -> "pd.DataFrame":
    """A few rows as the model takes them."""
    return fit[list(recipe.features)].head(EXAMPLE_ROWS).astype("float64")


def tags_of(
    ctx: StepContext, spec: ModelSpec, split: TimeSplit, recipe: Recipe, fit: "pd.DataFrame"
) -> dict[str, str]:
    """The tags of the version: where it comes from, and what it was fitted on."""
    return {
        "title": f"{spec.name} as of {split.as_of}",
        "use_case": spec.name,
        "env": str(ctx.settings.env),
        "owner": spec.owner,
        "trained_by": acting_user(ctx),
        "git_sha": ctx.origin.code_sha,
        "dataset_version": recipe.dataset_version,
        "model_family": recipe.family,
        "library": recipe.library,
        "purpose": spec.purpose,
        "train_window": recipe.train_window,
        "holdout_window": recipe.holdout_window,
        "as_of": split.as_of,
        "fingerprint": recipe.fingerprint,
        "train_rows": str(len(fit)),
        "train_outcomes": spec.task.describe(fit[spec.target].to_numpy("float64")),
    }


def reference_of(
    spec: ModelSpec, model: Model, fit: "pd.DataFrame", holdout: "pd.DataFrame"
) -> list[Json]:
    """Distributions that later partitions are compared with.

    Features as in the training rows; what the model says as on the holdout, because it is more
    extreme on the rows that it was fitted on than it will be later.
    """
    variables = {name: fit[name].to_numpy("float64") for name in model.learned}
    said = model.predict(model.inputs(holdout))
    variables[spec.task.watched_column] = spec.task.watched(said, holdout)
    references = (build_reference(name, values) for name, values in variables.items())
    return [json.loads(json.dumps(vars(reference))) for reference in references]
