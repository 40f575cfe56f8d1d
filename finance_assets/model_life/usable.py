"""Usable: champions whose features the features table still has.

A model takes its columns by name, whatever the declaration says since. Whether its files are what
became champion is ml/identity.py's.
"""

from collections.abc import Iterable

from finance_assets.errors import ModelError
from finance_assets.ml.identity import Reader, Verified
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent


def usable(read: Reader, spec: ModelSpec, champion: ChampionEvent) -> Verified:
    """What became champion, if there is a column for each of its features.

    Raises:
        ModelError: there is not, or its files are gone or are not what became champion.
    """
    found = read(champion.identity)
    lacking = lacking_columns(spec, found.model.features)
    if lacking:
        raise ModelError(
            f"v{champion.model_version} takes {', '.join(lacking)}, and {spec.features.table} has "
            "no such column",
            where=f"model {spec.name}, features",
            remedy="declare the change in the gate, Signature(declared_change=…), and put the "
            "columns back into the table, not into feature_names, until a candidate without them "
            "is champion; if they are gone for good, declare it and train: a candidate may then "
            "replace this champion uncompared",
        )
    return found


def lacking_columns(spec: ModelSpec, features: Iterable[str]) -> list[str]:
    """The features of a model that the features table has no column for."""
    return [name for name in features if name not in spec.features.column_names]
