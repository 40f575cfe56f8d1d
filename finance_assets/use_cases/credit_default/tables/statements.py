"""Statements: what the card processor sends, as it came and typed."""

from finance_assets.lakehouse.contract import RowRule, Severity, TableRule
from finance_assets.lakehouse.sources.source import Source
from finance_assets.steps.entity import Bronze, Delivered, Entity

STATEMENTS = Entity(
    "silver.credit_statements",
    "One typed, deduplicated statement per account and month that keeps every rule.",
    # The public data ends there. A team with live deliveries leaves `last` out.
    source=Source("the card processor", "credit_statements_{partition}.csv.gz", last="2005-09"),
    columns=(
        Delivered("account_id", "bigint", "Account number at the card processor", is_pii=True),
        Delivered("statement_month", "string", "Month of the statement (YYYY-MM)"),
        Delivered("credit_limit_ntd", "bigint", "Credit limit, family cards included", unit="NT$"),
        Delivered("sex_code", "int", "1 male, 2 female", is_pii=True),
        Delivered(
            "education_code",
            "int",
            "1 graduate school, 2 university, 3 high school, 4 other; 0, 5, 6 undocumented",
        ),
        Delivered(
            "marital_status_code",
            "int",
            "1 married, 2 single, 3 other; 0 undocumented",
            is_pii=True,
        ),
        Delivered("age_years", "int", "Age of the holder", unit="years", is_pii=True),
        Delivered(
            "pay_status",
            "int",
            "-2 no consumption, -1 paid in full, 0 revolving credit, n months late",
        ),
        Delivered("bill_ntd", "bigint", "Statement balance; negative is a credit", unit="NT$"),
        Delivered("payment_ntd", "bigint", "Paid in this month", unit="NT$"),
    ),
    key=("account_id", "statement_month"),
    partition_column="statement_month",
    rules=(
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
    max_quarantine_share=0.1,
    bronze=Bronze(
        "bronze.credit_statement_deliveries",
        "Every delivered statement row as it came, as text, with where it came from.",
        "delivery_month",
        "Month that the delivery is for (YYYY-MM)",
    ),
)
