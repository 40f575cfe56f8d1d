"""The portfolio: sums by month and segment, for dashboards."""

from finance_assets.lakehouse.contract import Column, RowRule
from finance_assets.steps.derived import Table
from finance_assets.use_cases.credit_default.tables.account_months import ACCOUNT_MONTHS

_SELECT = """
WITH banded AS (
  SELECT *,
    CASE WHEN credit_limit_ntd < 50000 THEN 'below_50k'
      WHEN credit_limit_ntd < 200000 THEN '50k_to_200k' ELSE 'from_200k' END AS limit_band,
    CASE WHEN pay_status = -2 THEN 'no_consumption' WHEN pay_status = -1 THEN 'paid_in_full'
      WHEN pay_status = 0 THEN 'revolving' WHEN pay_status = 1 THEN 'late_1'
      ELSE 'late_2_or_more' END AS status_band
  FROM credit_account_months
),
summed AS (
  SELECT statement_month, limit_band, status_band, count(*) AS accounts,
    sum(credit_limit_ntd) AS credit_limit_ntd, sum(bill_ntd) AS bill_ntd,
    sum(payment_ntd) AS payment_ntd
  FROM banded
  GROUP BY statement_month, limit_band, status_band
)
SELECT *,
  cast(bill_ntd AS double) / cast(credit_limit_ntd AS double) AS utilisation_ratio
FROM summed
"""

PORTFOLIO = Table(
    "gold.credit_portfolio",
    "The portfolio by month and segment, for dashboards.",
    inputs=(ACCOUNT_MONTHS,),
    columns=(
        "statement_month",
        Column("limit_band", "string", "below_50k, 50k_to_200k, from_200k (NT$)"),
        Column(
            "status_band",
            "string",
            "no_consumption, paid_in_full, revolving, late_1, late_2_or_more",
        ),
        Column("accounts", "bigint", "Accounts in the segment"),
        Column("credit_limit_ntd", "bigint", "Sum of limits", unit="NT$"),
        Column("bill_ntd", "bigint", "Sum of balances", unit="NT$"),
        Column("payment_ntd", "bigint", "Sum of payments", unit="NT$"),
        Column("utilisation_ratio", "double", "Sum of balances / sum of limits"),
    ),
    transform=_SELECT,
    key=("statement_month", "limit_band", "status_band"),
    rules=(RowRule("accounts_positive", "accounts > 0", "An empty segment has no row."),),
    min_rows=1,
    counted_by="sum(accounts)",
)
