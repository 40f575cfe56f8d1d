"""What a use case declares about its model: inputs, target, parameters, gate, costs, bands.

Declarations only; they are read by steps and never changed at run time.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from finance_assets.declarations import refuse
from finance_assets.lakehouse.contract import Contract
from finance_assets.ml.assessment import CostMatrix
from finance_assets.ml.gate import Gate
from finance_assets.ml.spec_rules import spec_mistakes
from finance_assets.monitoring.drift import DriftLimits


class Approval(StrEnum):
    """Whether a candidate that passed the gate becomes champion by itself."""

    automatic = "automatic"
    required = "required"


@dataclass(frozen=True)
class Band:
    """A named range of scores: from `from_score` up to the next band's."""

    name: str
    from_score: float


@dataclass(frozen=True)
class ProtectedAttribute:
    """An attribute by which groups are compared: SQL over the attribute table's columns.

    Whether the model sees it, or something made of it, the model card says from the lineage.
    """

    name: str
    expression: str


@dataclass(frozen=True)
class Protected:
    """The protected attributes, the table that holds them, and the smallest group judged."""

    source: Contract
    attributes: tuple[ProtectedAttribute, ...]
    min_group_rows: int = 500


@dataclass(frozen=True)
class ReasonCodes:
    """Reasons for rows of `band` and above: how many, and each feature's plain words."""

    band: str
    words: dict[str, str]
    top: int = 3


@dataclass(frozen=True)
class SearchSpace:
    """Bounds of each searched parameter (whole bounds: whole numbers), and how many trials."""

    space: dict[str, tuple[float, float]]
    trials: int = 20


@dataclass(frozen=True)
class ModelSpec:
    """A use case's model. `target` is a boolean column of `labels`: the event to warn of.

    `naive` is the feature whose plain value is the rule of thumb to beat. Rows of
    `flagged_band` and above are acted on. `limitations` go into the model card. `lineage` are the
    tables under features and protected attributes, which the card traces columns through.

    Time is declared in partitions of the calendar. `label_lag`: after how many an outcome is known
    (0: it comes with its row, and lies in the same partition). `holdout_partitions` are kept for
    measuring, `min_train_partitions` are needed for fitting; both count partitions whose outcome
    is known.
    """

    name: str
    owner: str
    purpose: str
    features: Contract
    labels: Contract
    feature_names: tuple[str, ...]
    target: str
    label_lag: int
    naive: str
    gate: Gate
    costs: CostMatrix
    bands: tuple[Band, ...]
    flagged_band: str
    drift: DriftLimits
    protected: Protected | None = None
    reasons: ReasonCodes | None = None
    approval: Approval = Approval.automatic
    limitations: tuple[str, ...] = ()
    lineage: tuple[Contract, ...] = ()
    family: str = "lightgbm"
    params: dict[str, Any] = field(default_factory=dict)
    rounds: int = 200
    search: SearchSpace | None = None
    holdout_partitions: int = 1
    min_train_partitions: int = 1

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself.

        Raises:
            ValueError: the gate is none.
            DeclarationError: naming every other mistake.
        """
        if type(self.gate) is not Gate:
            raise ValueError(f"{self.name}: gate is a {type(self.gate).__name__}, not a Gate")
        refuse(f"model {self.name}", spec_mistakes(self))

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that identify a row of features, labels and predictions."""
        return self.features.key

    @property
    def month(self) -> str:
        """The partition column of features and predictions."""
        return self.features.partition_column

    def band_from(self, name: str) -> float:
        """The score from which a band begins.

        Raises:
            KeyError: there is no such band.
        """
        for band in self.bands:
            if band.name == name:
                return band.from_score
        raise KeyError(f"{self.name} has no band {name}")

    @property
    def flagged_from(self) -> float:
        """The score from which rows are acted on."""
        return self.band_from(self.flagged_band)

    @property
    def flagged_reason(self) -> str:
        """Where that score comes from, and what the costs say about it."""
        return f"band {self.flagged_band} is acted on; {self.costs.threshold_reason}"

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The scores at which something is decided: where each band but the lowest begins."""
        return tuple(band.from_score for band in self.bands[1:])
