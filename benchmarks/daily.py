"""A daily use case of six tables: what a thousand partitions cost in one run of Dagster."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dagster as dg

from finance_assets.assets.build import build_asset
from finance_assets.assets.resources import EngineResource, mlflow_run
from finance_assets.calendar import Calendar, Frequency
from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.settings import get_settings
from finance_assets.step.use_case import UseCase
from finance_assets.steps.declared import table_steps
from finance_assets.steps.derived import Table
from finance_assets.steps.entity import Delivered, Entity

NAME, SHOPS = "daily_benchmark", 20
DAYS = Calendar(Frequency.daily, "2022-01-01", "2026-01-01")
SALES = Entity(
    "silver.benchmark_sales",
    "What a shop sold on a day.",
    source=Source("the tills", "sales_{partition}.csv"),
    columns=(
        Delivered("shop", "bigint", "Number of the shop"),
        Delivered("day", "string", "Day of the sales"),
        Delivered("sold", "bigint", "Sold", unit="pieces"),
        Delivered("price", "double", "Price of a piece", unit="EUR"),
    ),
    key=("shop", "day"),
    partition_column="day",
    rules=(RowRule("sold_not_negative", "sold >= 0", "Nobody sells less than nothing."),),
)
REVENUE = Table(
    "gold.benchmark_revenue",
    "What a shop took in.",
    inputs=(SALES,),
    columns=(*("shop", "day", "sold"), Column("revenue", "double", "Taken in", unit="EUR")),
    transform="SELECT shop, day, sold, sold * price AS revenue FROM benchmark_sales",
)
TOTALS = Table(
    "gold.benchmark_totals",
    "All shops of a day.",
    inputs=(REVENUE,),
    columns=("day", Column("shops", "bigint", "Shops"), Column("sold", "bigint", "Sold")),
    transform="SELECT day, count(*) AS shops, sum(sold) AS sold"
    " FROM benchmark_revenue GROUP BY day",
    key=("day",),
    counted_by="sum(shops)",
)
RECENT = Table(
    "features.benchmark_recent",
    "A shop's sales.",
    inputs=(REVENUE,),
    columns=("shop", "day", "sold", "revenue"),
)
OUTCOMES = Table(
    "labels.benchmark_outcomes",
    "Whether a shop sold much.",
    inputs=(REVENUE,),
    columns=("shop", "day", Column("is_much", "boolean", "More than fifty pieces")),
    transform="SELECT shop, day, sold > 50 AS is_much FROM benchmark_revenue",
)


def deliver(folder: Path, days: list[str]) -> None:
    """A small file for each day."""
    folder.mkdir(parents=True)
    for number, day in enumerate(days):
        # No day equals another: a repeated delivery would be refused.
        price = 1.5 + number / 1000
        rows = [f"{shop},{day},{(shop * 7 + number) % 100},{price}" for shop in range(SHOPS)]
        text = "\n".join(["shop,day,sold,price", *rows]) + "\n"
        (folder / f"sales_{day}.csv").write_text(text)


def backfill(count: int) -> float:
    """Seconds of one run over so many days."""
    home = get_settings().root
    days = list(DAYS.partitions())[:count]
    deliver(home / "landing" / NAME, days)
    os.environ["FINANCE_ASSETS_LANDING"] = str(home / "landing")
    get_settings.cache_clear()
    get_settings().prepare_home()
    steps = table_steps(NAME, (SALES, REVENUE, TOTALS, RECENT, OUTCOMES), Path("nowhere"))
    # A use case must have a model; its tables alone are measured here.
    use_case = SimpleNamespace(name=NAME, owner="benchmark@example.com", calendar=DAYS, steps=steps)
    assets = [build_asset(cast("UseCase", use_case), step) for step in steps]
    tags = {
        "dagster/asset_partition_range_start": days[0],
        "dagster/asset_partition_range_end": days[-1],
    }
    with dg.DagsterInstance.get() as instance:
        started = time.perf_counter()
        resources = {"engine": EngineResource(), "mlflow": mlflow_run}
        done = dg.materialize(assets, instance=instance, tags=tags, resources=resources)
        assert done.success
        return time.perf_counter() - started
