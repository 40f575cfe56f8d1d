"""A bare script on the embedded engine: read CSV, the use case's own SQL, write Delta."""

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.baselines.places import (
    BRONZE,
    COLUMNS,
    FEATURES,
    GOLD,
    LABELS,
    MONTHS,
    PORTFOLIO,
    REJECTED,
    SILVER,
    TYPES,
    VALID,
    delivery,
    months_until,
)
from finance_assets.use_cases.credit_default.tables.account_months import ACCOUNT_MONTHS
from finance_assets.use_cases.credit_default.tables.features import FEATURE_NAMES
from finance_assets.use_cases.credit_default.tables.labels import LABELS as LABELS_TABLE
from finance_assets.use_cases.credit_default.tables.portfolio import PORTFOLIO as PORTFOLIO_TABLE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def open_session() -> "SparkSession":
    """A server in this process, and a client for it."""
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    globals()["_server"] = server  # it stops when it is collected
    return SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()


def run(
    deliveries: Path,
    lake: Path,
    months: tuple[str, ...] = MONTHS,
    spark: "SparkSession | None" = None,
) -> None:
    """The months, one after the other."""
    script = Script(spark or open_session(), lake)
    for month in months:
        script.take_over(delivery(deliveries, month), month)
        script.refine(month)
        script.account_months(month)
        script.others(month)


# Nobody delivers the bank's own flags here.
NO_FLAGS = """SELECT cast(1 AS bigint) AS account_id, '' AS default_month,
  false AS is_official_default WHERE false"""


class Script:
    """The steps of a month."""

    def __init__(self, spark: "SparkSession", lake: Path) -> None:
        self.spark, self.lake = spark, lake

    def take_over(self, file: Path, month: str) -> None:
        """Bronze: the rows as text."""
        schema = ", ".join(f"{name} string" for name in COLUMNS)
        rows = self.spark.read.csv(str(file), header=True, schema=schema)
        rows = rows.selectExpr(
            "*",
            f"'{month}' AS delivery_month",
            f"'{file.name}' AS _source_file",
            "current_timestamp() AS _ingested_at",
        )
        self._save(rows, BRONZE, "delivery_month", month)

    def refine(self, month: str) -> None:
        """Silver: typed, each row once, none that breaks a rule or has the key of another."""
        rows = self._read(BRONZE, "delivery_month", (month,)).select(*COLUMNS).distinct()
        typed = rows.selectExpr(
            *(f"try_cast({name} AS {TYPES[name]}) AS {name}" for name in COLUMNS)
        )
        key = ["account_id", "statement_month"]
        repeated = typed.groupBy(*key).count().where("count > 1").drop("count")
        good = f"{VALID} AND statement_month = '{month}'"
        accepted = typed.where(good).join(repeated, key, "left_anti")
        self._save(accepted, SILVER, "statement_month", month)
        broken = typed.where(f"NOT coalesce({good}, false)")
        twice = typed.where(good).join(repeated, key, "left_semi")
        rejected = broken.unionByName(twice).selectExpr("*", f"'{month}' AS delivery_month")
        self._save(rejected, REJECTED, "delivery_month", month)

    def account_months(self, month: str) -> None:
        """Gold: the month with the two before it."""
        past = self._read(SILVER, "statement_month", months_until(month, 3))
        past.createOrReplaceTempView("credit_statements")
        rows = self.spark.sql(str(ACCOUNT_MONTHS.transform))
        self._save(rows.where(f"statement_month = '{month}'"), GOLD, "statement_month", month)

    def others(self, month: str) -> None:
        """Portfolio, features, and the labels that the month brings."""
        gold = self._read(GOLD, "statement_month", (month,))
        gold.createOrReplaceTempView("credit_account_months")
        portfolio = self.spark.sql(str(PORTFOLIO_TABLE.transform))
        self._save(portfolio, PORTFOLIO, "statement_month", month)
        doubles = [f"cast({name} AS double) AS {name}" for name in FEATURE_NAMES]
        features = gold.selectExpr("account_id", "statement_month", *doubles)
        self._save(features, FEATURES, "statement_month", month)
        before = months_until(month, 2)[:-1]
        if not before:
            return
        gold = self._read(GOLD, "statement_month", before)
        gold.createOrReplaceTempView("credit_account_months")
        now = self._read(SILVER, "statement_month", (month,))
        now.createOrReplaceTempView("credit_statements")
        self.spark.sql(NO_FLAGS).createOrReplaceTempView("credit_official_defaults")
        labels = self.spark.sql(str(LABELS_TABLE.transform))
        self._save(labels, LABELS, "matured_month", month)

    def _read(self, table: str, column: str, months: tuple[str, ...]) -> "DataFrame":
        wanted = ", ".join(f"'{month}'" for month in months)
        rows = self.spark.read.format("delta").load(str(self.lake / table))
        return rows.where(f"{column} IN ({wanted})")

    def _save(self, rows: "DataFrame", table: str, column: str, month: str) -> None:
        writer = rows.write.format("delta").partitionBy(column).mode("overwrite")
        path = self.lake / table
        if path.exists():
            writer = writer.option("replaceWhere", f"{column} = '{month}'")
        writer.save(str(path))
