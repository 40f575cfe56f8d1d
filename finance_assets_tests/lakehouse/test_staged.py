"""Staged files say what the engine would say of them, and records become files of their own."""

import math
import shutil
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finance_assets.errors import HistoryError
from finance_assets.lakehouse import damage
from finance_assets.lakehouse.commit_files import entry_path
from finance_assets.lakehouse.folder_commits import append_nothing
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
from finance_assets_tests.scenario import APRIL, CALENDAR, MAY

EVERY_TYPE = """SELECT cast(id as int) AS i, id AS l, cast(id as smallint) AS s, id / 3.0D AS d,
  cast(id as decimal(10, 2)) AS a, concat('n', id) AS t, id = 1 AS b, date'2024-02-29' AS day,
  timestamp'2024-02-29 12:30:00' AS at, CASE WHEN id = 2 THEN id END AS missing,
  left('abc', 2) AS l2, md5('a') AS h, map('k', id) AS m, array(id) AS r FROM range(3)"""
NAMES = ("id", "month", "value", "seen_at")


def test_a_file_tells_the_columns_and_rows_that_the_engine_would(spark, tmp_path):
    frame = spark.sql(EVERY_TYPE).coalesce(1)
    frame.write.parquet(str(tmp_path / "rows"))
    files = files_below(tmp_path / "rows")
    assert schema_of(files[0]).simpleString() == frame.schema.simpleString()
    read = spark.read.schema(schema_of(files[0])).parquet(str(tmp_path / "rows"))
    wanted = [row.asDict() for row in read.collect()]
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
    """A file for each of both months, of which one may have no rows."""
    files = {}
    for month in BOTH:
        (folder / month).mkdir(parents=True)
        files[month] = [
            write_records(folder / month, THINGS, records(r for r in rows if r[1] == month))
        ]
    counts = {p: sum(row[1] == p for row in rows) for p in BOTH}
    return Proposal(
        THINGS,
        BOTH,
        lakehouse.staged_rows(THINGS, [file for [file] in files.values()]),
        {p: Ledger(n, n) for p, n in counts.items()},
        files=files,
    )


def test_files_of_several_partitions_become_the_tables(lakehouse, tmp_path):
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
        ({"value": "1.5"}, (pa.ArrowInvalid, pa.ArrowTypeError)),
        ({"month": 4}, (pa.ArrowInvalid, pa.ArrowTypeError)),
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
        assert first_rows([write_records(tmp_path, THINGS, [record])], 1) == [record]
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
        raise OSError("the log cannot be looked at")

    table = lakehouse.table(THINGS.table)
    version = table.version
    with monkeypatch.context() as patch:
        patch.setattr(damage, "identity_of", damaged)
        damage.remember(THINGS.table, lakehouse.path(THINGS.table), table.delta, {})
    assert lakehouse.table(THINGS.table).version == version


def test_a_commit_of_others_that_is_lost_before_anybody_saw_it_is_missed(lakehouse, tmp_path):
    publish(lakehouse, proposed(lakehouse, tmp_path / "first", ROWS), ORIGIN)
    path = lakehouse.path(THINGS.table)
    ours, entries = damage.open_table(THINGS.table, path)
    assert lakehouse.table(THINGS.table).annotate("another's")
    append_nothing(ours, "ours")
    damage.remember(THINGS.table, path, ours, entries)
    entry_path(path, max(entries) + 1).unlink()
    with pytest.raises(HistoryError):
        damage.snapshot_of(THINGS.table, path)


def test_a_table_that_was_put_in_its_place_is_opened(lakehouse, tmp_path, openings):
    publish(lakehouse, proposed(lakehouse, tmp_path / "first", ROWS), ORIGIN)
    path = lakehouse.path(THINGS.table)
    table, entries = damage.open_table(THINGS.table, path)
    shutil.copytree(path, tmp_path / "backup")
    shutil.rmtree(path)
    shutil.copytree(tmp_path / "backup", path)
    damage.remember(THINGS.table, path, table, entries)
    openings.clear()
    assert lakehouse.table(THINGS.table).row_counts() == {APRIL: 2, MAY: 1}
    assert openings == [THINGS.table]


def measured(lakehouse, contract):
    rows = lakehouse.read(contract, CALENDAR.window(APRIL)).orderBy("id").collect()
    return [row["value"] for row in rows]


@pytest.mark.parametrize("by", ["records", "engine"])
def test_a_number_that_is_none_beside_equal_ones_is_none_to_the_audit_and_stays_none(
    lakehouse, tmp_path, by
):
    """Sail reads 1, NaN as 1, 1 where statistics of the file say that all its numbers are 1."""

    def propose_values(contract, *values):
        rows = [(n, APRIL, value) for n, value in enumerate(values)]
        folder = tmp_path / uuid.uuid4().hex
        folder.mkdir()
        file = write_records(folder, contract, records(rows))
        frame, files = lakehouse.staged_rows(contract, [file]), {APRIL: [file]}
        if by == "engine":
            frame.write.parquet(str(folder / "rows"))
            frame, files = lakehouse.staged_rows(contract, [folder / "rows"]), None
        ledgers = {APRIL: Ledger(len(values), len(values))}
        return Proposal(contract, CALENDAR.window(APRIL), frame, ledgers, files=files)

    finite = replace(THINGS, row_rules=(), table_rules=())
    odd = publish(lakehouse, propose_values(finite, 1.0, math.nan), ORIGIN)
    assert failed(odd) == ["finite"]
    value = replace(THINGS.columns[2], may_be_infinite=True)
    free = replace(finite, columns=(*THINGS.columns[:2], value, THINGS.columns[3]))
    for values in ((1.0, 1.0), (1.0, math.nan), (1.0, 1.0)):
        assert publish(lakehouse, propose_values(free, *values), ORIGIN).changed == (APRIL,)
        assert list(map(str, measured(lakehouse, free))) == list(map(str, values))
    publish(lakehouse, propose_values(free, 1.0, math.nan), ORIGIN)
    assert publish(lakehouse, propose_values(free, 1.0, math.nan), ORIGIN).changed == ()
