"""Polars and delta-rs by hand: expressions on frames in memory, one commit a table and month."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from deltalake import write_deltalake

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

KINDS = {"bigint": pl.Int64, "int": pl.Int32, "string": pl.String}
KEY = ["account_id", "statement_month"]
PAST = ("statement", "late", "pay_status", "bill_ntd", "credit_limit_ntd")


def run(deliveries: Path, lake: Path, months: tuple[str, ...] = MONTHS) -> None:
    """The months, one after the other."""
    for month in months:
        raw = take_over(lake, delivery(deliveries, month), month)
        refine(lake, raw, month)
        gold = account_months(lake, month)
        _save(lake, PORTFOLIO, portfolio(gold), "statement_month", month)
        features = gold.select(*KEY, *(pl.col(name).cast(pl.Float64) for name in FEATURE_NAMES))
        _save(lake, FEATURES, features, "statement_month", month)
        labels(lake, month)


def take_over(lake: Path, file: Path, month: str) -> pl.DataFrame:
    """Bronze: the rows as text."""
    raw = pl.read_csv(file, infer_schema=False).with_row_index("_source_line", offset=2)
    bronze = raw.with_columns(
        pl.col("_source_line").cast(pl.Int64),
        pl.lit(month).alias("delivery_month"),
        pl.lit(file.name).alias("_source_file"),
        pl.lit(datetime.now(UTC)).alias("_ingested_at"),
    )
    _save(lake, BRONZE, bronze, "delivery_month", month)
    return raw.select(COLUMNS)


def refine(lake: Path, raw: pl.DataFrame, month: str) -> None:
    """Silver: typed, each row once, none that breaks a rule or has the key of another."""
    casts = (pl.col(name).cast(KINDS[TYPES[name]], strict=False) for name in COLUMNS)
    typed = raw.lazy().unique().with_columns(*casts)
    good = pl.sql_expr(f"{VALID} AND statement_month = '{month}'").fill_null(value=False)
    judged = typed.with_columns((good & (pl.len().over(KEY) == 1)).alias("_is_good")).collect()
    accepted = judged.filter("_is_good").drop("_is_good")
    _save(lake, SILVER, accepted, "statement_month", month)
    rejected = judged.filter(~pl.col("_is_good")).drop("_is_good")
    rejected = rejected.with_columns(pl.lit(month).alias("delivery_month"))
    _save(lake, REJECTED, rejected, "delivery_month", month)


def account_months(lake: Path, month: str) -> pl.DataFrame:
    """Gold: the month with the two before it."""
    rows = _read(lake, SILVER, "statement_month", (month,)).with_columns(_LATE, _ONE)
    for ago in (1, 2):
        before = months_until(month, ago + 1)
        names = {name: f"{name}_{ago}" for name in PAST}
        there = before[:1] if len(before) > ago else ()
        past = _read(lake, SILVER, "statement_month", there).with_columns(_LATE, _ONE)
        rows = rows.join(past.select("account_id", *PAST).rename(names), "account_id", "left")
    sums = (
        sum((pl.col(f"{name}_{ago}").fill_null(0) for ago in (1, 2)), pl.col(name)).alias(
            f"{name}_3m"
        )
        for name in PAST
    )
    gold = rows.with_columns(*sums).select(*_GOLD).collect()
    _save(lake, GOLD, gold, "statement_month", month)
    return gold


def portfolio(gold: pl.DataFrame) -> pl.DataFrame:
    """Sums by segment."""
    limit, status = pl.col("credit_limit_ntd"), pl.col("pay_status")
    limit_band = (
        pl.when(limit < 50_000)
        .then(pl.lit("below_50k"))
        .when(limit < 200_000)
        .then(pl.lit("50k_to_200k"))
        .otherwise(pl.lit("from_200k"))
    )
    names = {-2: "no_consumption", -1: "paid_in_full", 0: "revolving", 1: "late_1"}
    status_band = status.replace_strict(names, default="late_2_or_more", return_dtype=pl.String)
    bands = [limit_band.alias("limit_band"), status_band.alias("status_band")]
    amounts = pl.col("credit_limit_ntd", "bill_ntd", "payment_ntd").sum()
    summed = gold.group_by("statement_month", *bands).agg(
        pl.len().cast(pl.Int64).alias("accounts"), amounts
    )
    ratio = pl.col("bill_ntd") / pl.col("credit_limit_ntd")
    return summed.with_columns(ratio.alias("utilisation_ratio"))


def labels(lake: Path, month: str) -> None:
    """What the month says of the accounts of the month before."""
    before = months_until(month, 2)[:-1]
    if not before:
        return
    rows = _read(lake, GOLD, "statement_month", before).select(KEY)
    now = _read(lake, SILVER, "statement_month", (month,))
    outcome = now.select("account_id", (pl.col("pay_status") >= 2).alias("is_default"))
    known = rows.with_columns(pl.lit(month).alias("matured_month"))
    found = known.join(outcome, "account_id", "left").collect()
    _save(lake, LABELS, found, "matured_month", month)


def _read(lake: Path, table: str, column: str, months: tuple[str, ...]) -> pl.LazyFrame:
    return pl.scan_delta(str(lake / table)).filter(pl.col(column).is_in(months))


def _save(lake: Path, table: str, rows: pl.DataFrame, column: str, month: str) -> None:
    path = lake / table
    predicate = f"{column} = '{month}'" if path.exists() else None
    write_deltalake(
        str(path), rows.to_arrow(), partition_by=[column], mode="overwrite", predicate=predicate
    )


def _named(column: str, names: dict[int, str]) -> pl.Expr:
    return pl.col(column).replace_strict(names, default="other", return_dtype=pl.String)


def _ratio(above: pl.Expr, below: str) -> pl.Expr:
    return above.cast(pl.Float64) / pl.col(below).cast(pl.Float64)


_LATE = (pl.col("pay_status") >= 1).cast(pl.Int64).alias("late")
_ONE = pl.lit(1, pl.Int64).alias("statement")
_EDUCATION = {1: "graduate_school", 2: "university", 3: "high_school"}
_ENOUGH = pl.col("statement_3m") >= 2
_STATUSES = ("pay_status", "pay_status_1", "pay_status_2")
_CHANGE = pl.col("bill_ntd") - pl.col("bill_ntd_1")
_GOLD: tuple[str | pl.Expr, ...] = (
    *(*KEY, "credit_limit_ntd"),
    pl.when(pl.col("sex_code") == 1).then(pl.lit("male")).otherwise(pl.lit("female")).alias("sex"),
    _named("education_code", _EDUCATION).alias("education"),
    _named("marital_status_code", {1: "married", 2: "single"}).alias("marital_status"),
    *("age_years", "pay_status", "bill_ntd", "payment_ntd"),
    _ratio(pl.col("bill_ntd"), "credit_limit_ntd").alias("utilisation_ratio"),
    pl.col("statement_3m").cast(pl.Int32).alias("history_months"),
    pl.col("pay_status_1").alias("previous_pay_status"),
    (pl.col("pay_status") - pl.col("pay_status_1")).alias("pay_status_change"),
    pl.when(_ENOUGH).then(pl.max_horizontal(*_STATUSES)).alias("worst_pay_status_3m"),
    pl.when(_ENOUGH).then(pl.col("late_3m")).cast(pl.Int32).alias("late_statements_3m"),
    pl.when(_ENOUGH)
    .then(_ratio(pl.col("bill_ntd_3m"), "credit_limit_ntd_3m"))
    .alias("utilisation_ratio_3m"),
    _ratio(_CHANGE, "credit_limit_ntd").alias("bill_change_ratio"),
    pl.when(pl.col("bill_ntd_1") > 0)
    .then(_ratio(pl.col("payment_ntd"), "bill_ntd_1"))
    .alias("payment_ratio"),
)
