"""What `status` says of the tables is what is in force now."""

from dataclasses import replace

from finance_assets.commands.status import Status
from finance_assets.compute.runner import open_context
from finance_assets.steps.table import refine_step
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    NAME,
    SILVER,
    USE_CASE,
    contract,
    deliver,
    statements,
)


def warnings(runner):
    ctx = open_context(runner.settings, lambda: runner.spark, run_id="test", report=print)
    return Status().run(ctx, USE_CASE).tables[SILVER].failed_checks


def test_status_shows_the_warnings_of_todays_bounds_though_the_rows_stayed(runner, settings):
    deliver(settings.landing, APRIL, *statements(APRIL, 20, pay_status="1"))
    runner.run(BRONZE, APRIL)
    declared = contract(SILVER)
    loose = refine_step(NAME, contract(BRONZE), replace(declared, table_rules=()))
    for step, shown in ((loose, []), (None, ["rule_pay_status_1_rare[2005-04]"]), (loose, [])):
        runner.run(SILVER, APRIL, step=step)
        assert warnings(runner) == shown
    assert len(runner.lakehouse.history(SILVER).publications) == 1
