"""The local event log: what Dagster's own storage reads, in fewer transactions."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from finance_assets.assets.event_log import OPEN_FILES, PooledSqliteEventLogStorage
from finance_assets_tests.hurry import synced

DAYS = dg.StaticPartitionsDefinition([f"d{i:03}" for i in range(200)])


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def table() -> None:
    """A table of many partitions."""


@dg.asset_check(asset=table)
def audited() -> dg.AssetCheckResult:
    """A check of it."""
    return dg.AssetCheckResult(passed=True, metadata={"rows": 3})


def materialized(instance, first="d000", last="d000"):
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    return dg.materialize([table, audited], instance=instance, tags=tags)


@pytest.fixture(scope="module", autouse=True)
def as_users_have_it():
    """Here the files themselves are looked at."""
    with synced():
        yield


@pytest.fixture
def instance(settings):
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_a_home_has_the_pooled_log_and_dagsters_own_storage_reads_it(instance, settings):
    assert isinstance(instance.event_log_storage, PooledSqliteEventLogStorage)
    run = materialized(instance, "d000", "d199")
    assert run.success
    files = settings.dagster_home / "history" / "runs"
    plain = SqliteEventLogStorage(str(files))
    plain.register_instance(instance)
    assert len(plain.get_materialized_partitions(table.key)) == 200
    kept = [e.message for e in plain.get_logs_for_run(run.run_id)]
    assert kept == [e.message for e in instance.all_logs(run.run_id)]
    [check] = instance.event_log_storage.get_asset_check_execution_history(
        audited.check_key, limit=5
    )
    assert check.status.value == "SUCCEEDED"


def made_of(file):
    """Tables, indexes, revision and mode of a database."""
    with closing(sqlite3.connect(file)) as store:
        made = set(store.execute("select type, name, sql from sqlite_master"))
        [revision] = store.execute("select version_num from alembic_version")
        [mode] = store.execute("pragma journal_mode")
    return made, revision, mode


def test_the_files_of_runs_are_made_as_dagster_makes_them(instance, settings, tmp_path):
    runs = [materialized(instance).run_id for _ in range(2)]
    plain = SqliteEventLogStorage(str(tmp_path))
    plain.get_logs_for_run(runs[0])
    expected = made_of(plain.path_for_shard(runs[0]))
    for run in runs:
        assert made_of(instance.event_log_storage.path_for_shard(run)) == expected
    folder = settings.dagster_home / "history" / "runs"
    assert not [file.name for file in folder.iterdir() if file.name.endswith(".part")]


def test_a_batch_is_stored_whole_or_not_at_all(instance, monkeypatch):
    run = materialized(instance)
    log = instance.event_log_storage
    entries = list(instance.all_logs(run.run_id))
    stored, once = PooledSqliteEventLogStorage.store_event, iter(range(3))

    def fails_at_the_third(self, entry):
        if next(once) == 2:
            raise OSError("the disk is full")
        stored(self, entry)

    monkeypatch.setattr(PooledSqliteEventLogStorage, "store_event", fails_at_the_third)
    with pytest.raises(OSError, match="disk is full"):
        log.store_event_batch(entries[:5])
    monkeypatch.undo()
    assert len(instance.all_logs(run.run_id)) == len(entries)
    log.store_event_batch(entries[:5])
    assert len(instance.all_logs(run.run_id)) == len(entries) + 5


WRITER = """
import sys
import dagster as dg
from finance_assets_tests.assets.test_event_log import materialized

with dg.DagsterInstance.get() as instance:
    for day in range(int(sys.argv[1]), int(sys.argv[1]) + 10):
        assert materialized(instance, f"d{day:03}", f"d{day:03}").success
"""


def test_processes_write_at_once_and_lose_nothing(instance):
    """Also while this one holds the files open, as the daemon and the webserver do."""
    assert materialized(instance, "d199", "d199").success
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, first], env=dict(os.environ))
        for first in ("0", "100")
    ]
    assert [writer.wait(timeout=300) for writer in writers] == [0, 0]
    expected = {f"d{i:03}" for i in (*range(10), *range(100, 110), 199)}
    assert instance.get_materialized_partitions(table.key) == expected
    assert len(instance.get_runs()) == 21


def test_only_so_many_files_stay_open_and_a_wiped_log_goes_on(instance):
    for _ in range(OPEN_FILES + 3):
        materialized(instance)
    log = instance.event_log_storage
    assert len(log._engines) == OPEN_FILES  # noqa: SLF001
    instance.wipe()
    assert instance.get_materialized_partitions(table.key) == set()
    assert materialized(instance, "d001", "d001").success
    assert instance.get_materialized_partitions(table.key) == {"d001"}


def test_a_copied_home_has_a_log_of_its_own(instance, settings, tmp_path):
    materialized(instance)
    copied = tmp_path / "copied"
    shutil.copytree(settings.dagster_home, copied)
    with dg.DagsterInstance.from_config(str(copied)) as other:
        assert other.get_materialized_partitions(table.key) == {"d000"}
        materialized(other, "d002", "d002")
        assert other.get_materialized_partitions(table.key) == {"d000", "d002"}
    assert instance.get_materialized_partitions(table.key) == {"d000"}
