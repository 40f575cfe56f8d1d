"""The transforms of credit_default against their definitions, on small dirty data."""

import random

import pytest

from finance_assets.use_cases.credit_default.tables.account_months import ACCOUNT_MONTHS
from finance_assets.use_cases.credit_default.tables.statements import STATEMENTS

ACCOUNT = "PARTITION BY account_id ORDER BY month_number"
LAST_MONTH = f"OVER ({ACCOUNT} RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING)"
THREE_MONTHS = f"OVER ({ACCOUNT} RANGE BETWEEN 2 PRECEDING AND CURRENT ROW)"
# Each trend as a window says it: slow on Sail, but the plainest definition there is.
DEFINITIONS = {
    "history_months": f"cast(count(*) {THREE_MONTHS} as int)",
    "previous_pay_status": f"max(pay_status) {LAST_MONTH}",
    "pay_status_change": f"pay_status - max(pay_status) {LAST_MONTH}",
    "worst_pay_status_3m": f"CASE WHEN count(*) {THREE_MONTHS} >= 2"
    f" THEN max(pay_status) {THREE_MONTHS} END",
    "late_statements_3m": f"CASE WHEN count(*) {THREE_MONTHS} >= 2 THEN cast("
    f"sum(CASE WHEN pay_status >= 1 THEN 1 ELSE 0 END) {THREE_MONTHS} as int) END",
    "utilisation_ratio_3m": f"CASE WHEN count(*) {THREE_MONTHS} >= 2"
    f" THEN cast(sum(bill_ntd) {THREE_MONTHS} as double)"
    f" / cast(sum(credit_limit_ntd) {THREE_MONTHS} as double) END",
    "bill_change_ratio": f"cast(bill_ntd - max(bill_ntd) {LAST_MONTH} as double)"
    " / cast(credit_limit_ntd as double)",
    "payment_ratio": f"CASE WHEN max(bill_ntd) {LAST_MONTH} > 0 THEN cast(payment_ntd as double)"
    f" / cast(max(bill_ntd) {LAST_MONTH} as double) END",
}
MONTHS = ["2004-11", "2004-12", "2005-01", "2005-02", "2005-03"]


def account_months(statements):
    return ACCOUNT_MONTHS.select(credit_statements=statements)


@pytest.fixture(scope="module")
def statements(spark):
    """Forty accounts over a change of year; every statement is missing with a chance of 30 %."""
    chance = random.Random(7)
    rows = [
        (
            account,
            month,
            chance.choice([1, 3, 7]) * 10_000,
            chance.choice([1, 2]),
            chance.randint(0, 6),
            chance.randint(0, 3),
            chance.randint(18, 90),
            chance.randint(-2, 9),
            chance.choice([-700, 0, 1, 12_345, 999_999_999]),
            chance.choice([0, 1, 5_000]),
        )
        for account in range(1, 41)
        for month in MONTHS
        if chance.random() < 0.7
    ]
    ddl = ", ".join(f"{column.name} {column.type}" for column in STATEMENTS.contract.columns)
    return spark.createDataFrame(rows, ddl)


def test_the_trends_are_what_windows_over_the_months_say(statements):
    numbered = statements.selectExpr(
        "*",
        "year(to_date(concat(statement_month, '-01'))) * 12"
        " + month(to_date(concat(statement_month, '-01'))) as month_number",
    )
    names = ["account_id", "statement_month", *DEFINITIONS]
    expected = numbered.selectExpr(
        *names[:2], *[f"{sql} as {name}" for name, sql in DEFINITIONS.items()]
    )
    found = account_months(statements)
    assert [f.dataType for f in found.select(*names).schema] == [
        f.dataType for f in expected.schema
    ]
    assert ordered(found.select(*names)) == ordered(expected)
    gaps = [row for row in ordered(expected) if row[3] is None and row[2] == 2]
    assert gaps, "no account misses the month before; the data proves too little"


def test_a_month_of_the_result_needs_only_that_month_and_two_before(statements):
    whole = ordered(account_months(statements).where("statement_month = '2005-02'"))
    part = statements.where("statement_month >= '2004-12' AND statement_month <= '2005-02'")
    assert whole
    assert ordered(account_months(part).where("statement_month = '2005-02'")) == whole


def test_every_statement_gives_one_account_month_with_the_declared_columns(statements):
    found = account_months(statements)
    assert found.columns == ACCOUNT_MONTHS.contract.column_names
    assert [row[:2] for row in ordered(found)] == [row[:2] for row in ordered(statements)]


def ordered(frame):
    """The rows by account and month; floats as their exact text."""
    rows = (tuple(v.hex() if isinstance(v, float) else v for v in row) for row in frame.collect())
    return sorted(rows, key=lambda row: row[:2])
