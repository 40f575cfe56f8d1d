"""Local PySpark and Delta on the JVM, in the manner of the public templates.

Medallion tables by DataFrame operations, windows for what repeats and what was before, a cached
frame where one is used twice, and `replaceWhere` for the month.
"""

import os
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from finance_assets.use_cases.credit_default.tables.features import FEATURE_NAMES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

KEY = ("account_id", "statement_month")


def open_session(cores: int) -> "SparkSession":
    """A local session with Delta, and as many shuffle partitions as cores want."""
    from delta import configure_spark_with_delta_pip
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "4g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(2 * cores),
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    }
    builder = SparkSession.builder.master(f"local[{cores}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return configure_spark_with_delta_pip(builder).getOrCreate()


def run(
    deliveries: Path, lake: Path, months: tuple[str, ...] = MONTHS, cores: int | None = None
) -> None:
    """The months, one after the other."""
    tables = Medallion(open_session(cores or os.cpu_count() or 1), lake)
    for month in months:
        tables.bronze(delivery(deliveries, month), month)
        tables.silver(month)
        tables.gold(month)
        tables.products(month)


class Medallion:
    """The tables of a month."""

    def __init__(self, spark: "SparkSession", lake: Path) -> None:
        self.spark, self.lake = spark, lake

    def bronze(self, file: Path, month: str) -> None:
        """The rows as text."""
        from pyspark.sql import functions as F

        schema = ", ".join(f"{name} string" for name in COLUMNS)
        rows = self.spark.read.csv(str(file), header=True, schema=schema)
        rows = rows.withColumns(
            {
                "delivery_month": F.lit(month),
                "_source_file": F.lit(file.name),
                "_ingested_at": F.current_timestamp(),
            }
        )
        self._save(rows, BRONZE, "delivery_month", month)

    def silver(self, month: str) -> None:
        """Typed and deduplicated; what breaks a rule or repeats its key with other values goes."""
        from pyspark.sql import Window
        from pyspark.sql import functions as F

        rows = self._read(BRONZE, "delivery_month", (month,)).select(*COLUMNS).dropDuplicates()
        typed = rows.selectExpr(
            *(f"try_cast({name} AS {TYPES[name]}) AS {name}" for name in COLUMNS)
        )
        same_key = Window.partitionBy(*KEY)
        good = F.expr(f"coalesce({VALID} AND statement_month = '{month}', false)")
        once = F.count("*").over(same_key) == 1
        judged = typed.withColumn("is_good", good & once).cache()
        accepted = judged.where("is_good").drop("is_good")
        self._save(accepted, SILVER, "statement_month", month)
        rejected = judged.where("NOT is_good").drop("is_good")
        rejected = rejected.withColumn("delivery_month", F.lit(month))
        self._save(rejected, REJECTED, "delivery_month", month)
        judged.unpersist()

    def gold(self, month: str) -> None:
        """The month with the two before it, by windows over the account."""
        from pyspark.sql import Window
        from pyspark.sql import functions as F

        rows = self._read(SILVER, "statement_month", months_until(month, 3))
        number = "cast(substr(statement_month, 1, 4) AS int) * 12"
        rows = rows.withColumn("n", F.expr(f"{number} + cast(substr(statement_month, 6) AS int)"))
        rows = rows.withColumn("late", F.expr("cast(pay_status >= 1 AS int)"))
        account = Window.partitionBy("account_id").orderBy("n")
        three, before = account.rangeBetween(-2, 0), account.rangeBetween(-1, -1)
        rows = rows.withColumns(
            {
                "history_months": F.count("*").over(three).cast("int"),
                "worst": F.max("pay_status").over(three),
                "late_3m": F.sum("late").over(three),
                "bill_3m": F.sum("bill_ntd").over(three),
                "limit_3m": F.sum("credit_limit_ntd").over(three),
                "previous": F.max("pay_status").over(before),
                "bill_1": F.max("bill_ntd").over(before),
            }
        )
        gold = rows.where(F.col("statement_month") == month).select(*_gold_columns())
        self._save(gold, GOLD, "statement_month", month)

    def products(self, month: str) -> None:
        """Portfolio, features, and the labels that the month brings."""
        from pyspark.sql import functions as F

        gold = self._read(GOLD, "statement_month", (month,))
        self._save(_portfolio(gold), PORTFOLIO, "statement_month", month)
        doubles = [F.col(name).cast("double").alias(name) for name in FEATURE_NAMES]
        self._save(gold.select(*KEY, *doubles), FEATURES, "statement_month", month)
        before = months_until(month, 2)[:-1]
        if before:
            now = self._read(SILVER, "statement_month", (month,))
            outcome = now.selectExpr("account_id", "pay_status >= 2 AS is_default")
            known = self._read(GOLD, "statement_month", before).select(*KEY)
            labels = known.join(outcome, "account_id", "left")
            labels = labels.withColumn("matured_month", F.lit(month))
            self._save(labels, LABELS, "matured_month", month)

    def _read(self, table: str, column: str, months: tuple[str, ...]) -> "DataFrame":
        rows = self.spark.read.format("delta").load(str(self.lake / table))
        return rows.where(rows[column].isin(*months))

    def _save(self, rows: "DataFrame", table: str, column: str, month: str) -> None:
        writer = rows.write.format("delta").partitionBy(column).mode("overwrite")
        path = self.lake / table
        if path.exists():
            writer = writer.option("replaceWhere", f"{column} = '{month}'")
        writer.save(str(path))


def _chosen(column: str, names: dict[int, str], other: str) -> "Column":
    from pyspark.sql import functions as F

    first, *more = names.items()
    begun: Any = F.when(F.col(column) == first[0], first[1])
    found = reduce(lambda case, one: case.when(F.col(column) == one[0], one[1]), more, begun)
    return found.otherwise(other).alias(column.removesuffix("_code"))


def _gold_columns() -> list["Column"]:
    from pyspark.sql import functions as F

    degrees = {1: "graduate_school", 2: "university", 3: "high_school"}
    enough = F.col("history_months") >= 2
    ratio = F.col("bill_ntd") / F.col("credit_limit_ntd")
    change = (F.col("bill_ntd") - F.col("bill_1")) / F.col("credit_limit_ntd")
    paid = F.when(F.col("bill_1") > 0, F.col("payment_ntd") / F.col("bill_1"))
    return [
        *(F.col(name) for name in (*KEY, "credit_limit_ntd")),
        _chosen("sex_code", {1: "male"}, "female"),
        _chosen("education_code", degrees, "other"),
        _chosen("marital_status_code", {1: "married", 2: "single"}, "other"),
        *(F.col(name) for name in ("age_years", "pay_status", "bill_ntd", "payment_ntd")),
        ratio.alias("utilisation_ratio"),
        F.col("history_months"),
        F.col("previous").alias("previous_pay_status"),
        (F.col("pay_status") - F.col("previous")).alias("pay_status_change"),
        F.when(enough, F.col("worst")).alias("worst_pay_status_3m"),
        F.when(enough, F.col("late_3m").cast("int")).alias("late_statements_3m"),
        F.when(enough, F.col("bill_3m") / F.col("limit_3m")).alias("utilisation_ratio_3m"),
        change.alias("bill_change_ratio"),
        paid.alias("payment_ratio"),
    ]


def _portfolio(gold: "DataFrame") -> "DataFrame":
    from pyspark.sql import functions as F

    limit, status = F.col("credit_limit_ntd"), F.col("pay_status")
    limit_band = F.when(limit < 50_000, "below_50k").when(limit < 200_000, "50k_to_200k")
    names = {-2: "no_consumption", -1: "paid_in_full", 0: "revolving", 1: "late_1"}
    status_band = reduce(
        lambda case, one: case.when(status == one[0], one[1]),
        list(names.items())[1:],
        F.when(status == -2, names[-2]),
    )
    summed = gold.groupBy(
        "statement_month",
        limit_band.otherwise("from_200k").alias("limit_band"),
        status_band.otherwise("late_2_or_more").alias("status_band"),
    ).agg(
        F.count("*").alias("accounts"),
        *(F.sum(name).alias(name) for name in ("credit_limit_ntd", "bill_ntd", "payment_ntd")),
    )
    ratio = F.col("bill_ntd") / F.col("credit_limit_ntd")
    return summed.withColumn("utilisation_ratio", ratio)
