"""Tracking: a training as an MLflow run, and its model as a registered version.

The only module that opens MLflow runs. Reading versions back is registry.py's.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from finance_assets.codec import Json
from finance_assets.errors import ModelError
from finance_assets.ml import families
from finance_assets.ml.families import Model, Parameters
from finance_assets.ml.model_files import (
    FEATURES_DIGEST,
    Version,
    canonical,
    digest,
    digest_tag,
)
from finance_assets.ml.registry import ModelRegistry, fitting
from finance_assets.ml.search import Trial

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Candidate:
    """Everything about a trained model that is worth keeping, before it is registered.

    `records` are JSON files kept with it, by file name; `trials` those of a search.
    """

    model: Model
    example: "pd.DataFrame"
    tags: dict[str, str]
    params: Parameters
    records: Mapping[str, Json]
    plots: dict[str, bytes]
    trials: tuple[Trial, ...] = field(default=())


def register(registry: ModelRegistry, name: str, candidate: Candidate) -> Version:
    """Log the candidate in an MLflow run that ends with the right status, and register it."""
    import mlflow

    with _run(registry, name) as run_id:
        mlflow.set_tags({**candidate.tags, "mlflow.runName": candidate.tags["title"]})
        mlflow.log_params(candidate.params)
        for file, record in candidate.records.items():
            mlflow.log_text(json.dumps(record, indent=1, sort_keys=True), file)
        _log_trials(registry, run_id, candidate.trials)
        digests = {digest_tag(f): digest(canonical(r)) for f, r in candidate.records.items()}
        tags = {
            **candidate.tags,
            **digests,
            FEATURES_DIGEST: digest(canonical(candidate.model.features)),
            "artifact_sha256": digest(candidate.model.text),
        }
        fingerprint = tags.pop("fingerprint")
        logged = log_model(registry.registered(name), candidate, tags)
        number = str(logged.registered_model_version)
        version = replace(registry.version(name, number), run_id=run_id)
        registry.add_files(
            version, "plots", {f"{title}.png": png for title, png in candidate.plots.items()}
        )
        # What its store left out of the tags. The fingerprint last of all: what has none was never
        # finished, and no later training will take it for a known version.
        left_out = {k: v for k, v in fitting(tags).items() if version.tags.get(k) != v}
        registry.set_tags(version, {**left_out, "fingerprint": fingerprint})
    return replace(version, tags={**tags, "fingerprint": fingerprint})


def log_model(name: str, candidate: Candidate, tags: dict[str, str]) -> Any:
    """Log the model in MLflow's flavour of its family, with signature and example; the version that
    it becomes has the tags from the beginning.
    """
    import mlflow
    from mlflow.models import infer_signature

    scores = candidate.model.predict(candidate.example.to_numpy("float64"))
    library = candidate.tags["library"].split(" ")
    common: dict[str, object] = {
        "name": "model",
        "registered_model_name": name,
        "tags": fitting(tags),
        "signature": infer_signature(candidate.example, scores),
        "input_example": candidate.example,
        # Given, because MLflow would otherwise start a process to infer them.
        "pip_requirements": ["==".join(library), f"mlflow=={mlflow.__version__}"],
    }
    family = families.family_of(candidate.tags["model_family"])
    return families.log_model(candidate.model, family, **common)


def _log_trials(registry: ModelRegistry, parent: str, trials: tuple[Trial, ...]) -> None:
    """Each trial of a search as a nested run, with the times at which it really ran."""
    from mlflow.entities import Metric, Param

    client = registry.client
    experiment = client.get_run(parent).info.experiment_id if trials else ""
    for trial in trials:
        run = client.create_run(
            experiment,
            start_time=trial.started_ms,
            tags={"mlflow.parentRunId": parent},
            run_name=f"trial {trial.number}",
        )
        client.log_batch(
            run.info.run_id,
            metrics=[Metric("validation_merit", trial.merit, trial.ended_ms, 0)],
            params=[Param(key, str(value)) for key, value in trial.params.items()],
        )
        client.set_terminated(run.info.run_id, end_time=trial.ended_ms)


@contextmanager
def _run(registry: ModelRegistry, name: str) -> Iterator[str]:
    """The MLflow run of this training. It always ends here; Dagster's hook is unreliable."""
    import mlflow

    registry.ensure_experiment(name)
    if registry.open_run is not None:
        registry.open_run()
    else:
        mlflow.set_experiment(registry.experiment(name))
        mlflow.start_run()
    active = mlflow.active_run()
    if active is None:
        raise ModelError(
            "no MLflow run is active", where=name, remedy="see the log of the mlflow resource"
        )
    status = "FAILED"
    try:
        yield active.info.run_id
        status = "FINISHED"
    finally:
        mlflow.end_run(status=status)
