"""Grouping: the groups of protected attributes that rows belong to, intersections included."""

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from finance_assets.ml.evaluation import Holdout

if TYPE_CHECKING:
    import numpy as np

# Of more attributes at once hardly any group is large enough to be compared.
MAX_ATTRIBUTES = 3
TOO_FEW = "fewer than two groups of enough rows"


def attributes_of(holdout: Holdout) -> tuple[dict[str, "np.ndarray"], dict[str, str]]:
    """The protected attributes of the holdout's rows, and those that cannot be judged with why."""
    known: dict[str, np.ndarray] = {}
    unjudged: dict[str, str] = {}
    protected = holdout.spec.protected
    for attribute in protected.attributes if protected else ():
        values = holdout.frame[attribute.name]
        if values.isna().any():
            unjudged[attribute.name] = f"{int(values.isna().sum())} rows without a value"
        else:
            known[attribute.name] = values.astype(str).to_numpy()
    return known, unjudged


def groupings(attributes: dict[str, "np.ndarray"]) -> Iterator[tuple[str, "np.ndarray"]]:
    """Each set of up to three attributes (`sex, age_band`) with the group of every row
    (`sex=male, age_band=under 25`).
    """
    names = list(attributes)
    for size in range(1, min(len(names), MAX_ATTRIBUTES) + 1):
        for chosen in combinations(names, size):
            yield ", ".join(chosen), _labels({name: attributes[name] for name in chosen})


def _labels(chosen: dict[str, "np.ndarray"]) -> "np.ndarray":
    import numpy as np

    parts = [
        np.char.add(f"{name}=", np.asarray(values, dtype="str")) for name, values in chosen.items()
    ]
    labels = parts[0]
    for part in parts[1:]:
        labels = np.char.add(np.char.add(labels, ", "), part)
    return np.asarray(labels)
