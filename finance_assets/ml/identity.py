"""Identity: what a registered model is, by the digests of its files.

A number in a registry is no identity: it can be given anew, and tags can be edited. Whoever uses
a champion asks for it by identity here. Reading single files is registry.py's.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TypeAlias

from finance_assets.codec import Json, of_record
from finance_assets.errors import ModelError
from finance_assets.ml.families import Model
from finance_assets.ml.model_files import (
    RECIPE_FILE,
    REFERENCE_FILE,
    Version,
    canonical,
    digest,
    gone,
)
from finance_assets.ml.registry import ModelRegistry
from finance_assets.monitoring.reference import Reference


@dataclass(frozen=True)
class Identity:
    """What a model is, by its content: a number in a registry is no identity."""

    model_version: str
    mlflow_run_id: str
    model_sha256: str
    features_sha256: str
    recipe_sha256: str
    reference_sha256: str


@dataclass(frozen=True)
class Verified:
    """A version whose files are what its identity says, and these files.

    The recipe is as it was written: whoever only scores needs none that this code can train by.
    """

    version: Version
    model: Model
    recipe: dict[str, Json]
    reference: tuple[Reference, ...]


def identify(registry: ModelRegistry, version: Version) -> Identity:
    """What a registered version is, read off its files.

    Raises:
        ModelError: a file is not the one that was registered.
    """
    return _read(registry, version)[1]


def verified(registry: ModelRegistry, name: str, identity: Identity) -> Verified:
    """The version of an identity, if its files are exactly that.

    Raises:
        GoneError: it is not there, or another run has taken its number.
        ModelError: a file is not the one that the identity names.
    """
    version = registry.version(name, identity.model_version)
    if version.run_id != identity.mlflow_run_id:
        raise gone(version, f"another run has its number; sought: {identity.mlflow_run_id}")
    found, actual = _read(registry, version)
    differing = [
        field.name
        for field in fields(Identity)
        if getattr(actual, field.name) != getattr(identity, field.name)
    ]
    if differing:
        raise ModelError(
            f"it is not what became champion: {', '.join(differing)} differ",
            where=f"{version.name} v{version.number} at {registry.tracking_uri}",
            remedy="do not use it; restore its files from a backup, roll back, or train anew",
        )
    return found


# Gives what an identity names, verified.
Reader: TypeAlias = Callable[[Identity], Verified]
# A partition's champion, its rivals, and some of the partitions before.
REMEMBERED = 8


def reader(registry: ModelRegistry, name: str) -> Reader:
    """`verified` for a run over many partitions: it reads the files of the same champion once."""
    return lru_cache(REMEMBERED)(lambda identity: verified(registry, name, identity))


def _read(registry: ModelRegistry, version: Version) -> tuple[Verified, Identity]:
    model = registry.model(version)
    recipe, reference = (registry.record(version, f) for f in (RECIPE_FILE, REFERENCE_FILE))
    if tuple(recipe["features"]) != model.features:
        raise ModelError(
            "recipe and model name other features, or another order of them",
            where=f"{version.name} v{version.number}",
            remedy="do not use it; train anew",
        )
    identity = Identity(
        model_version=version.number,
        mlflow_run_id=version.run_id,
        model_sha256=digest(model.text),
        features_sha256=digest(canonical(list(model.features))),
        recipe_sha256=digest(canonical(recipe)),
        reference_sha256=digest(canonical(reference)),
    )
    references = tuple(of_record(Reference, one) for one in reference)
    return Verified(version, model, recipe, references), identity
