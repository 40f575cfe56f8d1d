"""Labels: whether a household bought nothing in the 28 days after a month's end.

All of these days lie in the next month, as even February has them. So the outcome is known with
the next month's delivery, and every month has the same time to show it.
"""

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import Column
from finance_assets.steps.derived import Table
from finance_assets.use_cases.customer_churn.tables.baskets import BASKETS, PURCHASE_DAY
from finance_assets.use_cases.customer_churn.tables.household_months import HOUSEHOLD_MONTHS

DAYS = 28  # without a purchase count as churn

_SELECT = f"""
WITH waiting AS (
  SELECT household_id, month, {Frequency.monthly.sql_shift("month", 1)} AS known_in
  FROM household_months
),
returned AS (
  SELECT household_id, month AS known_in, min(dayofmonth({PURCHASE_DAY})) AS first_day
  FROM baskets
  GROUP BY household_id, month
)
SELECT household_id, month, known_in, coalesce(first_day > {DAYS}, true) AS is_churned
FROM waiting
LEFT JOIN returned USING (household_id, known_in)
"""

LABELS = Table(
    "labels.customer_churn_labels",
    "Outcome of each household-month: no purchase in the 28 days after it. Partitioned by the "
    "month in which the outcome became known.",
    inputs=(HOUSEHOLD_MONTHS.at(-1), BASKETS),
    columns=(
        *("household_id", "month"),
        Column("known_in", "string", "Month whose baskets showed the outcome (YYYY-MM)"),
        Column("is_churned", "boolean", "No purchase on the first 28 days of known_in"),
    ),
    transform=_SELECT,
    key=("household_id", "month"),
    partition_column="known_in",
)
