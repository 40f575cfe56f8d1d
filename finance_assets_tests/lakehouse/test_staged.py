"""Staged files say what the engine would say of them, and records become files of their own."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finance_assets.lakehouse import damage
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.publish import publish
from finance_assets.lakehouse.staged import (
    files_below,
    first_rows,
    has_rows,
    schema_of,
    write_records,
)
from finance_assets_tests.lakehouse.things import BOTH, GOOD, ORIGIN, ROWS, THINGS, failed, stored
from finance_assets_tests.scenario import APRIL, MAY

EVERY_TYPE = """SELECT cast(id as int) AS i, id AS l, cast(id as smallint) AS s, id / 3.0D AS d,
  cast(id as decimal(10, 2)) AS a, concat('n', id) AS t, id = 1 AS b, date'2024-02-29' AS day,
  timestamp'2024-02-29 12:30:00' AS at, CASE WHEN id = 2 THEN id END AS missing,
  map('k', id) AS m, array(id) AS r FROM range(3)"""
NAMES = ("id", "month", "value", "seen_at")


def test_a_file_tells_the_columns_and_rows_that_the_engine_would(spark, tmp_path):
    frame = spark.sql(EVERY_TYPE).coalesce(1)
    frame.write.parquet(str(tmp_path / "rows"))
    files = files_below(tmp_path / "rows")
    assert schema_of(files[0]).simpleString() == frame.schema.simpleString()
    wanted = [row.asDict() for row in frame.collect()]
    assert first_rows(files, 10) == wanted
    assert first_rows(files, 2) == wanted[:2]
    assert first_rows([], 2) == []
    assert first_rows([*files, *files], 4) == [*wanted, wanted[0]]
    assert first_rows([*files, *files], 3) == wanted


def test_a_time_in_sparks_old_form_is_an_instant_as_the_engine_reads_it(tmp_path):
    """Databricks' engines write it unless they are told otherwise."""
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    table = pa.table({"at": pa.array([noon], pa.timestamp("us", tz="UTC")), "id": [1]})
    pq.write_table(table, tmp_path / "old.parquet", use_deprecated_int96_timestamps=True)
    assert schema_of(tmp_path / "old.parquet").simpleString() == "struct<at:timestamp,id:bigint>"
    [row] = first_rows([tmp_path / "old.parquet"], 1)
    assert row == {"at": noon.replace(tzinfo=None), "id": 1}


def test_what_no_row_was_written_of_has_no_files(spark, tmp_path):
    spark.range(3).where("id > 5").write.parquet(str(tmp_path / "none"))
    assert first_rows(files_below(tmp_path / "none"), 5) == []
    assert files_below(tmp_path / "never") == []
    empty = pa.schema([("id", pa.int64())]).empty_table()
    pq.write_table(empty, tmp_path / "as_spark_writes_it.parquet")
    assert not has_rows([tmp_path / "as_spark_writes_it.parquet"])


def records(rows):
    return [dict(zip(NAMES, (*row, "now"), strict=True)) for row in rows]


def proposed(lakehouse, folder, rows):
    """Records of both months, of which one may have none."""
    folder.mkdir()
    written = write_records(folder, THINGS, records(rows))
    counts = {p: sum(row[1] == p for row in rows) for p in BOTH}
    return Proposal(
        THINGS,
        BOTH,
        lakehouse.staged_rows(THINGS, written.values()),
        {p: Ledger(n, n) for p, n in counts.items()},
        files={p: [written[p]] if p in written else [] for p in BOTH},
    )


def test_records_of_several_partitions_become_the_tables_files(lakehouse, tmp_path):
    relaxed = replace(THINGS, min_rows=0)
    proposal = replace(proposed(lakehouse, tmp_path / "both", ROWS), contract=relaxed)
    assert publish(lakehouse, proposal, ORIGIN).changed == (APRIL, MAY)
    assert stored(lakehouse) == sorted(ROWS)
    inodes = {file.stat().st_ino for files in proposal.files.values() for file in files}
    found = {f.stat().st_ino for f in lakehouse.path(THINGS.table).rglob("month=*/*.parquet")}
    assert found == inodes
    fewer = replace(proposed(lakehouse, tmp_path / "one", GOOD), contract=relaxed)
    assert publish(lakehouse, fewer, ORIGIN).changed == (MAY,)
    assert stored(lakehouse) == GOOD


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"value": None}, None),
        ({"value": 3}, None),
        ({"id": 1.5}, pa.ArrowInvalid),
        ({"id": "1 and a half"}, pa.ArrowInvalid),
        ({"id": 2**70}, (OverflowError, pa.ArrowInvalid)),
        ({"seen": "now"}, KeyError),
    ],
)
def test_a_record_that_is_not_the_contracts_is_refused_and_nothing_of_it_lost(
    tmp_path, change, error
):
    [record] = records(ROWS[:1])
    if "seen" in change:
        del record["seen_at"]
    record |= change
    if error is None:
        [file] = write_records(tmp_path, THINGS, [record]).values()
        assert first_rows([file], 1) == [record]
    else:
        with pytest.raises(error):
            write_records(tmp_path, THINGS, [record])


def test_files_with_other_columns_than_the_tables_are_refused(lakehouse, tmp_path):
    """Read under the table's columns they would look right, and as its files they would not be. One
    of several is enough."""
    proposal = proposed(lakehouse, tmp_path / "both", ROWS)
    lakehouse.spark.sql(f"SELECT 1 AS id, '{APRIL}' AS month, 1.0D AS value").write.parquet(
        str(tmp_path / "other")
    )
    for month in BOTH:
        files = {**proposal.files, month: files_below(tmp_path / "other")}
        result = publish(lakehouse, replace(proposal, files=files), ORIGIN)
        assert result.is_refused
        assert failed(result) == ["schema"]


@pytest.fixture
def openings(monkeypatch):
    """The tables that were opened anew."""
    found, opened = [], damage._opened_with

    def open_(table, path, entries):
        found.append(table)
        return opened(table, path, entries)

    monkeypatch.setattr(damage, "_opened_with", open_)
    return found


def test_who_committed_knows_the_table_and_sees_what_others_commit(lakehouse, tmp_path, openings):
    # The first publication puts the constraint on the table, too.
    publish(lakehouse, proposed(lakehouse, tmp_path / "first", [*ROWS, (9, MAY, 9.0)]), ORIGIN)
    assert lakehouse.table(THINGS.table).exists and lakehouse.table(THINGS.table).version
    openings.clear()
    publish(lakehouse, proposed(lakehouse, tmp_path / "both", ROWS), ORIGIN)
    table = lakehouse.table(THINGS.table)
    version, counts = table.version, table.row_counts()
    # To commit with it, and not again to see what was committed.
    assert openings == [THINGS.table]
    damage._opened.clear()
    again = lakehouse.table(THINGS.table)
    assert (again.version, again.row_counts()) == (version, counts) == (version, {APRIL: 2, MAY: 1})
    assert lakehouse.table(THINGS.table).annotate("another's")
    assert lakehouse.table(THINGS.table).version == version + 1


def test_a_commit_that_is_made_is_no_failure_for_what_follows_it(lakehouse, tmp_path, monkeypatch):
    publish(lakehouse, proposed(lakehouse, tmp_path / "first", ROWS), ORIGIN)

    def damaged(*_):
        raise OSError("the log cannot be listed")

    table = lakehouse.table(THINGS.table)
    version = table.version
    with monkeypatch.context() as patch:
        patch.setattr(damage, "list_entries", damaged)
        damage.remember(THINGS.table, lakehouse.path(THINGS.table), table.delta)
    assert lakehouse.table(THINGS.table).version == version


def test_a_table_that_others_changed_meanwhile_is_not_kept_as_it_was(lakehouse, tmp_path):
    publish(lakehouse, proposed(lakehouse, tmp_path / "first", ROWS), ORIGIN)
    table = lakehouse.table(THINGS.table)
    newest = table.version

    class Behind:
        """What deltalake has of a table before the newest commit was there to be listed."""

        def update_incremental(self):
            """There was nothing newer yet."""

        def version(self):
            return newest - 1

    damage.remember(THINGS.table, lakehouse.path(THINGS.table), Behind())
    assert lakehouse.table(THINGS.table).version == newest
