"""A small regression for tests: how much a kiosk sells tomorrow. Daily, known a day later.

Its figures are made up from the place of their day alone, so that every run sees the same ones.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from finance_assets.calendar import Calendar, Frequency
from finance_assets.lakehouse.contract import Column
from finance_assets.lakehouse.sources.source import Source
from finance_assets.ml.families import Parameters
from finance_assets.ml.gate import Gate
from finance_assets.ml.spec import ModelSpec, Protected, ProtectedAttribute
from finance_assets.ml.tasks.regression import Regression, criteria
from finance_assets.monitoring.drift import DriftLimits
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.derived import Table
from finance_assets.steps.entity import Delivered, Entity
from finance_assets.steps.model_steps import model_steps

KIOSKS, NAME = 700, "kiosk"
SALES, FEATURES, LABELS = "silver.kiosk_sales", "features.kiosk_features", "labels.kiosk_labels"
FEATURE_NAMES = ("sold", "is_promoted", "warmth")
CALENDAR = Calendar(Frequency.daily, first="2024-01-01", last="2024-01-14")
DAYS = CALENDAR.partitions()
PARAMS: dict[str, Parameters] = {
    "lightgbm": {"learning_rate": 0.1, "num_leaves": 8, "min_data_in_leaf": 40},
    "xgboost": {"learning_rate": 0.1, "max_depth": 3, "min_child_weight": 20},
}
GATE = Gate(
    (
        criteria.Accuracy(max_relative_error=0.9),
        criteria.BeatsBaseline(min_skill=0.05),
        criteria.BeatsChampion(min_gain=0.005),
        criteria.Bias(max_share=0.2),
        criteria.IntervalCoverage(coverage=0.8, max_gap=0.1),
        criteria.Fairness(max_ratio=1.25),
        criteria.Leakage(max_skill=0.8, max_alone=0.85, max_unique=0.45, max_gain_share=0.95),
        criteria.EnoughRows(min_rows=200),
        criteria.Stability(max_psi=0.5),
    )
)
DELIVERED = Entity(
    SALES,
    "What a kiosk sold, and what is planned for its next day.",
    source=Source("the kiosks", "sales_{partition}.csv"),
    columns=(
        Delivered("kiosk_id", "bigint", "Number of the kiosk"),
        Delivered("day", "string", "Day of the sales"),
        Delivered("region", "string", "north or south"),
        Delivered("sold", "double", "Sold", unit="pieces"),
        Delivered("is_promoted", "double", "1 if something is promoted on the next day"),
        Delivered("warmth", "double", "Forecast of the next day's warmth, standardised"),
    ),
    key=("kiosk_id", "day"),
    partition_column="day",
)
SALES_CONTRACT = DELIVERED.contract
FEATURES_TABLE = Table(
    FEATURES,
    "What is known in the evening.",
    inputs=(SALES_CONTRACT,),
    columns=("kiosk_id", "day", *FEATURE_NAMES),
)
LABELS_TABLE = Table(
    LABELS,
    "What was sold on the next day.",
    inputs=(FEATURES_TABLE.at(-1), SALES_CONTRACT),
    columns=(
        *("kiosk_id", "day"),
        Column("known", "string", "Day that was forecast"),
        Column("sold_next", "double", "Sold on it", is_nullable=True),
    ),
    transform=f"""
        WITH forecast AS (
            SELECT kiosk_id, day, {CALENDAR.frequency.sql_shift("day", 1)} AS known
            FROM kiosk_features
        ),
        sales AS (SELECT kiosk_id, day AS known, sold AS sold_next FROM kiosk_sales)
        SELECT kiosk_id, day, known, sold_next
        FROM forecast LEFT JOIN sales USING (kiosk_id, known)""",
    partition_column="known",
)


def _random(number: int, what: int) -> np.random.Generator:
    return np.random.default_rng([number, what])


@dataclass(frozen=True)
class Kiosk:
    """How a test wants the use case; `changed_from`: a day from which on sales are others."""

    family: str = "xgboost"
    gate: Gate = GATE
    changed_from: str = "9999"
    task: Regression = Regression(unit="pieces", coverage=0.8)
    more: dict[str, object] = field(default_factory=dict)
    calendar: Calendar = CALENDAR

    def sales(self, day: str) -> pd.DataFrame:
        """The sales of a day: they follow those of the day before, its plan and the warmth."""
        number = CALENDAR.frequency.parse(day)
        first = CALENDAR.frequency.parse(DAYS[0])
        sold = 40 + 6 * _random(first - 1, 1).normal(size=KIOSKS)
        for place in range(first, number + 1):
            promoted, warmth = self._plan(place - 1)
            noise = 2.5 * _random(place, 3).normal(size=KIOSKS)
            sold = 16 + 0.6 * sold + 8 * promoted * (warmth > 0) + 3 * warmth + noise
        if day >= self.changed_from:
            sold = sold * 3
        promoted, warmth = self._plan(number)
        ids = np.arange(KIOSKS)
        return pd.DataFrame(
            {
                "kiosk_id": ids,
                "day": day,
                "region": np.where(ids % 2, "north", "south"),
                "sold": sold,
                "is_promoted": promoted,
                "warmth": warmth,
            }
        )

    def _plan(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        random = _random(number, 2)
        return (random.random(KIOSKS) < 0.3).astype("float64"), random.normal(size=KIOSKS)

    def deliver(self, folder: Path, day: str) -> None:
        """Put the file of a day into a folder."""
        self.sales(day).to_csv(DELIVERED.source.path(folder, day), index=False)

    def model(self) -> ModelSpec:
        """The model's declaration."""
        return ModelSpec(
            name=NAME,
            owner="kiosk@example.com",
            purpose="How much to order.",
            features=FEATURES_TABLE.contract,
            labels=LABELS_TABLE.contract,
            feature_names=FEATURE_NAMES,
            target="sold_next",
            label_lag=1,
            naive="sold",
            task=self.task,
            gate=self.gate,
            drift=DriftLimits(),
            protected=Protected(
                SALES_CONTRACT,
                (
                    ProtectedAttribute("region", "region"),
                    ProtectedAttribute("plan", "if(is_promoted > 0, 'promoted', 'usual')"),
                ),
                min_group_rows=50,
            ),
            lineage=(SALES_CONTRACT,),
            **{
                "family": self.family,
                "params": PARAMS[self.family],
                "rounds": 120,
                "min_train_partitions": 3,
                **self.more,
            },
        )

    def use_case(self) -> UseCase:
        """The use case: what is delivered, features, labels, and a model."""
        spec = self.model()
        tables = table_steps(NAME, (DELIVERED, FEATURES_TABLE, LABELS_TABLE), Path("nowhere"))
        return UseCase(
            name=NAME,
            title="How much is sold tomorrow?",
            owner="kiosk@example.com",
            calendar=CALENDAR,
            steps=(*tables, *model_steps(spec, CALENDAR, tables)),
            model=spec,
            samples=Path("nowhere"),
        )
