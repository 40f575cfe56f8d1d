"""The command and the job that maintain every table of a use case."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import dagster as dg
import pytest
from deltalake import DeltaTable, write_deltalake
from typer.testing import CliRunner

from finance_assets.cli.main import app
from finance_assets.commands.maintain import Maintain
from finance_assets.commands.status import Status
from finance_assets.definitions import build_defs
from finance_assets.model_life.journals import tables_of
from finance_assets.model_life.reproduce import reproduce
from finance_assets.model_life.rollback import roll_back
from finance_assets.model_life.verification import verify
from finance_assets.settings import Environment, get_settings
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.model_life.models import PREDICTIONS, context, judge
from finance_assets_tests.model_life.test_champion_history import unscored
from finance_assets_tests.model_life.test_model_life import EASY
from finance_assets_tests.scenario import (
    APRIL,
    CALENDAR,
    CHAMPION_HISTORY,
    MAY,
    NAME,
    SEPTEMBER,
    SILVER,
    USE_CASE,
    deliver_sample,
)

HISTORY = CHAMPION_HISTORY


def said(ctx):
    """What status says, but for the versions."""
    found = Status().run(ctx, USE_CASE)
    return replace(found, tables={k: replace(t, version=0) for k, t in found.tables.items()})


def test_every_table_that_dagster_shows_is_maintained():
    shown = {".".join(key.path) for key in build_defs().resolve_asset_graph().get_all_asset_keys()}
    maintained = [set(tables_of(use_case)) for use_case in all_use_cases().values()]
    assert shown
    assert shown <= set().union(*maintained)


def versions(runner):
    return {table: runner.lakehouse.table(table).version for table in tables_of(USE_CASE)}


@pytest.fixture
def started(runner, settings):
    """A home in which the tables of two months were built."""
    deliver_sample(settings.landing, 20, [APRIL, MAY])
    runner.run_tables(APRIL, MAY)
    return runner


@pytest.mark.slow
def test_a_whole_use_case_is_as_it_was_after_maintenance(runner, homes):
    """Journals are merged too: their chain, a model's reproduction and the status agree with it."""
    homes.copy(runner, "two_champions_unscored", unscored)
    runner.run(PREDICTIONS, SEPTEMBER)
    ctx = context(runner)
    for reason in ("it is odd", "it was not"):
        roll_back(ctx, judge(EASY), reason=reason)
    before = said(ctx)
    assert verify(ctx, EASY, {}) == []
    done = Maintain().run(ctx, USE_CASE)
    assert done.problems == ()
    assert {one.table for one in done.tables} >= {step.key for step in USE_CASE.steps[:9]}
    merged = {one.table for one in done.tables if one.after.files < one.before.files}
    assert HISTORY in merged
    assert all(one.to_merge for one in done.tables if one.table in merged)
    assert said(ctx) == before
    assert verify(ctx, EASY, {}) == []
    found = reproduce(ctx, EASY, CALENDAR, ctx.registry.version(NAME, "1"))
    assert (found.is_reproduced, found.obstacles) == (True, ())


def test_the_command_says_what_was_done_table_by_table(started):
    before = versions(started)
    dry = CliRunner().invoke(app, ["maintain", "--dry-run", "--json"])
    assert dry.exit_code == 0, dry.output
    assert versions(started) == before
    found = json.loads(dry.stdout)[NAME]
    assert found["is_dry_run"]
    done = CliRunner().invoke(app, ["maintain", "--use-case", NAME])
    assert done.exit_code == 0, done.output
    for one in found["tables"]:
        assert one["table"] in done.output
    assert len(found["tables"]) == sum(version >= 0 for version in before.values())


def test_two_maintenances_at_once_leave_every_row_and_no_error(started):
    """As the weekly job and a person would: each may find the other's commit first, no more."""
    # Each partition in several files, so that there is something to merge.
    for table in (SILVER, USE_CASE.steps[0].key):
        where = str(started.lakehouse.path(table))
        rows = DeltaTable(where).to_pyarrow_table()
        for part in (rows.slice(0, 7), rows.slice(7, 9), rows.slice(16)):
            write_deltalake(where, part, mode="append")
    keys = [step.key for step in USE_CASE.steps[:8]]
    before = {key: sorted(map(str, started.lakehouse.history(key).rows())) for key in keys}
    together = Barrier(2)

    def maintain():
        together.wait()
        return Maintain().run(context(started), USE_CASE)

    with ThreadPoolExecutor(2) as pool:
        done = [one.result() for one in [pool.submit(maintain) for _ in range(2)]]
    after = {key: sorted(map(str, started.lakehouse.history(key).rows())) for key in keys}
    assert after == before
    problems = {said.partition(": ")[2].partition(":")[0] for one in done for said in one.problems}
    assert problems <= {"not compacted"}
    left = Maintain().run(context(started), USE_CASE)
    assert left.problems == ()
    now = Maintain(is_dry_run=True).run(context(started), USE_CASE)
    assert {one.to_merge for one in now.tables} == {0}


def test_a_table_whose_log_is_damaged_is_named(started):
    log = started.lakehouse.path(USE_CASE.steps[1].key) / "_delta_log"
    (log / f"{0:020d}.json").write_bytes(b"")
    done = CliRunner().invoke(app, ["maintain"])
    assert done.exit_code == 1
    assert USE_CASE.steps[1].key in done.output
    assert "Traceback" not in done.output


def test_the_job_maintains_every_table(started):
    job = build_defs().resolve_job_def("maintenance")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance)
        assert done.success
        outputs = {e.step_key: e for e in done.all_events if e.event_type_value == "STEP_OUTPUT"}
    assert len(outputs) == len(all_use_cases())
    [output] = [event for key, event in outputs.items() if USE_CASE.name in key]
    stated = output.step_output_data.metadata
    assert {SILVER, f"{SILVER}_quarantine"} <= set(stated)


def test_the_job_is_scheduled_weekly_and_stopped_by_default_in_development(settings, monkeypatch):
    def schedule():
        get_settings.cache_clear()
        return build_defs().resolve_schedule_def("maintenance_schedule")

    assert schedule().cron_schedule == "0 0 * * 1", "each Monday, as the runbook says"
    assert schedule().execution_timezone == CALENDAR.timezone
    assert schedule().default_status is dg.DefaultScheduleStatus.STOPPED
    monkeypatch.setenv("FINANCE_ASSETS_ENV", Environment.prod.value)
    assert schedule().default_status is dg.DefaultScheduleStatus.RUNNING
