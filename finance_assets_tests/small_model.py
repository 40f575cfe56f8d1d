"""The model of small use cases that tests build: the only place where they write a ModelSpec."""

from finance_assets.lakehouse.contract import Contract
from finance_assets.ml.spec import ModelSpec, Protected, ProtectedAttribute
from finance_assets.ml.tasks.binary import Band, Binary, CostMatrix
from finance_assets.monitoring.drift import DriftLimits
from finance_assets_tests.ml.evidence import EASY_GATE

COSTS = CostMatrix(flagged_good=1.0, missed_bad=3.0, unit="vouchers")


def small_model(
    name: str,
    *,
    features: Contract,
    labels: Contract,
    feature_names: tuple[str, ...],
    target: str,
    label_lag: int,
    protected: tuple[Contract, str],
    lineage: tuple[Contract, ...],
) -> ModelSpec:
    """A binary model of few rows. The first feature is its rule of thumb; `protected` is a column
    of a table.
    """
    table, column = protected
    return ModelSpec(
        name=name,
        owner=f"{name}@example.com",
        purpose="Who gets a voucher.",
        features=features,
        labels=labels,
        feature_names=feature_names,
        target=target,
        label_lag=label_lag,
        naive=feature_names[0],
        task=Binary(COSTS, (Band("low", 0.0), Band("high", COSTS.threshold)), "high"),
        gate=EASY_GATE,
        drift=DriftLimits(),
        protected=Protected(table, (ProtectedAttribute(column, column),), min_group_rows=100),
        lineage=lineage,
        params={"learning_rate": 0.1, "max_depth": 2, "min_child_weight": 10.0},
        rounds=40,
    )
