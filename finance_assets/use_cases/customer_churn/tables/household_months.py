"""Household-months: one row per household and month in which it can still leave.

These are the households that bought something in the month or the two before it: who has bought
nothing for three months has left, and nothing is left to foresee.

A month's sums are looked at from the month itself and the two that follow it, and added up there;
windows with RANGE frames say the same and are slow on Sail. Money is added as decimals, so that
every engine gives the same doubles.
"""

from finance_assets.calendar import Frequency, sql_days
from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.steps.derived import Table
from finance_assets.use_cases.customer_churn.tables.baskets import BASKETS, PURCHASE_DAY
from finance_assets.use_cases.customer_churn.tables.households import HOUSEHOLDS

_SUMS = (
    *("began", "baskets", "visits", "first_visit", "last_visit"),
    *("spend_usd", "discount_usd", "weekend_baskets"),
)


def _seen_after(months: int) -> str:
    """A household's month as it is seen some months later."""
    later = Frequency.monthly.sql_shift("month", months)
    return f"SELECT household_id, {later} AS month, {months} AS ago, {', '.join(_SUMS)} FROM sums"


def _of(ago: int, name: str) -> str:
    """The sum of one month, 0 where the household bought nothing."""
    return f"sum(CASE WHEN ago = {ago} THEN {name} ELSE 0 END)"


_SELECT = f"""
WITH days AS (
  SELECT household_id, month, {PURCHASE_DAY} AS day,
    count(*) AS baskets,
    sum(sales_usd) AS spend_usd,
    sum(retail_discount_usd + coupon_discount_usd + coupon_match_usd) AS discount_usd
  FROM baskets
  GROUP BY household_id, month, {PURCHASE_DAY}
),
sums AS (
  SELECT household_id, month,
    {Frequency.monthly.sql_first_day("month")} AS began,
    sum(baskets) AS baskets,
    count(*) AS visits,
    min(day) AS first_visit,
    max(day) AS last_visit,
    sum(spend_usd) AS spend_usd,
    sum(discount_usd) AS discount_usd,
    sum(CASE WHEN dayofweek(day) IN (1, 7) THEN baskets ELSE 0 END) AS weekend_baskets
  FROM days
  GROUP BY household_id, month
),
seen AS ({" UNION ALL ".join(_seen_after(months) for months in range(3))}),
known AS (
  SELECT month,
    {" + ".join(f"max(CASE WHEN ago = {ago} THEN 1 ELSE 0 END)" for ago in range(3))}
      AS history_months,
    max(CASE WHEN ago = 1 THEN 1 END) AS one_ago,
    min(began) AS began
  FROM seen
  GROUP BY month
),
added AS (
  SELECT household_id, month,
    {_of(0, "baskets")} AS baskets_1m,
    {_of(1, "baskets")} AS baskets_before,
    sum(baskets) AS baskets_3m,
    sum(visits) AS visits_3m,
    min(first_visit) AS first_visit,
    max(last_visit) AS last_visit,
    {_of(0, "spend_usd")} AS spend_1m,
    {_of(1, "spend_usd")} AS spend_before,
    sum(spend_usd) AS spend_3m,
    sum(discount_usd) AS discount_3m,
    sum(weekend_baskets) AS weekend_3m
  FROM seen
  GROUP BY household_id, month
),
paced AS (
  SELECT *,
    {Frequency.monthly.sql_last_day("month")} AS ended,
    CASE WHEN visits_3m >= 2 THEN
      cast({sql_days("first_visit", "last_visit")} AS double) / cast(visits_3m - 1 AS double)
    END AS days_between_visits
  FROM added
  JOIN known USING (month)
)
SELECT
  household_id,
  month,
  cast(history_months AS int) AS history_months,
  cast({sql_days("last_visit", "ended")} AS int) AS days_since_purchase,
  cast(baskets_1m AS int) AS baskets_1m,
  cast({sql_days("began", "ended")} + 1 AS double) / cast(baskets_3m AS double)
    AS days_per_basket,
  days_between_visits,
  cast({sql_days("last_visit", "ended")} AS double) / days_between_visits AS overdue_ratio,
  cast(spend_1m AS double) AS spend_1m_usd,
  cast(spend_3m AS double) / cast(history_months AS double) AS spend_per_month_usd,
  cast(spend_3m AS double) / cast(baskets_3m AS double) AS spend_per_basket_usd,
  cast(discount_3m AS double) / cast(spend_3m + discount_3m AS double) AS discount_share,
  cast(weekend_3m AS double) / cast(baskets_3m AS double) AS weekend_share,
  CASE WHEN one_ago = 1 THEN cast(baskets_1m - baskets_before AS int) END AS baskets_change_1m,
  CASE WHEN one_ago = 1 THEN cast(spend_1m - spend_before AS double) END AS spend_change_1m_usd,
  CASE WHEN history_months = 3 THEN
    cast(3 * baskets_1m AS double) / cast(baskets_3m AS double) END AS baskets_trend_3m,
  CASE WHEN history_months = 3 THEN
    cast(3 * spend_1m AS double) / cast(spend_3m AS double) END AS spend_trend_3m,
  age IS NOT NULL AS is_registered,
  age AS age_band,
  income AS income_band,
  marital_status
FROM paced
LEFT JOIN households USING (household_id, month)
"""


def _trend(name: str, type_: str, description: str, unit: str | None = None) -> Column:
    """A column over past months; null while there are too few of them."""
    return Column(name, type_, description, is_nullable=True, unit=unit)


def _about(name: str, description: str) -> Column:
    """A column of the register; null for the two thirds of the households that it lacks."""
    return Column(name, "string", description, is_nullable=True, is_pii=True)


HOUSEHOLD_MONTHS = Table(
    "gold.household_months",
    "Model-ready: one row per month and household that bought something in its last three months.",
    inputs=(BASKETS.at(-2, 0), HOUSEHOLDS),
    columns=(
        Column("household_id", "bigint", "Number of the household's card", is_pii=True),
        Column("month", "string", "Month at whose end the household is looked at (YYYY-MM)"),
        Column(
            "history_months",
            "int",
            "Months with deliveries among the last three, this one included",
            unit="months",
        ),
        Column("days_since_purchase", "int", "Last purchase to the month's end", unit="days"),
        Column("baskets_1m", "int", "Baskets of this month"),
        Column("days_per_basket", "double", "Days of the months known / baskets", unit="days"),
        _trend("days_between_visits", "double", "Mean time between days with a purchase", "days"),
        _trend("overdue_ratio", "double", "days_since_purchase / days_between_visits"),
        Column("spend_1m_usd", "double", "Spent this month", unit="$"),
        Column("spend_per_month_usd", "double", "Spent in three months / history_months", unit="$"),
        Column("spend_per_basket_usd", "double", "Spent in three months / baskets", unit="$"),
        Column("discount_share", "double", "Discounts / price without them, three months"),
        Column("weekend_share", "double", "Share of baskets bought on a Saturday or Sunday"),
        _trend("baskets_change_1m", "int", "Baskets less those of the month before"),
        _trend("spend_change_1m_usd", "double", "Spent less what was the month before", "$"),
        _trend("baskets_trend_3m", "double", "Baskets / their mean over three months"),
        _trend("spend_trend_3m", "double", "Spent / its mean over three months"),
        Column("is_registered", "boolean", "The register knows the household"),
        _about("age_band", "Years of the household's head, in bands"),
        _about("income_band", "Yearly income in $, in bands"),
        _about("marital_status", "Married, Unmarried"),
    ),
    transform=_SELECT,
    key=("household_id", "month"),
    rules=(
        RowRule(
            "days_since_purchase_range",
            "days_since_purchase >= 0 AND days_since_purchase <= 91",
            "The look-back is three months, the longest of which have 92 days.",
        ),
        RowRule(
            "history_months_range",
            "history_months >= 1 AND history_months <= 3",
            "The look-back is three months.",
        ),
    ),
    min_rows=1,
    counted_by="sum(baskets_1m)",
)
