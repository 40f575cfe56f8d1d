"""A home that another version of this package made: what is met says what, where and the remedy."""

from dataclasses import replace

import pytest

from finance_assets.compute.runner import open_context
from finance_assets.errors import ContractError
from finance_assets.lakehouse.record import as_rows
from finance_assets.model_life.contracts import TriageRecord, prediction_contract, triage_contract
from finance_assets.model_life.verdicts import stored_summaries
from finance_assets.monitoring.triage import Action, Triage, Verdict
from finance_assets.step.records import publish_records
from finance_assets_tests.scenario import CALENDAR, JULY, MAY, MODEL, PREDICTIONS


def without(contract, column):
    """The contract as it was before a column was added."""
    columns = tuple(one for one in contract.columns if one.name != column)
    return replace(contract, columns=columns, row_rules=(), table_rules=())


def test_a_table_without_a_column_that_was_added_since_is_refused_before_anything_is_scored(
    runner, homes
):
    homes.tables(runner, 20, MAY)
    older = without(prediction_contract(MODEL), "data_version")
    runner.lakehouse.ensure(older)
    before = runner.lakehouse.history(PREDICTIONS).version
    with pytest.raises(ContractError) as raised:
        runner.run(PREDICTIONS, MAY)
    assert "the stored table is not the contract's: data_version is missing" in raised.value.what
    assert raised.value.where.startswith(f"{PREDICTIONS} at ")
    assert "move the old table away and backfill" in raised.value.remedy
    assert runner.lakehouse.history(PREDICTIONS).version == before


def test_records_without_a_field_that_was_added_since_name_it_and_their_table(settings, spark):
    contract = triage_contract(MODEL)
    window = CALENDAR.window(JULY)
    ctx = open_context(settings, lambda: spark, run_id="t", report=lambda _: None, window=window)
    record = TriageRecord.of(Triage(JULY, Verdict.none, Action.wait))
    rows = as_rows([record], partition=contract.partition_column)
    assert publish_records(ctx, without(contract, "better_sha256"), rows).publication is not None
    with pytest.raises(ContractError) as raised:
        stored_summaries(ctx.lakehouse, MODEL)
    assert raised.value.what.startswith("the stored rows lack better_sha256: another version")
    assert raised.value.where == contract.table
    assert "move the home away and run again" in raised.value.remedy
