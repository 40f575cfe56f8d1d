"""What `status` says of the tables is what is in force now."""

from dataclasses import replace

from finance_assets.commands.status import Status
from finance_assets.compute.runner import open_context
from finance_assets.lakehouse.contract import quarantine_contract
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.publish import Origin, publish
from finance_assets.steps.table import refine_step
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    CALENDAR,
    NAME,
    SILVER,
    USE_CASE,
    contract,
    deliver,
    statements,
)


def shown_of_silver(runner):
    ctx = open_context(runner.settings, lambda: runner.spark, run_id="test", report=print)
    return Status().run(ctx, USE_CASE).tables[SILVER]


def warnings(runner):
    return shown_of_silver(runner).failed_checks


def test_status_shows_that_other_rejected_rows_lie_beside_a_table(runner, settings):
    deliver(settings.landing, APRIL, *statements(APRIL, 20), *statements(APRIL, 1, age_years="x"))
    runner.run(BRONZE, APRIL)
    beside = quarantine_contract(contract(BRONZE), contract(SILVER))
    window = CALENDAR.window(APRIL)
    loose = replace(contract(SILVER), max_quarantine_share=1.0)
    assert runner.run(SILVER, APRIL, step=refine_step(NAME, contract(BRONZE), loose)).publication
    assert shown_of_silver(runner).is_conserved
    # As a run of the same partition at the same time could leave it.
    nothing = runner.lakehouse.no_rows(beside)
    proposal = Proposal(beside, window, nothing, {APRIL: Ledger(0, 0)})
    assert publish(runner.lakehouse, proposal, Origin("another", "abc")).changed == (APRIL,)
    assert not shown_of_silver(runner).is_conserved


def test_status_shows_the_warnings_of_todays_bounds_though_the_rows_stayed(runner, settings):
    deliver(settings.landing, APRIL, *statements(APRIL, 20, pay_status="1"))
    runner.run(BRONZE, APRIL)
    declared = contract(SILVER)
    loose = refine_step(NAME, contract(BRONZE), replace(declared, table_rules=()))
    for step, shown in ((loose, []), (None, ["rule_pay_status_1_rare[2005-04]"]), (loose, [])):
        runner.run(SILVER, APRIL, step=step)
        assert warnings(runner) == shown
    assert len(runner.lakehouse.history(SILVER).publications) == 1
