"""The tables derived from silver: gold, labels and features of credit_default.

Columns, keys and rules only; how the rows are made is in transforms.py.
"""

from finance_assets.lakehouse.contract import Column, Contract, RowRule
from finance_assets.use_cases.credit_default.contracts import SILVER_STATEMENTS

_SILVER = SILVER_STATEMENTS.table


def _from(table: str, *columns: str) -> tuple[str, ...]:
    return tuple(f"{table}.{column}" for column in columns)


def _trend(name: str, type_: str, description: str, *sources: str) -> Column:
    """A gold column over the past months; null while the account has too little history."""
    return Column(name, type_, description, is_nullable=True, derived_from=_from(_SILVER, *sources))


GOLD_ACCOUNT_MONTHS = Contract(
    table="gold.credit_account_months",
    description="Model-ready: one row per account and month, with trends over the past months.",
    columns=(
        SILVER_STATEMENTS.passed_on("account_id"),
        SILVER_STATEMENTS.passed_on("statement_month"),
        SILVER_STATEMENTS.passed_on("credit_limit_ntd"),
        Column(
            "sex", "string", "male, female", is_pii=True, derived_from=_from(_SILVER, "sex_code")
        ),
        Column(
            "education",
            "string",
            "graduate_school, university, high_school, other (undocumented codes included)",
            derived_from=_from(_SILVER, "education_code"),
        ),
        Column(
            "marital_status",
            "string",
            "married, single, other (undocumented code included)",
            is_pii=True,
            derived_from=_from(_SILVER, "marital_status_code"),
        ),
        SILVER_STATEMENTS.passed_on("age_years"),
        SILVER_STATEMENTS.passed_on("pay_status"),
        SILVER_STATEMENTS.passed_on("bill_ntd"),
        SILVER_STATEMENTS.passed_on("payment_ntd"),
        Column(
            "utilisation_ratio",
            "double",
            "Balance / limit",
            derived_from=_from(_SILVER, "bill_ntd", "credit_limit_ntd"),
        ),
        Column(
            "history_months",
            "int",
            "Statements of the account in the last three months, this one included",
            unit="months",
            derived_from=_from(_SILVER, "statement_month"),
        ),
        _trend("previous_pay_status", "int", "pay_status one month ago", "pay_status"),
        _trend("pay_status_change", "int", "pay_status less that of a month ago", "pay_status"),
        _trend("worst_pay_status_3m", "int", "Highest pay_status in three months", "pay_status"),
        _trend("late_statements_3m", "int", "Statements >= 1 month late in three", "pay_status"),
        _trend(
            "utilisation_ratio_3m",
            "double",
            "Sum of balances / sum of limits in three months",
            "bill_ntd",
            "credit_limit_ntd",
        ),
        _trend(
            "bill_change_ratio",
            "double",
            "Balance less that of a month ago, / limit",
            "bill_ntd",
            "credit_limit_ntd",
        ),
        _trend(
            "payment_ratio",
            "double",
            "Paid this month / balance a month ago, where that was positive",
            "payment_ntd",
            "bill_ntd",
        ),
    ),
    key=("account_id", "statement_month"),
    partition_column="statement_month",
    row_rules=(
        RowRule(
            "history_months_range",
            "history_months >= 1 AND history_months <= 3",
            "The look-back is three months.",
        ),
    ),
    min_rows=1,
)

GOLD_PORTFOLIO = Contract(
    table="gold.credit_portfolio",
    description="The portfolio by month and segment, for dashboards.",
    columns=(
        GOLD_ACCOUNT_MONTHS.passed_on("statement_month"),
        Column(
            "limit_band",
            "string",
            "below_50k, 50k_to_200k, from_200k (NT$)",
            derived_from=_from(GOLD_ACCOUNT_MONTHS.table, "credit_limit_ntd"),
        ),
        Column(
            "status_band",
            "string",
            "no_consumption, paid_in_full, revolving, late_1, late_2_or_more",
            derived_from=_from(GOLD_ACCOUNT_MONTHS.table, "pay_status"),
        ),
        Column("accounts", "bigint", "Accounts in the segment"),
        Column(
            "credit_limit_ntd",
            "bigint",
            "Sum of limits",
            unit="NT$",
            derived_from=_from(GOLD_ACCOUNT_MONTHS.table, "credit_limit_ntd"),
        ),
        Column(
            "bill_ntd",
            "bigint",
            "Sum of balances",
            unit="NT$",
            derived_from=_from(GOLD_ACCOUNT_MONTHS.table, "bill_ntd"),
        ),
        Column(
            "payment_ntd",
            "bigint",
            "Sum of payments",
            unit="NT$",
            derived_from=_from(GOLD_ACCOUNT_MONTHS.table, "payment_ntd"),
        ),
        Column(
            "utilisation_ratio",
            "double",
            "Sum of balances / sum of limits",
            derived_from=_from(GOLD_ACCOUNT_MONTHS.table, "bill_ntd", "credit_limit_ntd"),
        ),
    ),
    key=("statement_month", "limit_band", "status_band"),
    partition_column="statement_month",
    row_rules=(RowRule("accounts_positive", "accounts > 0", "An empty segment has no row."),),
    min_rows=1,
)

LABELS = Contract(
    table="labels.credit_default",
    description="Outcome of each account-month: two or more months late one month later. "
    "Partitioned by the month in which the outcome became known.",
    columns=(
        GOLD_ACCOUNT_MONTHS.passed_on("account_id"),
        GOLD_ACCOUNT_MONTHS.passed_on("statement_month"),
        Column(
            "matured_month",
            "string",
            "Month whose statement showed the outcome (YYYY-MM)",
            derived_from=_from(_SILVER, "statement_month"),
        ),
        Column(
            "is_default",
            "boolean",
            "pay_status >= 2 in matured_month; null if the account has no statement then",
            is_nullable=True,
            derived_from=_from(_SILVER, "pay_status"),
        ),
    ),
    key=("account_id", "statement_month"),
    partition_column="matured_month",
)

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


FEATURES = Contract(
    table="features.credit_default",
    description="What a model may see of an account at the end of a month: nothing later, and "
    "no sex, age, marital status or education.",
    columns=(
        GOLD_ACCOUNT_MONTHS.passed_on("account_id"),
        GOLD_ACCOUNT_MONTHS.passed_on("statement_month"),
        *(GOLD_ACCOUNT_MONTHS.passed_on(name, "double") for name in FEATURE_NAMES),
    ),
    key=("account_id", "statement_month"),
    partition_column="statement_month",
    min_rows=1,
)
