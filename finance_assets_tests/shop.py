"""A small use case for tests of time: customers of a shop, for any calendar and any label lag.

Its events are made up from the place of their partition alone, so that every run and every test
sees the same ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from finance_assets.calendar import Calendar
from finance_assets.compute.runner import open_lakehouse, run_step
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.lakehouse.proposal import Accounting, Proposal
from finance_assets.ml.assessment import CostMatrix
from finance_assets.ml.spec import Band, ModelSpec, Protected, ProtectedAttribute
from finance_assets.monitoring.drift import DriftLimits
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult
from finance_assets.step.records import as_result
from finance_assets.step.use_case import UseCase
from finance_assets.steps.model_steps import model_steps
from finance_assets.steps.table import Conservation, table_step
from finance_assets_tests.ml.evidence import EASY_GATE

CUSTOMERS = 1200
NAME, EVENTS, FEATURES, LABELS = "shop", "silver.shop_events", "features.shop", "labels.shop"
CANDIDATE, PREDICTIONS = "models.shop_candidate", "predictions.shop"
TABLES, MODEL, SCORING = slice(0, 3), slice(3, 6), slice(6, 8)

_FROM = {name: (f"{EVENTS}.{name}",) for name in ("customer_id", "seen", "spent", "visits")}
EVENTS_CONTRACT = Contract(
    table=EVENTS,
    description="What the shop saw of a customer.",
    columns=(
        Column("customer_id", "bigint", "Number of the customer"),
        Column("seen", "string", "Partition of the event"),
        Column("region", "string", "north or south", is_pii=True),
        Column("spent", "double", "Spent, standardised"),
        Column("visits", "double", "Visits, standardised"),
        Column("has_left", "boolean", "Whether the customer is gone"),
    ),
    key=("customer_id", "seen"),
    partition_column="seen",
    min_rows=1,
)
FEATURES_CONTRACT = Contract(
    table=FEATURES,
    description="What a model may see.",
    columns=(
        Column("customer_id", "bigint", "Number", derived_from=_FROM["customer_id"]),
        Column("seen", "string", "Partition", derived_from=_FROM["seen"]),
        Column("spent", "double", "Spent", derived_from=_FROM["spent"]),
        Column("visits", "double", "Visits", derived_from=_FROM["visits"]),
    ),
    key=("customer_id", "seen"),
    partition_column="seen",
)


def _labels_contract(lag: int) -> Contract:
    known = Column(
        "known", "string", "Partition in which it became known", derived_from=_FROM["seen"]
    )
    return Contract(
        table=LABELS,
        description="Whether the customer left.",
        columns=(
            Column("customer_id", "bigint", "Number", derived_from=_FROM["customer_id"]),
            Column("seen", "string", "Partition", derived_from=_FROM["seen"]),
            *((known,) if lag else ()),
            Column(
                "left",
                "boolean",
                "Whether the customer left; null while nobody knows",
                is_nullable=True,
                derived_from=(f"{EVENTS}.has_left",),
            ),
        ),
        key=("customer_id", "seen"),
        partition_column="known" if lag else "seen",
    )


@dataclass(frozen=True)
class Shop:
    """How a test wants the use case: its calendar, and after how many partitions who left shows.

    `blind`: partitions whose outcomes are never delivered. `changed_from`: a partition from which
    on the events are others. `arrived`: how many customers' events there are of a partition so
    far. `declared_lag`: a lag that is declared though it is another.
    """

    calendar: Calendar
    lag: int
    blind: tuple[str, ...] = ()
    changed_from: str = "9999"
    arrived: dict[str, int] = field(default_factory=dict)
    declared_lag: int | None = None

    def events(self, partition: str) -> pd.DataFrame:
        """The events of a partition."""
        number = self.calendar.frequency.parse(partition)
        spent, visits = self._drawn(number)
        before = number - self.lag
        chance = 1 / (1 + np.exp(1.4 - 1.6 * self._drawn(before)[0] - 0.6 * self._drawn(before)[1]))
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

    def use_case(self) -> UseCase:
        """The use case: three tables and a model."""
        spec = self.model()
        tables = (self._source_step(), self._features_step(), self._labels_step(spec.labels))
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
        costs = CostMatrix(flagged_good=1.0, missed_bad=3.0, unit="vouchers")
        return ModelSpec(
            name=NAME,
            owner="shop@example.com",
            purpose="Who gets a voucher.",
            features=FEATURES_CONTRACT,
            labels=_labels_contract(self.lag),
            feature_names=("spent", "visits"),
            target="left",
            label_lag=self.lag if self.declared_lag is None else self.declared_lag,
            naive="spent",
            gate=EASY_GATE,
            costs=costs,
            bands=(Band("low", 0.0), Band("high", costs.threshold)),
            flagged_band="high",
            drift=DriftLimits(),
            protected=Protected(
                EVENTS_CONTRACT, (ProtectedAttribute("region", "region"),), min_group_rows=100
            ),
            lineage=(EVENTS_CONTRACT,),
            params={"learning_rate": 0.1, "num_leaves": 4, "min_data_in_leaf": 50},
            rounds=40,
        )

    def _random(self, number: int, what: int) -> np.random.Generator:
        is_changed = self.calendar.frequency.named(number) >= self.changed_from
        return np.random.default_rng([number, what, int(is_changed)])

    def _drawn(self, number: int) -> np.ndarray:
        return self._random(number, 7).normal(size=(2, CUSTOMERS))

    def _source_step(self) -> Step:
        def run(ctx: StepContext) -> StepResult:
            events = {partition: self.events(partition) for partition in ctx.window}
            rows = ctx.lakehouse.spark.createDataFrame(pd.concat(events.values()))
            delivered = {partition: len(frame) for partition, frame in events.items()}
            published = ctx.publish(
                Proposal(EVENTS_CONTRACT, ctx.window, rows, Accounting(delivered))
            )
            return as_result(published, published.ledgers, [])

        return Step(NAME, Kind.table, EVENTS_CONTRACT, (), run)

    def _features_step(self) -> Step:
        def features(shop_events):
            return shop_events.select("customer_id", "seen", "spent", "visits")

        inputs = (Input(EVENTS_CONTRACT),)
        return table_step(NAME, FEATURES_CONTRACT, inputs, features, Conservation(EVENTS_CONTRACT))

    def _labels_step(self, contract: Contract) -> Step:
        blind = ", ".join(f"'{p}'" for p in self.blind) or "''"
        outcome = f"CASE WHEN seen NOT IN ({blind}) THEN has_left END as left"

        def known_at_once(shop_events):
            return shop_events.selectExpr("customer_id", "seen", outcome)

        def known_later(shop, shop_events):
            known = self.calendar.frequency.sql_shift("seen", self.lag)
            rows = shop.selectExpr("customer_id", "seen", f"{known} as known")
            outcomes = shop_events.selectExpr("customer_id", "seen as known", "has_left")
            return rows.join(outcomes, ["customer_id", "known"], "left").selectExpr(
                "customer_id", "seen", "known", outcome
            )

        if not self.lag:
            inputs = (Input(EVENTS_CONTRACT),)
            return table_step(NAME, contract, inputs, known_at_once, Conservation(EVENTS_CONTRACT))
        inputs = (Input(FEATURES_CONTRACT, -self.lag, -self.lag), Input(EVENTS_CONTRACT))
        conserves = Conservation(FEATURES_CONTRACT, offset=-self.lag)
        return table_step(NAME, contract, inputs, known_later, conserves)


class ShopRunner:
    """Runs the steps of a shop in a home, without Dagster."""

    def __init__(self, shop: Shop, settings, spark) -> None:
        self.shop, self.settings, self.spark = shop, settings, spark
        self.use_case = shop.use_case()
        self.lakehouse = open_lakehouse(settings, lambda: spark)

    def run(self, steps: slice, first: str, last: str | None = None) -> list[StepResult]:
        """Run some of the steps over a window; rows that are refused are an error."""
        results = []
        for step in self.use_case.steps[steps]:
            result = run_step(
                step,
                self.shop.calendar.window(first, last),
                settings=self.settings,
                session=lambda: self.spark,
                run_id="test",
                report=lambda message: None,
            )
            assert result.publication is not None, (step.key, result.outcomes)
            results.append(result)
        return results

    def rows(self, table: str, where: Callable[[dict], bool] = lambda row: True) -> list[dict]:
        """The stored rows of a table."""
        return [row for row in self.lakehouse.history(table).rows() if where(row)]
