"""Adopting: staged files become the table's as they are, in one commit that a race undoes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from finance_assets.lakehouse.folder_commits import append_nothing, replace_partitions
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.maintenance import maintain_table
from finance_assets.lakehouse.publish import publish
from finance_assets_tests.lakehouse.things import GOOD, ORIGIN, THINGS, failed, propose, stored
from finance_assets_tests.scenario import APRIL, CALENDAR, MAY


def staged(lakehouse, folder, rows, month=APRIL):
    """The rows of a month as files, and the proposal that names these."""
    proposal = propose(lakehouse, rows, CALENDAR.window(month))
    proposal.rows.write.parquet(str(folder))
    frame = lakehouse.spark.read.schema(proposal.rows.schema).parquet(str(folder))
    return replace(proposal, rows=frame, files={month: sorted(folder.glob("*.parquet"))})


def contents(lakehouse):
    """The bytes of every live data file."""
    path = lakehouse.path(THINGS.table)
    return [(path / uri.rpartition("silver/things/")[2]).read_bytes() for uri in live(path)]


def live(path):
    return DeltaTable(str(path)).file_uris()


def test_what_was_audited_is_what_the_table_holds_to_the_byte(lakehouse, tmp_path):
    proposal = staged(lakehouse, tmp_path / "first", GOOD)
    result = publish(lakehouse, proposal, ORIGIN)
    assert result.changed == (APRIL,)
    assert stored(lakehouse) == GOOD
    with_rows = [f.read_bytes() for f in proposal.files[APRIL]]
    assert set(contents(lakehouse)) <= set(with_rows)
    table = lakehouse.table(THINGS.table)
    assert [row["value"] for row in table.rows(where=f"month = '{APRIL}'")] == [1.0, 2.0]
    assert table.row_counts() == {APRIL: 2}
    assert TableHistory(table).untouched({APRIL: result.publication.version}) == {APRIL}


def test_a_partition_is_replaced_and_the_others_stay(lakehouse, tmp_path):
    publish(lakehouse, staged(lakehouse, tmp_path / "april", GOOD), ORIGIN)
    publish(lakehouse, staged(lakehouse, tmp_path / "may", [(5, MAY, 5.0)], MAY), ORIGIN)
    changed = publish(lakehouse, staged(lakehouse, tmp_path / "new", [(3, APRIL, 3.0)]), ORIGIN)
    assert changed.changed == (APRIL,)
    assert stored(lakehouse) == [(3, APRIL, 3.0), (5, MAY, 5.0)]
    again = publish(lakehouse, staged(lakehouse, tmp_path / "again", [(3, APRIL, 3.0)]), ORIGIN)
    assert again.changed == ()
    maintain_table(lakehouse, THINGS.table)
    assert stored(lakehouse) == [(3, APRIL, 3.0), (5, MAY, 5.0)]


def test_files_that_a_blocking_check_refuses_are_not_adopted(lakehouse, tmp_path):
    publish(lakehouse, staged(lakehouse, tmp_path / "good", GOOD), ORIGIN)
    for name, row in {"low": (1, APRIL, -1.0), "other": (1, MAY, 1.0)}.items():
        proposal = staged(lakehouse, tmp_path / name, [row])
        result = publish(lakehouse, proposal, ORIGIN)
        assert result.is_refused and failed(result)
    assert stored(lakehouse) == GOOD


def test_a_commit_in_between_is_a_lost_race_that_leaves_no_file(lakehouse, tmp_path):
    publish(lakehouse, staged(lakehouse, tmp_path / "good", GOOD), ORIGIN)
    path = lakehouse.path(THINGS.table)
    before = sorted(path.rglob("*.parquet"))
    seen = DeltaTable(str(path))
    append_nothing(DeltaTable(str(path)), "another writer's")
    files = staged(lakehouse, tmp_path / "late", [(9, APRIL, 9.0)]).files
    with pytest.raises(CommitFailedError):
        replace_partitions(seen, path, files, "late")
    assert sorted(path.rglob("*.parquet")) == before
    assert stored(lakehouse) == GOOD


def test_writers_at_once_all_land_and_each_partition_has_one_of_them(lakehouse, tmp_path):
    publish(lakehouse, staged(lakehouse, tmp_path / "good", GOOD), ORIGIN)
    months = [*(f"2006-{number:02d}" for number in range(1, 4)), *(APRIL, APRIL, APRIL)]

    def write(number):
        rows = [(number, months[number], 1.0 + number)]
        proposal = staged(lakehouse, tmp_path / str(number), rows, months[number])
        return publish(lakehouse, proposal, ORIGIN)

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(write, range(len(months))))
    assert not any(result.is_refused for result in results)
    assert sorted({row[1] for row in stored(lakehouse)}) == sorted(set(months))
    assert len(stored(lakehouse)) == len(set(months))
