"""What the card processor sends, and its typed form: delivery, bronze and silver.

Derived tables are in derived.py; how they are filled is in transforms.py.
"""

from typing import Any

from finance_assets.lakehouse.contract import Column, Contract, RowRule, Severity, TableRule
from finance_assets.lakehouse.sources.bronze import bronze_contract
from finance_assets.lakehouse.sources.source import Source, columns_named

DELIVERY = Source(
    system="the card processor",
    file_pattern="credit_statements_{partition}.csv.gz",
    columns=columns_named(
        (
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
        pii=("account_id", "sex_code", "age_years", "marital_status_code"),
    ),
)

BRONZE_STATEMENTS = bronze_contract(
    DELIVERY,
    table="bronze.credit_statements",
    description="Every delivered statement row as it came, as text, with where it came from.",
    partition_column="delivery_month",
    partition_description="Month that the delivery is for (YYYY-MM)",
)


def _from(table: str, *columns: str) -> tuple[str, ...]:
    return tuple(f"{table}.{column}" for column in columns)


def _statement(name: str, type_: str, description: str, **more: Any) -> Column:
    """A silver column that is the typed bronze column of the same name."""
    return Column(
        name, type_, description, derived_from=_from(BRONZE_STATEMENTS.table, name), **more
    )


SILVER_STATEMENTS = Contract(
    table="silver.credit_statements",
    description="One typed, deduplicated statement per account and month that keeps every rule.",
    columns=(
        _statement("account_id", "bigint", "Account number at the card processor", is_pii=True),
        _statement("statement_month", "string", "Month of the statement (YYYY-MM)"),
        _statement("credit_limit_ntd", "bigint", "Credit limit, family cards included", unit="NT$"),
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
