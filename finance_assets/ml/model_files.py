"""Model files: what is kept of a registered version, read back and compared with its digests.

Which versions there are is registry.py's business; by which digests a champion is known,
identity.py's.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from finance_assets.errors import GoneError, ModelError, StoreError
from finance_assets.ml.artifacts import Artifacts
from finance_assets.ml.families import FAMILIES, Family, Model, family_of, load_model
from finance_assets.ml.families.family import ANCHORED_FILE

REFERENCE_FILE, RECIPE_FILE = "reference.json", "recipe.json"
# Tag with the digest of the ordered features. Their list would outgrow a tag; the recipe has it.
FEATURES_DIGEST = "features_sha256"


@dataclass(frozen=True)
class Version:
    """A registered model version."""

    name: str
    number: str
    run_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class ModelFiles(Artifacts):
    """The files of registered versions in the store at `tracking_uri`."""

    def model(self, version: Version) -> Model:
        """The model, unaltered since it was registered.

        The order of its features is the one in its own text, and must be the signature's.

        Raises:
            ModelError: its text is not the one that was registered, or its signature or its tag
                is of other inputs.
        """
        with self.believed():
            return self._model(version)

    def _model(self, version: Version) -> Model:
        family = family_of(version.tags.get("model_family", ""))
        folder = self._folder(version)
        files = (*family.files, ANCHORED_FILE)
        paths = [path for file in files if (path := folder / file).exists()]
        if not paths:
            _require_no_other_family(version, family, folder)
            raise gone(version, f"{' or '.join(files)} is missing")
        path = paths[0]
        # Bytes that are no text cannot be what was registered: the digest will say so.
        text = path.read_text(encoding="utf-8", errors="replace")
        _require_digest(version, "artifact_sha256", text, path.name)
        model = load_model(family.name, text)
        _require_features(version, model, self.signature(version))
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
        with self.believed():
            record = json.loads(self._text(version, file))
            _require_digest(version, digest_tag(file), canonical(record), file)
            return record

    def signature(self, version: Version) -> tuple[str, ...]:
        """Names of the inputs in the version's MLflow signature; empty when it has none."""
        from mlflow.exceptions import MlflowException
        from mlflow.models import Model as Logged

        folder = self._folder(version)
        try:
            info = Logged.load(str(folder))
        except (OSError, MlflowException) as error:
            raise _missing(version, error) from error
        inputs = info.signature.inputs if info.signature else None
        return tuple(inputs.input_names()) if inputs else ()

    def _text(self, version: Version, file: str) -> str:
        path = self._there(version, partial(self.of_run, version.run_id, file))
        if not path.exists():
            raise gone(version, f"{file} is missing")
        return path.read_text(encoding="utf-8")

    def _folder(self, version: Version) -> Path:
        return self._there(version, partial(self.of_version, version.name, version.number))

    def _there(self, version: Version, copied: Callable[[], Path]) -> Path:
        """What is copied.

        Raises:
            GoneError: it is not there.
            StoreError, MlflowException: the store does not answer, or refuses.
        """
        from mlflow.exceptions import MlflowException

        try:
            return copied()
        except (OSError, MlflowException) as error:
            raise _missing(version, error) from error


def _missing(version: Version, error: Exception) -> Exception:
    """The error as `GoneError` if it says that something is not there; else as `StoreError`, or as
    it is if it is MLflow's.
    """
    code = getattr(error, "error_code", "")
    if code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND") or "No such" in str(error):
        return gone(version, str(error))
    if not isinstance(error, OSError):
        return error
    return StoreError(
        f"the files of this version cannot be read: {error}",
        where=f"{version.name} v{version.number}, run {version.run_id}",
        remedy="see that the store answers and that you may read it; then try again",
    )


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


def _require_features(version: Version, model: Model, signed: tuple[str, ...]) -> None:
    """Text, signature and tag are about the same features, in the same order.

    Raises:
        ModelError: one of them is about others.
    """
    # Versions of earlier code have the list itself as a tag.
    tagged = version.tags.get(FEATURES_DIGEST) or digest(version.tags.get("features", ""))
    says = ""
    if model.features != signed:
        says = f"its signature says {', '.join(signed) or 'nothing'}"
    elif tagged != digest(canonical(model.features)):
        says = f"its tag {FEATURES_DIGEST} is of others, or of another order"
    if says:
        raise ModelError(
            f"the model takes {', '.join(model.features)}, {says}",
            where=f"{version.name} v{version.number}",
            remedy="do not use it; restore the record, or train anew",
        )


def _require_no_other_family(version: Version, family: Family, folder: Path) -> None:
    """Files of another family are not gone: somebody edited the tag that names the family.

    Raises:
        ModelError: there are such files.
    """
    for other in FAMILIES.values():
        if any((folder / file).exists() for file in other.files):
            raise ModelError(
                f"its tag says {family.name}, its files are {other.name}'s",
                where=f"{version.name} v{version.number}, tag model_family",
                remedy="do not use it; restore the tag, or train anew",
            )
