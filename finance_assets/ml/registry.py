"""The model registry: MLflow behind the few questions and changes that steps need.

Registering a training is in tracking.py. Which champion is in force at which partition is the
promotion history's business (a Delta table), not the aliases': these mirror its latest state
for people and other tools, and are set here alone.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finance_assets.errors import GoneError, ModelError
from finance_assets.ml.gate import GateReport
from finance_assets.ml.models import Model, load_model

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
# Where MLflow's flavour of a family keeps the model's text.
MODEL_FILES = {"lightgbm": "model.lgb", "xgboost": "model.json"}
REFERENCE_FILE, RECIPE_FILE, SCORECARD_FILE = "reference.json", "recipe.json", "scorecard.json"
CARD_FOLDER, PLOT_FOLDER = "model_card", "plots"
# Tag of the registered model that states the newest event of the champion history.
STATEMENT = "champion_history"


@dataclass(frozen=True)
class Version:
    """A registered model version."""

    name: str
    number: str
    run_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Mirror:
    """What MLflow shall say: the champion by its passed report, other aliases, the statement."""

    champion: GateReport | None
    previous: str | None
    challenger: str | None
    statement: str


@dataclass(frozen=True)
class ModelRegistry:
    """The registry at `tracking_uri`; nothing is asked of it before the first call.

    `open_run` starts the MLflow run of a training (dagster-mlflow's, under Dagster); by default
    a plain one. Questions name the use case; `experiment_prefix` (`/Shared/…/` in a workspace)
    and `model_prefix` (`catalog.schema.` in Unity Catalog) make MLflow's names of it.
    """

    tracking_uri: str
    artifact_root: str | None = None
    ui_url: str = ""
    open_run: Callable[[], object] | None = None
    registry_uri: str | None = None
    experiment_prefix: str = ""
    model_prefix: str = ""

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client, with the process pointed at the same store."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        import mlflow

        mlflow.set_tracking_uri(self.tracking_uri)
        if self.registry_uri:
            mlflow.set_registry_uri(self.registry_uri)
        return mlflow.MlflowClient()

    def registered(self, name: str) -> str:
        """Name of the use case's registered model."""
        return f"{self.model_prefix}{name}"

    def experiment(self, name: str) -> str:
        """Name of the use case's experiment."""
        return f"{self.experiment_prefix}{name}"

    def ensure_experiment(self, name: str) -> str:
        """The id of the use case's experiment, created on first use."""
        experiment = self.experiment(name)
        found = self.client.get_experiment_by_name(experiment)
        if found is not None:
            return str(found.experiment_id)
        location = f"{self.artifact_root}/{name}" if self.artifact_root else None
        return str(self.client.create_experiment(experiment, artifact_location=location))

    def versions(self, name: str) -> list[Version]:
        """Every registered version of a model, newest first."""
        model = self.registered(name)
        found = self.client.search_model_versions(f"name='{model}'")
        numbers = sorted((int(version.version) for version in found), reverse=True)
        # Unity Catalog's search does not give the tags, so each is asked for.
        return [self.version(name, str(number)) for number in numbers]

    def version(self, name: str, number: str) -> Version:
        """One version.

        Raises:
            ModelError: there is no such version.
        """
        from mlflow.exceptions import MlflowException

        model = self.registered(name)
        try:
            found = self.client.get_model_version(model, number)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise GoneError(
                "the registry has no such version",
                where=f"{model} v{number} at {self.tracking_uri}",
                remedy="see `finance-assets status`; a deleted version needs a new training",
            ) from error
        return Version(model, str(found.version), found.run_id, dict(found.tags))

    def aliases(self, name: str) -> dict[str, str]:
        """Version number by alias."""
        # MLflow gives the version back as a number or as a text, by store.
        found = self.client.get_registered_model(self.registered(name)).aliases
        return {alias: str(number) for alias, number in found.items()}

    def find(self, name: str, fingerprint: str) -> Version | None:
        """The version that was trained from exactly this recipe, if there is one."""
        for version in self.versions(name):
            if version.tags.get("fingerprint") == fingerprint:
                return version
        return None

    def model(self, version: Version) -> Model:
        """The model, unaltered since it was registered.

        The order of its features is the one in its own text, and must be the signature's.

        Raises:
            ModelError: its text is not the one that was registered, or signature or tag
                name other inputs.
        """
        family = version.tags.get("model_family", "")
        file = MODEL_FILES.get(family, "MLmodel")
        folder = self._download(version, f"models:/{version.name}/{version.number}")
        path = Path(folder, file)
        if not path.exists():
            raise gone(version, f"{file} is missing")
        # Bytes that are no text cannot be what was registered: the digest will say so.
        text = path.read_text(encoding="utf-8", errors="replace")
        _require_digest(version, "artifact_sha256", text, file)
        model = load_model(family, text)
        tagged = tuple(json.loads(version.tags["features"]))
        for place, names in {"signature": self.signature(version), "tag": tagged}.items():
            if model.features != names:
                raise ModelError(
                    f"the model takes {', '.join(model.features)}, its {place} says "
                    f"{', '.join(names) or 'nothing'}",
                    where=f"{version.name} v{version.number}",
                    remedy="do not use it; restore the record, or train anew",
                )
        return model

    def problem(self, version: Version) -> str:
        """Why the version's model cannot be used; empty when it can."""
        try:
            self.model(version)
        except (ModelError, LookupError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def record(self, version: Version, file: str) -> Any:
        """A JSON record kept with the version (recipe, reference, scorecard), unaltered.

        Raises:
            ModelError: it is not the one that was registered.
        """
        record = json.loads(self._text(version, file))
        _require_digest(version, digest_tag(file), canonical(record), file)
        return record

    def signature(self, version: Version) -> tuple[str, ...]:
        """Names of the inputs in the version's MLflow signature; empty when it has none."""
        import mlflow
        from mlflow.exceptions import MlflowException

        self.client  # noqa: B018 - points mlflow at the store
        try:
            info = mlflow.models.get_model_info(f"models:/{version.name}/{version.number}")
        except (OSError, MlflowException) as error:
            raise _missing(version, error) from error
        inputs = info.signature.inputs if info.signature else None
        return tuple(inputs.input_names()) if inputs else ()

    def record_evaluation(
        self, version: Version, metrics: dict[str, float], plots: dict[str, bytes]
    ) -> None:
        """Add holdout metrics and plots to the run that trained the version."""
        for key, value in metrics.items():
            self.client.log_metric(version.run_id, key, value)
        self.add_files(version, PLOT_FOLDER, {f"{title}.png": png for title, png in plots.items()})

    def add_files(self, version: Version, folder: str, files: dict[str, bytes]) -> None:
        """Put files into a folder of the version's run; those of the same name are replaced."""
        import tempfile

        with tempfile.TemporaryDirectory() as local:
            for name, content in files.items():
                Path(local, name).write_bytes(content)
            self.client.log_artifacts(version.run_id, local, folder)

    def metrics(self, version: Version) -> dict[str, float]:
        """The metrics of the run that trained the version."""
        return dict(self.client.get_run(version.run_id).data.metrics)

    def plots(self, version: Version) -> dict[str, bytes]:
        """The plots of the version's run, as PNG, by name."""
        import mlflow

        listed = self.client.list_artifacts(version.run_id, PLOT_FOLDER)
        if not listed:
            return {}
        folder = mlflow.artifacts.download_artifacts(
            run_id=version.run_id, artifact_path=PLOT_FOLDER
        )
        return {path.stem: path.read_bytes() for path in sorted(Path(folder).glob("*.png"))}

    def set_tags(self, version: Version, tags: dict[str, str]) -> None:
        """Set tags of the version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(version.name, version.number, key, value)

    def statement(self, name: str) -> str:
        """The newest event of the champion history, as the registered model states it."""
        from mlflow.exceptions import MlflowException

        try:
            tags = self.client.get_registered_model(self.registered(name)).tags
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return ""
        return str(tags.get(STATEMENT, ""))

    def mirror(self, name: str, mirror: Mirror) -> None:
        """Make the aliases and the statement say what the champion history says.

        Only this method writes aliases.

        Raises:
            ModelError: the champion's report is not a passed one.
        """
        champion, model = mirror.champion, self.registered(name)
        if champion is not None and not champion.is_passed:
            raise ModelError(
                f"the gate did not pass: {champion.failed_criteria}",
                where=f"{name} v{champion.candidate_version}",
                remedy="train a better candidate; a failed criterion cannot be overridden",
            )
        wanted = {
            CHAMPION: champion.candidate_version if champion else None,
            PREVIOUS: mirror.previous,
            CHALLENGER: mirror.challenger,
        }
        if mirror.statement and self.statement(name) != mirror.statement:
            self.client.set_registered_model_tag(model, STATEMENT, mirror.statement)
        found = self.aliases(name)
        for alias, number in wanted.items():
            has = found.get(alias)
            if number is None and has is not None:
                self.client.delete_registered_model_alias(model, alias)
            elif number is not None and has != number:
                self.client.set_registered_model_alias(model, alias, number)

    def run_url(self, version: Version) -> str:
        """Page of the version's run in MLflow's own UI."""
        experiment = self.client.get_run(version.run_id).info.experiment_id
        return f"{self.ui_url}/#/experiments/{experiment}/runs/{version.run_id}"

    def card_url(self, version: Version) -> str:
        """Page of the version's model card in MLflow's own UI."""
        return f"{self.run_url(version)}/artifacts/{CARD_FOLDER}/model_card.md"

    def _text(self, version: Version, file: str) -> str:
        path = self._download(version, f"runs:/{version.run_id}/{file}")
        return Path(path).read_text(encoding="utf-8")

    def _download(self, version: Version, uri: str) -> str:
        """Local path of an artifact.

        Raises:
            GoneError: it is not there; a store that does not answer raises its own error.
        """
        import mlflow
        from mlflow.exceptions import MlflowException

        self.client  # noqa: B018 - points mlflow at the store
        try:
            return str(mlflow.artifacts.download_artifacts(uri))
        except (OSError, MlflowException) as error:
            raise _missing(version, error) from error


def _missing(version: Version, error: Exception) -> Exception:
    """The error as `GoneError` if it says that something is not there, else the error itself."""
    code = getattr(error, "error_code", "")
    is_gone = code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND") or "No such" in str(error)
    return gone(version, str(error)) if is_gone else error


def gone(version: Version, what: str) -> GoneError:
    """The error of a version whose files are not there any more."""
    return GoneError(
        f"the files of this version are gone ({what})",
        where=f"{version.name} v{version.number}, run {version.run_id}",
        remedy="restore them from a backup, roll back, or train a candidate to replace it",
    )


def digest(text: str) -> str:
    """sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_tag(file: str) -> str:
    """`recipe.json` → `recipe_sha256`."""
    return f"{file.split('.')[0]}_sha256"


def canonical(record: Any) -> str:
    """A record as the same text, however it was written."""
    return json.dumps(record, sort_keys=True)


def _require_digest(version: Version, tag: str, text: str, what: str) -> None:
    if version.tags.get(tag) != digest(text):
        raise ModelError(
            f"{what} is not the one that was registered",
            where=f"{version.name} v{version.number}, run {version.run_id}",
            remedy="do not use it; restore the artifact from a backup, or train anew",
        )
