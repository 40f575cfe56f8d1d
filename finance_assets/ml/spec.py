"""What a use case declares about its model: inputs, target, parameters, gate, bands, drift.

Declarations only; they are read by steps and never changed at run time.
"""

from dataclasses import dataclass, field
from typing import Any

from finance_assets.lakehouse.contract import Contract
from finance_assets.monitoring.drift import DriftLimits


@dataclass(frozen=True)
class Band:
    """A named range of scores: from `from_score` up to the next band's."""

    name: str
    from_score: float


@dataclass(frozen=True)
class GateLimits:
    """The bounds of the gate's criteria.

    `min_auc` of the candidate; `max_calibration_error` in probability; `min_auc_gain` over the
    champion on the same holdout (0 = at least as good); fewest holdout rows and positives.
    """

    min_auc: float
    max_calibration_error: float
    min_auc_gain: float = 0.0
    min_rows: int = 1000
    min_positives: int = 100


@dataclass(frozen=True)
class ModelSpec:
    """A use case's model. `target` is a boolean column of `labels`.

    `holdout_months` and `min_train_months` count feature months whose outcome is known.
    """

    name: str
    owner: str
    purpose: str
    features: Contract
    labels: Contract
    feature_names: tuple[str, ...]
    target: str
    gate: GateLimits
    bands: tuple[Band, ...]
    drift: DriftLimits
    params: dict[str, Any] = field(default_factory=dict)
    rounds: int = 200
    holdout_months: int = 1
    min_train_months: int = 1

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that identify a row of features, labels and predictions."""
        return self.features.key

    @property
    def family(self) -> str:
        """Model family, as the tag says it."""
        return "lightgbm"
