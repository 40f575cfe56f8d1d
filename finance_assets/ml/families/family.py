"""What every family of models answers, and every model of it. Only the questions are here.

A model is its text (a library's own text format, never a pickle) and the order of its features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from finance_assets.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from pyspark.sql import DataFrame

SEED = 20050401
# What a training can be told: a number, a word or a switch; several figures are one for each
# feature, or for each quantile.
Parameter: TypeAlias = float | int | str | bool | Sequence[float]
Parameters: TypeAlias = Mapping[str, Parameter]
# Where MLflow keeps the text of an anchored model, of whatever family.
ANCHORED_FILE = "data/anchored.txt"


@dataclass(frozen=True)
class Anchor:
    """What a forecast begins with: the plain value of the feature `level`.

    A model says what it misses, in units of the feature `per`; without one, in the target's own.
    """

    level: str
    per: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that it takes, which no model of it learns from."""
        return (self.level, self.per) if self.per else (self.level,)

    def missed(self, outcome: Any, columns: "Mapping[str, Any] | pd.DataFrame") -> Any:
        """What it misses of the outcome, given the columns; no number where its unit is not > 0."""
        import numpy as np

        missed = outcome - columns[self.level]
        if not self.per:
            return missed
        unit = columns[self.per]
        return missed / np.where(unit > 0, unit, np.nan)


@dataclass(frozen=True)
class Objective:
    """What a model predicts: the probability of an event, or these quantiles of a number.

    Quantiles are in ascending order, the median in the middle.
    """

    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Model:
    """A fitted model, as its text. Rows come as float64, features in order."""

    text: str
    features: tuple[str, ...]

    @property
    def learned(self) -> tuple[str, ...]:
        """The features that the model learned from: those whose drift concerns it."""
        return self.features

    def predict(self, rows: "np.ndarray", threads: int = 0) -> "np.ndarray":
        """Probability for each row, shape (rows,); or quantiles, shape (rows, quantiles).

        0 threads lets the library choose. Quantiles of a row never cross.
        """
        raise NotImplementedError

    def inputs(self, frame: "pd.DataFrame") -> "np.ndarray":
        """The model's own features of a frame, as `predict` takes them.

        Raises:
            KeyError: the frame lacks one of them.
        """
        return frame[list(self.features)].to_numpy("float64")

    def contributions(self, rows: "np.ndarray") -> "np.ndarray":
        """Each feature's exact share of a row's log-odds, or median: shape (rows, features)."""
        raise NotImplementedError

    def gain_shares(self) -> dict[str, float]:
        """Share of the total gain that each feature brought."""
        raise NotImplementedError


@dataclass(frozen=True)
class Family:
    """A library that fits models.

    `known` are the parameters a use case may set: a misspelled one does not load. `files` is
    where MLflow's flavour keeps the model's text. `is_distributable`: the
    library can train on a cluster as well.
    """

    name: ClassVar[str]
    known: ClassVar[frozenset[str]]
    files: ClassVar[tuple[str, ...]]
    seed_parameter: ClassVar[str] = "seed"
    threads_parameter: ClassVar[str]
    is_distributable: ClassVar[bool] = False

    def fixed(self, objective: Objective, *, is_distributed: bool = False) -> Parameters:
        """Parameters that training sets itself, so that the same recipe gives the same bytes."""
        raise NotImplementedError

    def fit(
        self,
        params: Parameters,
        rounds: int,
        rows: "np.ndarray",
        outcome: "np.ndarray",
        features: Sequence[str],
    ) -> Model:
        """Fit in this process; `params` are the declared ones with the fixed ones.

        Raises:
            ModelError: the library is not installed, or lacks what it needs of the system.
        """
        raise NotImplementedError

    def fit_on_cluster(
        self,
        params: Parameters,
        rounds: int,
        rows: "DataFrame",
        target: str,
        features: Sequence[str],
    ) -> Model:
        """Fit where the rows are: none comes to this process."""
        raise NotImplementedError

    def load(self, text: str) -> Model:
        """The model of a text, which also says what its features are."""
        raise NotImplementedError

    def log(self, model: Model, **common: Any) -> Any:
        """Log the model in MLflow's flavour; `common` is what every flavour takes."""
        raise NotImplementedError

    def reseeded(self, params: Parameters, seed: int) -> dict[str, Parameter]:
        """The parameters with every seed among them replaced, and one thread."""
        seeds = {name for name in params if name.endswith("seed")} | {self.seed_parameter}
        return {**params, self.threads_parameter: 1, **dict.fromkeys(sorted(seeds), seed)}

    @property
    def library(self) -> str:
        """The library with its version, `lightgbm 4.6.0`."""
        from importlib.metadata import PackageNotFoundError, version

        for package in (self.name, f"{self.name}-cpu"):
            try:
                return f"{self.name} {version(package)}"
            except PackageNotFoundError:
                continue
        return f"{self.name} (not installed)"


def unreadable(library: str, error: Exception) -> ModelError:
    """The error of a text that the library does not read, as one of a much newer version."""
    said = str(error).strip().partition("\n")[0]
    return ModelError(
        f"{library} cannot read the model's text: {said}",
        where="the model's text, as registered",
        remedy="install the version that trained it (tag `library` of the model version), or "
        "train a candidate to replace it",
    )


def figures(params: Parameters, name: str) -> list[float]:
    """A parameter that is several figures; none if it is not given."""
    given = params.get(name, ())
    if isinstance(given, str) or not isinstance(given, Sequence):
        return []
    return [float(one) for one in given]


def shares(gains: dict[str, float]) -> dict[str, float]:
    """Each gain as a share of all."""
    total = sum(gains.values())
    return {name: gain / total if total else 0.0 for name, gain in gains.items()}
