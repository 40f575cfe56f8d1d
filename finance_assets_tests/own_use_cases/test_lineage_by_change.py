"""What tables say they are made of is what changes them: tried on every derived table."""

from dataclasses import replace

import pytest

from finance_assets.lakehouse.contract import Column
from finance_assets.steps.derived import Table
from finance_assets_tests.lineage_by_change import undeclared_lineage
from finance_assets_tests.own_use_cases.two_sources.calendar import CALENDAR as WEEKS
from finance_assets_tests.own_use_cases.two_sources.tables.customer_weeks import CUSTOMER_WEEKS
from finance_assets_tests.own_use_cases.two_sources.use_case import TABLES


@pytest.mark.parametrize(
    "table", [t for t in TABLES if isinstance(t, Table)], ids=lambda table: table.table
)
def test_nothing_changes_a_column_but_what_it_says_it_is_made_of(spark, table):
    assert undeclared_lineage(spark, table, WEEKS.partitions()[:4]) == {}


def test_a_function_that_says_too_little_is_found_out(spark):
    said = [
        replace(c, derived_from=c.derived_from[:1]) if isinstance(c, Column) else c
        for c in CUSTOMER_WEEKS.columns
    ]
    table = replace(CUSTOMER_WEEKS, columns=tuple(said))
    found = undeclared_lineage(spark, table, WEEKS.partitions()[:2])
    assert found == {"net_fee": {"silver.phone_customers.rebate"}}


def test_a_function_that_changes_what_it_says_it_takes_over_is_found_out(spark):
    def changing(phone_customers, phone_usage):
        rows = CUSTOMER_WEEKS.transform(phone_customers, phone_usage)
        return rows.selectExpr(
            *("customer", "delivered_for", "region", "fee + calls as fee"),
            *("calls", "dropped", "net_fee"),
        )

    table = replace(CUSTOMER_WEEKS, transform=changing)
    found = undeclared_lineage(spark, table, WEEKS.partitions()[:2])
    assert found == {"fee": {"silver.phone_usage.calls"}}
