"""credit_default does not know the future, and is made of what it says."""

import csv
import io
from dataclasses import replace

import pytest

from finance_assets.steps.derived import Table
from finance_assets.steps.model_steps import model_steps
from finance_assets.use_cases.credit_default.use_case import (
    CALENDAR,
    MODEL,
    TABLE_STEPS,
    TABLES,
    USE_CASE,
)
from finance_assets_tests.leaks import require_no_leak
from finance_assets_tests.lineage_by_change import undeclared_lineage
from finance_assets_tests.ml.evidence import EASY_GATE
from finance_assets_tests.running import UseCaseRunner, fresh_home
from finance_assets_tests.scenario import HEADER, deliver_bytes, shipped

MONTHS = CALENDAR.partitions()
# Segments are made of these: another value is another segment.
SEGMENTS = ("gold.credit_account_months.credit_limit_ntd", "gold.credit_account_months.pay_status")


def test_later_statements_change_nothing_that_came_before(settings, tmp_path, mlflow_store, spark):
    model = replace(MODEL, gate=EASY_GATE)
    steps = (*TABLE_STEPS, *model_steps(model, CALENDAR, TABLE_STEPS))
    use_case = replace(USE_CASE, model=model, steps=steps)

    def make(is_changed):
        home = fresh_home(settings, tmp_path / str(is_changed), mlflow_store)
        for month in MONTHS:
            deliver_bytes(home.landing, month, statements(month, is_changed and month > MONTHS[3]))
        return UseCaseRunner(use_case, home, spark)

    require_no_leak(make, as_of=MONTHS[2], through=MONTHS[3])


def statements(month, is_changed):
    """Shipped statements; with other amounts, and all five months late, if they are changed."""
    rows = shipped(month, 2000)
    if is_changed:
        rows = [[*r[:2], "10000", *r[3:7], "5", str(int(r[8]) + 77777), r[9]] for r in rows]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER.split(","), *rows])
    return text.getvalue().encode()


@pytest.mark.parametrize(
    "table", [t for t in TABLES if isinstance(t, Table)], ids=lambda table: table.table
)
def test_nothing_changes_a_column_but_what_it_says_it_is_made_of(spark, table):
    skipped = SEGMENTS if table.counted_by else ()
    assert undeclared_lineage(spark, table, MONTHS[:4], skipped) == {}
