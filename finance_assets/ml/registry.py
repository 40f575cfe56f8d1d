"""The model registry: MLflow behind the few questions and changes that steps need.

The only module that writes to MLflow. Which champion is in force at which partition is the
promotion history's business (a Delta table), not the aliases': these mirror its latest state
for people and other tools.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finance_assets.errors import ModelError
from finance_assets.ml.gate import GateReport

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd
    from mlflow import MlflowClient

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
MODEL_FILE = "model.lgb"
REFERENCE_FILE = "reference.json"


@dataclass(frozen=True)
class Candidate:
    """Everything about a trained model that is worth keeping, before it is registered."""

    booster: "lgb.Booster"
    example: "pd.DataFrame"
    tags: dict[str, str]
    params: dict[str, Any]
    reference: list[dict[str, Any]]
    plots: dict[str, bytes]


@dataclass(frozen=True)
class Version:
    """A registered model version."""

    name: str
    number: str
    run_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class ModelRegistry:
    """The registry at `tracking_uri`; nothing is asked of it before the first call.

    `open_run` starts the MLflow run of a training (dagster-mlflow's, under Dagster); by default
    a plain one.
    """

    tracking_uri: str
    artifact_root: str | None = None
    ui_url: str = ""
    open_run: Callable[[], object] | None = None

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client, with the process pointed at the same store."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        import mlflow

        mlflow.set_tracking_uri(self.tracking_uri)
        return mlflow.MlflowClient()

    def ensure_experiment(self, name: str) -> str:
        """The id of the use case's experiment, created on first use."""
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        location = f"{self.artifact_root}/{name}" if self.artifact_root else None
        return str(self.client.create_experiment(name, artifact_location=location))

    def versions(self, name: str) -> list[Version]:
        """Every registered version of a model, newest first."""
        found = self.client.search_model_versions(f"name='{name}'", max_results=10_000)
        versions = [Version(name, str(v.version), v.run_id, dict(v.tags)) for v in found]
        return sorted(versions, key=lambda v: -int(v.number))

    def version(self, name: str, number: str) -> Version:
        """One version.

        Raises:
            ModelError: there is no such version.
        """
        for version in self.versions(name):
            if version.number == number:
                return version
        raise ModelError(
            "the registry has no such version",
            where=f"{name} v{number} at {self.tracking_uri}",
            remedy="see `finance-assets status`; a deleted version needs a new training",
        )

    def find(self, name: str, fingerprint: str) -> Version | None:
        """The version that was trained from exactly this recipe, if there is one."""
        for version in self.versions(name):
            if version.tags.get("fingerprint") == fingerprint:
                return version
        return None

    def register(self, name: str, candidate: Candidate) -> Version:
        """Log the candidate in an MLflow run that ends with the right status, and register it."""
        import mlflow

        with self._run(name) as run_id:
            mlflow.set_tags({**candidate.tags, "mlflow.runName": candidate.tags["title"]})
            mlflow.log_params(candidate.params)
            mlflow.log_dict(candidate.reference, REFERENCE_FILE)  # type: ignore[arg-type]
            self._log_plots(run_id, candidate.plots)
            logged = self._log_model(name, candidate)
            number = str(logged.registered_model_version)
            tags = {
                **candidate.tags,
                "artifact_sha256": _digest(candidate.booster.model_to_string()),
                "reference_sha256": _digest(_canonical(candidate.reference)),
            }
            for key, value in tags.items():
                self.client.set_model_version_tag(name, number, key, value)
        return Version(name, number, run_id, tags)

    def record_evaluation(
        self, version: Version, metrics: dict[str, float], plots: dict[str, bytes]
    ) -> None:
        """Add holdout metrics and plots to the run that trained the version."""
        for key, value in metrics.items():
            self.client.log_metric(version.run_id, key, value)
        self._log_plots(version.run_id, plots)

    def booster(self, version: Version) -> "lgb.Booster":
        """The model itself, after its digest was compared with the one recorded."""
        import lightgbm as lgb

        return lgb.Booster(model_str=self.model_text(version))

    def model_text(self, version: Version) -> str:
        """The model in LightGBM's own text format, unaltered since it was registered.

        Raises:
            ModelError: the artifact is not the one that was registered.
        """
        import mlflow

        self.client  # noqa: B018 - points mlflow at the store
        folder = mlflow.artifacts.download_artifacts(f"models:/{version.name}/{version.number}")
        text = Path(folder, MODEL_FILE).read_text(encoding="utf-8")
        _require_digest(version, "artifact_sha256", text, MODEL_FILE)
        return text

    def reference(self, version: Version) -> list[dict[str, Any]]:
        """The training reference of a version, for drift."""
        import mlflow

        self.client  # noqa: B018 - points mlflow at the store
        path = mlflow.artifacts.download_artifacts(
            run_id=version.run_id, artifact_path=REFERENCE_FILE
        )
        reference: list[dict[str, Any]] = json.loads(Path(path).read_text(encoding="utf-8"))
        _require_digest(version, "reference_sha256", _canonical(reference), REFERENCE_FILE)
        return reference

    def signature(self, version: Version) -> tuple[str, ...]:
        """Names of the inputs in the version's MLflow signature; empty when it has none."""
        import mlflow

        self.client  # noqa: B018 - points mlflow at the store
        info = mlflow.models.get_model_info(f"models:/{version.name}/{version.number}")
        inputs = info.signature.inputs if info.signature else None
        return tuple(inputs.input_names()) if inputs else ()

    def promote(self, name: str, report: GateReport) -> None:
        """Make the report's candidate the champion.

        Raises:
            ModelError: the report is not a passed one. There is no other way to the alias.
        """
        if not report.is_passed:
            raise ModelError(
                f"the gate did not pass: {report.failed_criteria}",
                where=f"{name} v{report.candidate_version}",
                remedy="train a better candidate; a failed criterion cannot be overridden",
            )
        self._alias(name, CHAMPION, report.candidate_version)
        if report.champion_version is not None:
            self._alias(name, PREVIOUS, report.champion_version)

    def mark_challenger(self, name: str, number: str) -> None:
        """Name the latest candidate that was judged."""
        self._alias(name, CHALLENGER, number)

    def run_url(self, version: Version) -> str:
        """Page of the version's run in MLflow's own UI."""
        experiment = self.client.get_run(version.run_id).info.experiment_id
        return f"{self.ui_url}/#/experiments/{experiment}/runs/{version.run_id}"

    def _alias(self, name: str, alias: str, number: str) -> None:
        # MLflow gives the version back as a number or as a text, by store.
        if str(self.client.get_registered_model(name).aliases.get(alias)) != number:
            self.client.set_registered_model_alias(name, alias, number)

    @contextmanager
    def _run(self, name: str) -> Iterator[str]:
        """The run of this training: ended here, as nobody else does it reliably."""
        import mlflow

        self.ensure_experiment(name)
        if self.open_run is not None:
            self.open_run()
        else:
            mlflow.set_experiment(name)
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

    def _log_plots(self, run_id: str, plots: dict[str, bytes]) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            for title, png in plots.items():
                path = Path(folder, f"{title}.png")
                path.write_bytes(png)
                self.client.log_artifact(run_id, str(path), "plots")

    def _log_model(self, name: str, candidate: Candidate) -> Any:
        import lightgbm as lgb
        import mlflow
        from mlflow.models import infer_signature

        scores = candidate.booster.predict(candidate.example.to_numpy("float64"))
        return mlflow.lightgbm.log_model(
            candidate.booster,
            name="model",
            registered_model_name=name,
            signature=infer_signature(candidate.example, scores),
            input_example=candidate.example,
            # Given, because MLflow would otherwise start a process to infer them.
            pip_requirements=[f"lightgbm=={lgb.__version__}", f"mlflow=={mlflow.__version__}"],
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(record: Any) -> str:
    return json.dumps(record, sort_keys=True)


def _require_digest(version: Version, tag: str, text: str, what: str) -> None:
    if version.tags.get(tag) != _digest(text):
        raise ModelError(
            f"{what} is not the one that was registered",
            where=f"{version.name} v{version.number}, run {version.run_id}",
            remedy="do not use it; restore the artifact from a backup, or train anew",
        )
