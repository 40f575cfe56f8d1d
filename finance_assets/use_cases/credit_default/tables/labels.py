"""Labels: whether an account was two or more months late one month later.

Where there is no statement of that month, the bank's own flag counts, if it was delivered.
"""

from finance_assets.calendar import Frequency
from finance_assets.lakehouse.contract import Column
from finance_assets.steps.derived import Table
from finance_assets.use_cases.credit_default.tables.account_months import ACCOUNT_MONTHS
from finance_assets.use_cases.credit_default.tables.official_defaults import OFFICIAL_DEFAULTS
from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS

LATE = 2  # months late that count as default

_SELECT = f"""
WITH months AS (
  SELECT account_id, statement_month,
    {Frequency.monthly.sql_shift("statement_month", 1)} AS matured_month
  FROM credit_account_months
),
outcomes AS (
  SELECT account_id, statement_month AS matured_month, pay_status >= {LATE} AS is_late
  FROM credit_statements
),
official AS (
  SELECT account_id, default_month AS matured_month, is_official_default
  FROM credit_official_defaults
)
SELECT account_id, statement_month, matured_month,
  coalesce(is_late, is_official_default) AS is_default
FROM months
LEFT JOIN outcomes USING (account_id, matured_month)
LEFT JOIN official USING (account_id, matured_month)
"""

LABELS = Table(
    "labels.credit_default_labels",
    "Outcome of each account-month: two or more months late one month later. "
    "Partitioned by the month in which the outcome became known.",
    inputs=(ACCOUNT_MONTHS.at(-1), STATEMENTS, OFFICIAL_DEFAULTS),
    columns=(
        *("account_id", "statement_month"),
        Column("matured_month", "string", "Month whose statement showed the outcome (YYYY-MM)"),
        Column(
            "is_default",
            "boolean",
            "pay_status >= 2 in matured_month; the bank's flag if the account has no statement "
            "then; null without either",
            is_nullable=True,
        ),
    ),
    transform=_SELECT,
    partition_column="matured_month",
)
