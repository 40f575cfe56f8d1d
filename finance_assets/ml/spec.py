"""What a use case declares about its model: task, inputs, target, parameters, gate.

Declarations only; they are read by steps and never changed at run time. What only one kind of
problem has to declare is in tasks/.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from finance_assets.declarations import refuse
from finance_assets.lakehouse.contract import Contract
from finance_assets.ml.families import BASELINE, Parameters
from finance_assets.ml.gate import Gate
from finance_assets.ml.spec_rules import spec_mistakes
from finance_assets.ml.tasks.task import Task
from finance_assets.monitoring.drift import DriftLimits
from finance_assets.monitoring.retraining import RetrainingPolicy


class Approval(StrEnum):
    """Whether a candidate that passed the gate becomes champion by itself."""

    automatic = "automatic"
    required = "required"


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
class SearchSpace:
    """Bounds of each searched parameter (whole bounds: whole numbers), and how many trials."""

    space: dict[str, tuple[float, float]]
    trials: int = 20


@dataclass(frozen=True)
class ModelSpec:
    """A use case's model. `target` is a column of `labels`, of a type that the task can take.

    `naive` is the feature whose plain value is the rule of thumb to beat. `limitations` go into
    the model card. `lineage` are the tables under features and protected attributes, which the
    card traces columns through. `is_distributed`: trained on the cluster that holds the rows.

    Time is declared in partitions of the calendar. `label_lag`: after how many an outcome is known
    (0: it comes with its row, and lies in the same partition). `holdout_partitions` are kept for
    measuring, `min_train_partitions` are needed for fitting; both count partitions whose outcome
    is known. Of a longer lag than one, the partitions whose outcomes reach into the holdout lie
    between the two and count for neither. `warm_up_partitions`, the calendar's first, are only the
    past of later ones: nothing is learned from rows that could not look back as far as others.

    `baseline_serves`: the rule of thumb is champion until a candidate beats it. Without it, nothing
    is scored before the first candidate that passes the gate.
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
    task: Task
    gate: Gate
    drift: DriftLimits
    retraining: RetrainingPolicy = RetrainingPolicy()
    protected: Protected | None = None
    approval: Approval = Approval.automatic
    limitations: tuple[str, ...] = ()
    lineage: tuple[Contract, ...] = ()
    family: str = "xgboost"
    params: Parameters = field(default_factory=dict)
    rounds: int = 200
    search: SearchSpace | None = None
    is_distributed: bool = False
    holdout_partitions: int = 1
    min_train_partitions: int = 1
    warm_up_partitions: int = 0
    baseline_serves: bool = False

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
    def rule_of_thumb(self) -> "ModelSpec":
        """The same question, answered by the rule of thumb alone."""
        return replace(
            self,
            family=BASELINE.name,
            params={},
            rounds=1,
            search=None,
            is_distributed=False,
            baseline_serves=False,
        )

    @property
    def partition_column(self) -> str:
        """The partition column of features and predictions."""
        return self.features.partition_column
