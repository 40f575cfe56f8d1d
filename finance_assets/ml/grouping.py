"""Grouping: the groups of protected attributes that rows belong to, intersections included."""

from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Grouping:
    """Which group of some attributes each row is in: `codes` are places in `names`.

    `attribute` is `sex, age_band`; names are as `sex=male, age_band=under 25`, in their order.
    """

    attribute: str
    names: list[str]
    codes: "np.ndarray"

    @property
    def is_intersection(self) -> bool:
        """Whether it is of several attributes at once."""
        return ", " in self.attribute


def groupings(attributes: dict[str, "np.ndarray"]) -> Iterator[Grouping]:
    """Each set of up to three attributes with the group of every row."""
    import pandas as pd

    coded = {name: pd.factorize(values) for name, values in attributes.items()}
    for size in range(1, min(len(coded), MAX_ATTRIBUTES) + 1):
        for chosen in combinations(coded, size):
            yield _grouping({name: coded[name] for name in chosen})


def _grouping(chosen: dict[str, tuple["np.ndarray", "np.ndarray"]]) -> Grouping:
    """Rows are told apart by numbers; only the groups that there are get names."""
    import numpy as np

    codes: np.ndarray = np.zeros(1, dtype="int64")
    for own, values in chosen.values():
        codes = codes * len(values) + own
    groups, place = np.unique(codes, return_inverse=True)
    parts = np.unravel_index(groups, [len(values) for _, values in chosen.values()])
    labels = [
        ", ".join(f"{name}={chosen[name][1][n]}" for name, n in zip(chosen, numbers, strict=True))
        for numbers in zip(*parts, strict=True)
    ]
    names, order = np.unique(labels, return_inverse=True)
    return Grouping(", ".join(chosen), names.tolist(), order[place])
