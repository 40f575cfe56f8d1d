"""A small use case for tests of time: customers of a shop, for any calendar and any label lag.

Its events are made up from the place of their partition alone, so that every run and every test
sees the same ones. They are delivered as a file for each partition, like anybody's.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from finance_assets.calendar import Calendar
from finance_assets.lakehouse.contract import Column
from finance_assets.lakehouse.sources.source import Source
from finance_assets.ml.spec import ModelSpec
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.derived import Table
from finance_assets.steps.entity import Delivered, Entity
from finance_assets.steps.model_steps import model_steps
from finance_assets_tests.running import DeliveredRunner
from finance_assets_tests.small_model import small_model

CUSTOMERS = 1200
NAME, EVENTS, FEATURES, LABELS = (
    "shop",
    "silver.shop_events",
    "features.shop_features",
    "labels.shop_labels",
)
CANDIDATE, PREDICTIONS = "models.shop_candidate", "predictions.shop_predictions"
TABLES, MODEL, SCORING = slice(0, 4), slice(4, 7), slice(7, 9)
NO_LABELS, CANDIDATE_ONLY = slice(0, 3), slice(4, 5)

DELIVERED = Entity(
    EVENTS,
    "What the shop saw of a customer.",
    source=Source("the tills", "events_{partition}.csv"),
    columns=(
        Delivered("customer_id", "bigint", "Number of the customer"),
        Delivered("seen", "string", "Partition of the event"),
        Delivered("region", "string", "north or south", is_pii=True),
        Delivered("spent", "double", "Spent, standardised"),
        Delivered("visits", "double", "Visits, standardised"),
        Delivered("has_left", "boolean", "Whether the customer is gone"),
    ),
    key=("customer_id", "seen"),
    partition_column="seen",
)
EVENTS_CONTRACT = DELIVERED.contract
FEATURES_TABLE = Table(
    FEATURES,
    "What a model may see.",
    inputs=(EVENTS_CONTRACT,),
    columns=("customer_id", "seen", "spent", "visits"),
)


@dataclass(frozen=True)
class Shop:
    """How a test wants the use case: its calendar, and after how many partitions who left shows.

    `blind`: partitions whose outcomes are never delivered. `changed_from`: a partition from which
    on the events are others. `arrived`: how many customers' events there are of a partition so
    far. `declared_lag`: a lag that is declared though it is another. `turned_from`: a partition
    from which on those leave who spend little, as many as before. `many_leave`: the first and the
    last partition whose customers leave three times as often as others. `warm_up`: how many
    partitions the model does not learn from.
    """

    calendar: Calendar
    lag: int
    blind: tuple[str, ...] = ()
    changed_from: str = "9999"
    arrived: dict[str, int] = field(default_factory=dict)
    declared_lag: int | None = None
    turned_from: str = "9999"
    many_leave: tuple[str, str] = ("9999", "9999")
    warm_up: int = 0

    def events(self, partition: str) -> pd.DataFrame:
        """The events of a partition."""
        number = self.calendar.frequency.parse(partition)
        spent, visits = self._drawn(number)
        before = number - self.lag
        past = self._drawn(before)
        named, (first, last) = self.calendar.frequency.named(before), self.many_leave
        is_turned, level = named >= self.turned_from, 0.0 if first <= named <= last else 1.4
        chance = 1 / (1 + np.exp(level - (-1.6 if is_turned else 1.6) * past[0] - 0.6 * past[1]))
        gone = self._random(before, 8).random(CUSTOMERS) < chance
        everybody = pd.DataFrame(
            {
                "customer_id": np.arange(CUSTOMERS),
                "seen": partition,
                "region": np.where(np.arange(CUSTOMERS) % 2, "north", "south"),
                "spent": spent,
                "visits": visits,
                "has_left": gone,
            }
        )
        return everybody.head(self.arrived.get(partition, CUSTOMERS))

    def deliver(self, folder: Path, partition: str) -> None:
        """Put the file of a partition into a folder."""
        self.events(partition).to_csv(DELIVERED.source.path(folder, partition), index=False)

    def use_case(self) -> UseCase:
        """The use case: what is delivered, features, labels, and a model."""
        spec = self.model()
        tables = table_steps(NAME, (DELIVERED, FEATURES_TABLE, self._labels()), Path("nowhere"))
        return UseCase(
            name=NAME,
            title="Which customers leave?",
            owner="shop@example.com",
            calendar=self.calendar,
            steps=(*tables, *model_steps(spec, self.calendar, tables)),
            model=spec,
            samples=Path("nowhere"),
        )

    def model(self) -> ModelSpec:
        """The model's declaration."""
        found = small_model(
            NAME,
            features=FEATURES_TABLE.contract,
            labels=self._labels().contract,
            feature_names=("spent", "visits"),
            target="left",
            label_lag=self.lag if self.declared_lag is None else self.declared_lag,
            protected=(EVENTS_CONTRACT, "region"),
            lineage=(EVENTS_CONTRACT,),
        )
        return replace(found, warm_up_partitions=self.warm_up)

    def _random(self, number: int, what: int) -> np.random.Generator:
        is_changed = self.calendar.frequency.named(number) >= self.changed_from
        return np.random.default_rng([number, what, int(is_changed)])

    def _drawn(self, number: int) -> np.ndarray:
        return self._random(number, 7).normal(size=(2, CUSTOMERS))

    def _labels(self) -> Table:
        blind = ", ".join(f"'{p}'" for p in self.blind) or "''"
        outcome = f"CASE WHEN seen NOT IN ({blind}) THEN has_left END AS `left`"
        left = Column(
            "left",
            "boolean",
            "Whether the customer left; null while nobody knows",
            is_nullable=True,
        )
        if not self.lag:
            return Table(
                LABELS,
                "Whether the customer left.",
                inputs=(EVENTS_CONTRACT,),
                columns=("customer_id", "seen", left),
                transform=f"SELECT customer_id, seen, {outcome} FROM shop_events",
            )
        known = self.calendar.frequency.sql_shift("seen", self.lag)
        return Table(
            LABELS,
            "Whether the customer left.",
            inputs=(FEATURES_TABLE.at(-self.lag), EVENTS_CONTRACT),
            columns=(
                *("customer_id", "seen"),
                Column("known", "string", "Partition in which it became known"),
                left,
            ),
            transform=f"""
                WITH waiting AS (SELECT customer_id, seen, {known} AS known FROM shop_features),
                events AS (SELECT customer_id, seen AS known, has_left FROM shop_events)
                SELECT customer_id, seen, known, {outcome}
                FROM waiting LEFT JOIN events USING (customer_id, known)""",
            partition_column="known",
        )


class ShopRunner(DeliveredRunner):
    """Runs the steps of a shop in a home, without Dagster, and delivers what they read."""

    def __init__(self, shop: Shop, settings, spark) -> None:
        super().__init__(shop, settings, spark)
        self.shop = shop
