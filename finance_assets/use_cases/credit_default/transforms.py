"""The transforms of credit_default: pure `DataFrame -> DataFrame`, written in Spark SQL.

Parameters are named as the upstream entities. Sums run over whole NT$ before any division, so
that every engine gives the same doubles. Reading, auditing and storing do not belong here.
"""

from typing import TYPE_CHECKING

from finance_assets.calendar import Frequency
from finance_assets.use_cases.credit_default.derived import FEATURE_NAMES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LATE = 2  # months late that count as default


def account_months(credit_statements: "DataFrame") -> "DataFrame":
    """Decode the codes and add the trends over this and the two previous months."""
    trended = _with_past(credit_statements).selectExpr(
        "*",
        "cast(statement_3m as int) as history_months",
        "pay_status_1 as previous_pay_status",
        "bill_ntd_1 as previous_bill_ntd",
        "greatest(pay_status, pay_status_1, pay_status_2) as worst_3m",
    )
    has_trend = "history_months >= 2"
    return trended.selectExpr(
        "account_id",
        "statement_month",
        "credit_limit_ntd",
        "CASE sex_code WHEN 1 THEN 'male' ELSE 'female' END as sex",
        "CASE education_code WHEN 1 THEN 'graduate_school' WHEN 2 THEN 'university'"
        " WHEN 3 THEN 'high_school' ELSE 'other' END as education",
        "CASE marital_status_code WHEN 1 THEN 'married' WHEN 2 THEN 'single'"
        " ELSE 'other' END as marital_status",
        "age_years",
        "pay_status",
        "bill_ntd",
        "payment_ntd",
        "cast(bill_ntd as double) / cast(credit_limit_ntd as double) as utilisation_ratio",
        "history_months",
        "previous_pay_status",
        "pay_status - previous_pay_status as pay_status_change",
        f"CASE WHEN {has_trend} THEN worst_3m END as worst_pay_status_3m",
        f"CASE WHEN {has_trend} THEN cast(late_3m as int) END as late_statements_3m",
        f"CASE WHEN {has_trend} THEN cast(bill_ntd_3m as double)"
        " / cast(credit_limit_ntd_3m as double) END"
        " as utilisation_ratio_3m",
        "cast(bill_ntd - previous_bill_ntd as double) / cast(credit_limit_ntd as double)"
        " as bill_change_ratio",
        "CASE WHEN previous_bill_ntd > 0 THEN cast(payment_ntd as double)"
        " / cast(previous_bill_ntd as double) END as payment_ratio",
    )


def _with_past(credit_statements: "DataFrame") -> "DataFrame":
    """Add the values one and two months ago (`<name>_1`, `<name>_2`) and the sums (`<name>_3m`).

    A statement is joined to its account's statements of these months by number, so that a month
    without one stays a gap: null, and nothing in the sum. Windows with RANGE frames say the
    same, but took Sail 0.7.2 10 to 38 s for 840,000 rows instead of less than 1 s.
    """
    numbered = credit_statements.selectExpr(
        "*",
        f"{Frequency.monthly.sql_number('statement_month')} as month_number",
        "1 as statement",
        "CASE WHEN pay_status >= 1 THEN 1 ELSE 0 END as late",
    )
    names = ("statement", "late", "pay_status", "bill_ntd", "credit_limit_ntd")
    joined = numbered
    for months in (1, 2):
        earlier = numbered.selectExpr(
            "account_id",
            f"month_number + {months} as month_number",
            *[f"{name} as {name}_{months}" for name in names],
        )
        joined = joined.join(earlier, ["account_id", "month_number"], "left")
    sums = [f"{n} + coalesce({n}_1, 0) + coalesce({n}_2, 0) as {n}_3m" for n in names]
    return joined.selectExpr("*", *sums)


def portfolio(credit_account_months: "DataFrame") -> "DataFrame":
    """Sum the accounts of each month by limit band and status band."""
    banded = credit_account_months.selectExpr(
        "statement_month",
        "CASE WHEN credit_limit_ntd < 50000 THEN 'below_50k'"
        " WHEN credit_limit_ntd < 200000 THEN '50k_to_200k' ELSE 'from_200k' END as limit_band",
        "CASE WHEN pay_status = -2 THEN 'no_consumption' WHEN pay_status = -1 THEN 'paid_in_full'"
        " WHEN pay_status = 0 THEN 'revolving' WHEN pay_status = 1 THEN 'late_1'"
        " ELSE 'late_2_or_more' END as status_band",
        "1L as accounts",
        "credit_limit_ntd",
        "bill_ntd",
        "payment_ntd",
    )
    sums = banded.groupBy("statement_month", "limit_band", "status_band").sum(
        "accounts", "credit_limit_ntd", "bill_ntd", "payment_ntd"
    )
    return sums.toDF(
        *("statement_month", "limit_band", "status_band"),
        *("accounts", "credit_limit_ntd", "bill_ntd", "payment_ntd"),
    ).selectExpr(
        "*", "cast(bill_ntd as double) / cast(credit_limit_ntd as double) as utilisation_ratio"
    )


def labels(credit_account_months: "DataFrame", credit_statements: "DataFrame") -> "DataFrame":
    """Look up, for every account-month, whether the next month's statement shows a default."""
    months = credit_account_months.selectExpr(
        "account_id",
        "statement_month",
        f"{Frequency.monthly.sql_shift('statement_month', 1)} as matured_month",
    )
    outcomes = credit_statements.selectExpr(
        "account_id", "statement_month as matured_month", f"pay_status >= {LATE} as is_default"
    )
    return months.join(outcomes, ["account_id", "matured_month"], "left").selectExpr(
        "account_id", "statement_month", "matured_month", "is_default"
    )


def features(credit_account_months: "DataFrame") -> "DataFrame":
    """Take the model's inputs from the account-months, each as a double."""
    return credit_account_months.selectExpr(
        "account_id",
        "statement_month",
        *[f"cast({name} as double) as {name}" for name in FEATURE_NAMES],
    )
