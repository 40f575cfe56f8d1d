"""Maintenance merges small files and deletes what no version names; rows stay as they are."""

import os
import time
from dataclasses import replace

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from finance_assets.lakehouse import audit, commit_files, store
from finance_assets.lakehouse.integrity import altered_partitions
from finance_assets.lakehouse.maintenance import expire_staging, maintain_table
from finance_assets.lakehouse.publish import publish
from finance_assets.lakehouse.recorded import stored_rows
from finance_assets.lakehouse.store import RETENTION
from finance_assets_tests.lakehouse.things import (
    BOTH,
    ORIGIN,
    SCHEMA,
    THINGS,
    propose,
    publish_rows,
    stored,
)
from finance_assets_tests.scenario import APRIL, CALENDAR, MAY

ROWS = [(n, month, float(n)) for n in range(1, 6) for month in (APRIL, MAY)]
OLD = 2 * 24 * 3600


def publish_in_pieces(lakehouse, rows):
    """As a large table is written: several files a partition."""
    proposal = propose(lakehouse, rows, BOTH)
    scattered = replace(proposal, rows=proposal.rows.repartition(3, "id"))
    return publish(lakehouse, scattered, ORIGIN)


def maintain(lakehouse, is_dry_run=False):
    return maintain_table(lakehouse, THINGS.table, is_dry_run)


def fingerprints(lakehouse, version=None):
    return audit.fingerprints(lakehouse.read(THINGS, version=version), THINGS)


def aged(path):
    then = time.time() - OLD
    os.utime(path, (then, then))
    return path


def left_by_a_crash(lakehouse, name="part-9.parquet", folder=f"month={APRIL}"):
    path = lakehouse.path(THINGS.table) / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PAR1 of a write that never was committed")
    return path


def test_small_files_are_merged_and_nothing_else_changes(lakehouse):
    publish_in_pieces(lakehouse, ROWS)
    before, version = fingerprints(lakehouse), lakehouse.table(THINGS.table).version
    done = maintain(lakehouse)
    assert done.before.files == done.to_merge > 2
    assert (done.after.files, done.problem) == (2, "")
    assert done.version_after > done.version_before == version
    assert fingerprints(lakehouse) == fingerprints(lakehouse, version) == before
    assert stored(lakehouse) == sorted(ROWS)


def test_compaction_is_no_foreign_writers_change(lakehouse):
    publish_in_pieces(lakehouse, ROWS)
    known = lakehouse.history(THINGS.table).in_force(APRIL)
    maintain(lakehouse)
    history = lakehouse.history(THINGS.table)
    assert history.foreign_versions == []
    assert [history.altered_at(month) for month in BOTH] == [None, None]
    assert history.in_force(APRIL) == known
    assert altered_partitions(lakehouse, THINGS, BOTH) == []
    assert stored_rows(lakehouse, THINGS, BOTH) == {APRIL: 5, MAY: 5}


def test_what_was_compacted_is_published_again_as_unchanged_or_as_changed(lakehouse):
    publish_in_pieces(lakehouse, ROWS)
    maintain(lakehouse)
    assert publish_rows(lakehouse, ROWS, BOTH).changed == ()
    changed = [(n, month, value + (month == MAY)) for n, month, value in ROWS]
    assert publish_rows(lakehouse, changed, BOTH).changed == (MAY,)


def test_a_change_around_publish_is_still_noticed_after_compaction(lakehouse):
    publish_in_pieces(lakehouse, ROWS)
    table = DeltaTable(str(lakehouse.path(THINGS.table)))
    table.update({"value": "9.0"}, predicate="month = '2005-04' AND id = 1")
    maintain(lakehouse)
    history = lakehouse.history(THINGS.table)
    assert history.altered_at(APRIL) is not None
    assert altered_partitions(lakehouse, THINGS, BOTH) == [APRIL]


def test_maintaining_again_does_nothing(lakehouse):
    publish_in_pieces(lakehouse, ROWS)
    first, second = maintain(lakehouse), maintain(lakehouse)
    assert second.before == second.after == first.after
    assert second.version_before == second.version_after == first.version_after
    assert (second.to_merge, second.deleted.files) == (0, 0)


def test_every_version_can_be_read_after_maintenance(lakehouse):
    contents = {}
    for value in (1.0, 2.0, 3.0):
        publish_in_pieces(lakehouse, [(n, month, value) for n, month, _ in ROWS])
        contents[lakehouse.table(THINGS.table).version] = fingerprints(lakehouse)
    for file in lakehouse.path(THINGS.table).rglob("*.parquet"):
        aged(file)
    assert maintain(lakehouse).deleted.files == 0
    assert len(set(map(str, contents.values()))) == 3
    for version, content in contents.items():
        assert lakehouse.table(THINGS.table).missing_files(version) == []
        assert fingerprints(lakehouse, version) == content


def test_what_a_crashed_write_left_is_deleted_after_a_day(lakehouse):
    publish_rows(lakehouse, ROWS, BOTH)
    old, young = aged(left_by_a_crash(lakehouse)), left_by_a_crash(lakehouse, "part-8.parquet")
    done = maintain(lakehouse)
    assert (done.deleted.files, done.deleted.bytes) == (1, 40)
    assert (old.exists(), young.exists()) == (False, True)
    assert stored(lakehouse) == sorted(ROWS)


@pytest.mark.parametrize("folder", ["_change_data", "_log_index", ".hidden", "_delta_log"])
def test_files_of_others_are_left_alone(lakehouse, folder):
    publish_rows(lakehouse, ROWS, BOTH)
    other = aged(left_by_a_crash(lakehouse, folder=folder))
    assert maintain(lakehouse).deleted.files == 0
    assert other.exists()


@pytest.mark.parametrize("value", ["a b", "50%", "a%20b", "x=y", "é", "a/b", "a:b", "a'b"])
def test_files_whose_partition_is_written_in_another_way_are_no_orphans(lakehouse, value):
    lakehouse.ensure(THINGS)
    path = lakehouse.path(THINGS.table)
    row = {"id": 1, "month": value, "value": 1.0, "seen_at": None}
    write_deltalake(
        DeltaTable(str(path)), pa.Table.from_pylist([row], schema=SCHEMA), mode="append"
    )
    files = [aged(file) for file in path.rglob("*.parquet")]
    assert maintain(lakehouse).deleted.files == 0
    assert files
    assert all(file.exists() for file in files)


def test_where_the_log_lacks_its_beginning_nothing_is_deleted(lakehouse):
    """A file that only the lost entries name may be needed, and cannot be told from an orphan."""
    publish_rows(lakehouse, ROWS, BOTH)
    publish_rows(lakehouse, [(9, APRIL, 9.0)])
    path = lakehouse.path(THINGS.table)
    DeltaTable(str(path)).create_checkpoint()
    commit_files.entry_path(path, 0).unlink()
    orphan = aged(left_by_a_crash(lakehouse))
    assert maintain(lakehouse).deleted.files == 0
    assert orphan.exists()


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(lakehouse):
    publish_in_pieces(lakehouse, ROWS)
    orphan = aged(left_by_a_crash(lakehouse))
    path = lakehouse.path(THINGS.table)
    before = sorted(path.rglob("*"))
    said = maintain(lakehouse, is_dry_run=True)
    assert sorted(path.rglob("*")) == before
    done = maintain(lakehouse)
    assert (said.to_merge, said.deleted, said.before) == (done.to_merge, done.deleted, done.before)
    assert not orphan.exists()


def test_a_table_is_made_to_keep_its_versions_before_anything_else(lakehouse, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(store, "RETENTION", {})
        publish_rows(lakehouse, ROWS, BOTH)
    assert maintain(lakehouse, is_dry_run=True).deleted is None
    maintain(lakehouse)
    assert RETENTION.items() <= lakehouse.table(THINGS.table).configuration.items()


def test_tables_that_were_never_made_are_left_out(lakehouse):
    assert maintain(lakehouse) is None


def test_a_long_log_gets_an_index_and_a_checkpoint(lakehouse):
    for number in range(12):
        publish_rows(lakehouse, [(1, APRIL, 1.0 + number)])
        publish_rows(lakehouse, [(1, MAY, 1.0 + number)], CALENDAR.window(MAY))
    path = lakehouse.path(THINGS.table)
    for made in [*path.glob("_delta_log/*checkpoint*"), *path.glob("_log_index/*")]:
        made.unlink()
    done = maintain(lakehouse)
    assert done.is_indexed
    assert done.is_checkpointed
    assert len(lakehouse.history(THINGS.table).reading.read) <= 2
    again = maintain(lakehouse)
    assert (again.is_indexed, again.is_checkpointed) == (False, False)


def test_staged_rows_of_a_step_that_died_go_after_a_day(tmp_path):
    for name in ("died", "at work", "slow"):
        (tmp_path / "_staging" / name / "rows").mkdir(parents=True)
    aged(tmp_path / "_staging" / "died" / "rows")
    aged(tmp_path / "_staging" / "died")
    aged(tmp_path / "_staging" / "slow")
    assert expire_staging(tmp_path, is_dry_run=True) == ("died",)
    assert expire_staging(tmp_path) == ("died",)
    assert sorted(path.name for path in (tmp_path / "_staging").iterdir()) == ["at work", "slow"]
    assert expire_staging(tmp_path / "nowhere") == ()
