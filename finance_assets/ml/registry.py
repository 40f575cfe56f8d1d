"""The model registry: MLflow behind the few questions and changes that steps need.

Registering a training is in tracking.py. Which champion is in force at which partition is the
champion history's business (a Delta table), not the aliases': these mirror its latest state
for people and other tools, and are set here alone.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from finance_assets.errors import GoneError, ModelError
from finance_assets.ml.gate_report import GateReport
from finance_assets.ml.model_files import ModelFiles, Version

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
CARD_FOLDER, PLOT_FOLDER = "model_card", "plots"
# Tag of the registered model that states the newest event of the champion history.
STATEMENT = "champion_history"
# The longest value of a tag that Unity Catalog takes; it takes none with blanks around it.
MAX_TAG_VALUE = 1000


@dataclass(frozen=True)
class Mirror:
    """What MLflow shall say: the champion by its passed report, other aliases, the statement."""

    champion: GateReport | None
    previous: str | None
    challenger: str | None
    statement: str


@dataclass(frozen=True)
class ModelRegistry(ModelFiles):
    """The registry: experiments, versions, aliases, and what is added to a version's run.

    `open_run` starts the MLflow run of a training (dagster-mlflow's, under Dagster); by default
    a plain one. Questions name the use case; `experiment_prefix` (`/Shared/…/` in a workspace)
    and `model_prefix` (`catalog.schema.` in Unity Catalog) make MLflow's names of it.
    """

    artifact_root: str | None = None
    ui_url: str = ""
    open_run: Callable[[], object] | None = None
    experiment_prefix: str = ""
    model_prefix: str = ""

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
        if self.tracking_uri.startswith("databricks"):
            _make_folder(self.tracking_uri, experiment)
        location = f"{self.artifact_root}/{name}" if self.artifact_root else None
        return str(self.client.create_experiment(experiment, artifact_location=location))

    def versions(self, name: str) -> Iterator[Version]:
        """Every registered version of a model, newest first, each made when it is wanted."""
        model = self.registered(name)
        # Sorted here: Unity Catalog's search takes no order.
        for one in sorted(self._found(model), key=lambda version: -int(version.version)):
            if isinstance(one.tags, Mapping):
                yield Version(model, str(one.version), one.run_id, dict(one.tags))
            else:
                # Unity Catalog's search gives no tags either; there each version is asked for.
                yield self.version(name, str(one.version))

    def _found(self, model: str) -> "Iterator[ModelVersion]":
        """What the search gives of each version, page by page until there is no more."""
        token = None
        while True:
            page = self.client.search_model_versions(f"name='{model}'", page_token=token)
            yield from page
            token = page.token
            if not token:
                return

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
        """Version number by alias; none where nothing was registered yet."""
        from mlflow.exceptions import MlflowException

        try:
            found = self.client.get_registered_model(self.registered(name)).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        # MLflow gives the version back as a number or as a text, by store.
        return {alias: str(number) for alias, number in found.items()}

    def find(self, name: str, fingerprint: str) -> Version | None:
        """The version that was trained from exactly this recipe, if there is one."""
        for version in self.versions(name):
            if version.tags.get("fingerprint") == fingerprint:
                return version
        return None

    def record_evaluation(
        self, version: Version, metrics: dict[str, float], plots: dict[str, bytes]
    ) -> None:
        """Add holdout metrics and plots to the run that trained the version."""
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        self.client.log_batch(version.run_id, [Metric(k, v, now, 0) for k, v in metrics.items()])
        self.add_files(version, PLOT_FOLDER, {f"{title}.png": png for title, png in plots.items()})

    def add_files(self, version: Version, folder: str, files: dict[str, bytes]) -> None:
        """Put files into a folder of the version's run; those of the same name are replaced."""
        self.forget(version.run_id, folder)
        with tempfile.TemporaryDirectory() as local:
            for name, content in files.items():
                Path(local, name).write_bytes(content)
            self.client.log_artifacts(version.run_id, local, folder)

    def metrics(self, version: Version) -> dict[str, float]:
        """The metrics of the run that trained the version."""
        return dict(self.client.get_run(version.run_id).data.metrics)

    def plots(self, version: Version) -> dict[str, bytes]:
        """The plots of the version's run, as PNG, by name."""
        if not self.client.list_artifacts(version.run_id, PLOT_FOLDER):
            return {}
        folder = self.of_run(version.run_id, PLOT_FOLDER)
        return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.png"))}

    def set_tags(self, version: Version, tags: dict[str, str]) -> None:
        """Set tags of the version; a text that is too long for one is cut."""
        for key, value in fitting(tags).items():
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
        """Page of the version's run in MLflow's own UI, or in the workspace that tracks it."""
        experiment = self.client.get_run(version.run_id).info.experiment_id
        return f"{self._pages}/experiments/{experiment}/runs/{version.run_id}"

    @cached_property
    def _pages(self) -> str:
        """Where MLflow's pages begin. A workspace is known by who is asked for its runs."""
        if self.tracking_uri.startswith("databricks"):
            return f"{_workspace(self.tracking_uri).config.host}/ml"
        return f"{self.ui_url}/#"

    def card_url(self, version: Version) -> str:
        """Page of the version's model card."""
        return f"{self.run_url(version)}/artifacts/{CARD_FOLDER}/model_card.md"


def fitting(tags: dict[str, str]) -> dict[str, str]:
    """The tags as every registry takes them. Digests and short facts stay as they are."""
    return {key: _cut(value.strip()) for key, value in tags.items()}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TAG_VALUE else f"{text[: MAX_TAG_VALUE - 1].rstrip()}…"


def _make_folder(tracking_uri: str, experiment: str) -> None:
    """Make the workspace folder of an experiment: without it the experiment cannot be created."""
    _workspace(tracking_uri).workspace.mkdirs(experiment.rpartition("/")[0])


def _workspace(tracking_uri: str) -> "WorkspaceClient":
    """The workspace of `databricks`, or of `databricks://<profile>`."""
    from databricks.sdk import WorkspaceClient

    _, _, profile = tracking_uri.partition("://")
    return WorkspaceClient(profile=profile or None)
