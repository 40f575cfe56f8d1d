"""The tables of credit_default: columns, keys and rules. How they are filled is in transforms.py."""

from finance_assets.lakehouse.contract import Column, Contract, RowRule, Severity, TableRule
from finance_assets.lakehouse.deliveries import DeliverySpec

DELIVERY = DeliverySpec(
    source="the card processor",
    file_pattern="credit_statements_{partition}.csv.gz",
    header=(
        "account_id",
        "statement_month",
        "credit_limit_ntd",
        "sex_code",
        "education_code",
        "marital_status_code",
        "age_years",
        "pay_status",
        "bill_ntd",
        "payment_ntd",
    ),
)

BRONZE_STATEMENTS = Contract(
    table="bronze.credit_statements",
    description="Every delivered statement row as it came, as text, with where it came from.",
    columns=(
        *(
            Column(
                name,
                "string",
                f"`{name}` as delivered",
                is_nullable=True,
                is_pii=name in ("account_id", "sex_code", "age_years", "marital_status_code"),
            )
            for name in DELIVERY.header
        ),
        Column("delivery_month", "string", "Month that the delivery is for (YYYY-MM)"),
        Column(
            "_malformed_line",
            "string",
            "The whole line, when its number of fields is wrong",
            is_nullable=True,
            is_pii=True,
        ),
        Column("_source_file", "string", "Name of the delivered file"),
        Column("_source_line", "bigint", "Line in that file; the header is line 1"),
        Column("_ingested_at", "timestamp", "When the row was taken over (UTC)", is_volatile=True),
    ),
    key=("_source_file", "_source_line"),
    partition_column="delivery_month",
    min_rows=1,
)


def _from(table: str, *columns: str) -> tuple[str, ...]:
    return tuple(f"{table}.{column}" for column in columns)


def _statement(name: str, type_: str, description: str, **more: object) -> Column:
    """A silver column that is the typed bronze column of the same name."""
    return Column(name, type_, description, derived_from=_from(BRONZE_STATEMENTS.table, name), **more)  # type: ignore[arg-type]


SILVER_STATEMENTS = Contract(
    table="silver.credit_statements",
    description="One typed, deduplicated statement per account and month that keeps every rule.",
    columns=(
        _statement("account_id", "bigint", "Account number at the card processor", is_pii=True),
        _statement("statement_month", "string", "Month of the statement (YYYY-MM)"),
        _statement(
            "credit_limit_ntd", "bigint", "Credit limit, family cards included", unit="NT$"
        ),
        _statement("sex_code", "int", "1 male, 2 female", is_pii=True),
        _statement(
            "education_code",
            "int",
            "1 graduate school, 2 university, 3 high school, 4 other; 0, 5, 6 undocumented",
        ),
        _statement(
            "marital_status_code",
            "int",
            "1 married, 2 single, 3 other; 0 undocumented",
            is_pii=True,
        ),
        _statement("age_years", "int", "Age of the holder", unit="years", is_pii=True),
        _statement(
            "pay_status",
            "int",
            "-2 no consumption, -1 paid in full, 0 revolving credit, n months late",
        ),
        _statement("bill_ntd", "bigint", "Statement balance; negative is a credit", unit="NT$"),
        _statement("payment_ntd", "bigint", "Paid in this month", unit="NT$"),
    ),
    key=("account_id", "statement_month"),
    partition_column="statement_month",
    row_rules=(
        RowRule("account_id_positive", "account_id > 0", "Account numbers start at 1."),
        RowRule("credit_limit_positive", "credit_limit_ntd > 0", "An open account has a limit."),
        RowRule("sex_code_known", "sex_code IN (1, 2)", "The processor documents 1 and 2."),
        RowRule(
            "education_code_range",
            "education_code >= 0 AND education_code <= 6",
            "The processor sends 0 to 6 (of which 0, 5 and 6 are undocumented).",
        ),
        RowRule(
            "marital_status_code_range",
            "marital_status_code >= 0 AND marital_status_code <= 3",
            "The processor sends 0 to 3 (of which 0 is undocumented).",
        ),
        RowRule("age_plausible", "age_years >= 18 AND age_years <= 120", "Holders are adults."),
        RowRule(
            "pay_status_range",
            "pay_status >= -2 AND pay_status <= 9",
            "The status scale runs from -2 to 9 months late.",
        ),
        RowRule("payment_not_negative", "payment_ntd >= 0", "A payment cannot be negative."),
    ),
    table_rules=(
        TableRule(
            "undocumented_codes_rare",
            "avg(CASE WHEN education_code IN (0, 5, 6) OR marital_status_code = 0"
            " THEN 1.0D ELSE 0.0D END) <= 0.02",
            "Codes the processor does not document stay below 2 % of the rows.",
            Severity.warn,
        ),
        TableRule(
            "pay_status_1_rare",
            "avg(CASE WHEN pay_status = 1 THEN 1.0D ELSE 0.0D END) <= 0.01",
            "Status 1 was all but unused; more than 1 % means the processor changed its encoding.",
            Severity.warn,
        ),
    ),
    min_rows=1,
    max_quarantine_share=0.1,
    has_quarantine=True,
)

_SILVER = SILVER_STATEMENTS.table


def _kept(name: str) -> Column:
    """A gold column that is the silver column of the same name, unchanged."""
    column = next(c for c in SILVER_STATEMENTS.columns if c.name == name)
    return Column(
        name,
        column.type,
        column.description,
        unit=column.unit,
        is_pii=column.is_pii,
        derived_from=_from(_SILVER, name),
    )


def _trend(name: str, type_: str, description: str, *sources: str) -> Column:
    """A gold column over the past months; null while the account has too little history."""
    return Column(
        name, type_, description, is_nullable=True, derived_from=_from(_SILVER, *sources)
    )


GOLD_ACCOUNT_MONTHS = Contract(
    table="gold.credit_account_months",
    description="Model-ready: one row per account and month, with trends over the past months.",
    columns=(
        _kept("account_id"),
        _kept("statement_month"),
        _kept("credit_limit_ntd"),
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
        _kept("age_years"),
        _kept("pay_status"),
        _kept("bill_ntd"),
        _kept("payment_ntd"),
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
        _kept("statement_month"),
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
        _kept("account_id"),
        _kept("statement_month"),
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

_FEATURES = (
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


def _feature(name: str) -> Column:
    """A feature is the gold column of the same name, as a double."""
    column = next(c for c in GOLD_ACCOUNT_MONTHS.columns if c.name == name)
    return Column(
        name,
        "double",
        column.description,
        is_nullable=column.is_nullable,
        unit=column.unit,
        derived_from=_from(GOLD_ACCOUNT_MONTHS.table, name),
    )


FEATURES = Contract(
    table="features.credit_default",
    description="What a model may see of an account at the end of a month: nothing later, and "
    "no sex, age, marital status or education.",
    columns=(
        _kept("account_id"),
        _kept("statement_month"),
        *(_feature(name) for name in _FEATURES),
    ),
    key=("account_id", "statement_month"),
    partition_column="statement_month",
    min_rows=1,
)

FEATURE_NAMES = _FEATURES
