"""Features: what a model may see of an account at the end of a month."""

from finance_assets.steps.derived import Table, passed
from finance_assets.use_cases.credit_default.tables.account_months import ACCOUNT_MONTHS

FEATURE_NAMES = (
    "credit_limit_ntd",
    "pay_status",
    "bill_ntd",
    "payment_ntd",
    "utilisation_ratio",
    "previous_pay_status",
    "pay_status_change",
    "worst_pay_status_3m",
    "late_statements_3m",
    "utilisation_ratio_3m",
    "bill_change_ratio",
    "payment_ratio",
)

FEATURES = Table(
    "features.credit_default_features",
    "What a model may see of an account at the end of a month: nothing later, and "
    "no sex, age, marital status or education.",
    inputs=(ACCOUNT_MONTHS,),
    columns=(*("account_id", "statement_month"), *passed(FEATURE_NAMES, "double")),
    min_rows=1,
)
