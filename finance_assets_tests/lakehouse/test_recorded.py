"""What the log proves about a partition, and that everything else is read from the rows."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from finance_assets.errors import HistoryError
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.publish import publish
from finance_assets.lakehouse.recorded import (
    recorded_fingerprints,
    stored_fingerprints,
    stored_rows,
)
from finance_assets_tests.lakehouse.things import (
    BOTH,
    ORIGIN,
    ROWS,
    SCHEMA,
    THINGS,
    propose,
    publish_rows,
    stored,
)
from finance_assets_tests.scenario import APRIL, BRONZE, CALENDAR, MAY, SILVER, deliver, statements

pytestmark = pytest.mark.usefixtures("two_months")


def proven(lakehouse):
    return recorded_fingerprints(lakehouse.history(THINGS.table), BOTH)


def table(lakehouse):
    return DeltaTable(str(lakehouse.path(THINGS.table)))


def append(lakehouse):
    row = {"id": 9, "month": APRIL, "value": 9.0, "seen_at": None}
    write_deltalake(table(lakehouse), pa.Table.from_pylist([row], schema=SCHEMA), mode="append")


def delete(lakehouse):
    table(lakehouse).delete("month = '2005-04' AND id = 1")


def delete_all(lakehouse):
    table(lakehouse).delete("month = '2005-04'")


def update(lakehouse):
    table(lakehouse).update({"value": "5.0"}, predicate="month = '2005-04' AND id = 1")


def swap_and_swap_back(lakehouse):
    """The newest content is that of the publication, but not by it."""
    before = table(lakehouse).version()
    delete_all(lakehouse)
    table(lakehouse).restore(before)
    append(lakehouse)


AROUND_PUBLISH = [append, delete, delete_all, update, swap_and_swap_back]


def test_what_publish_wrote_is_known_without_reading_it(lakehouse):
    read = audit.fingerprints(lakehouse.read(THINGS), THINGS)
    assert proven(lakehouse) == read
    assert stored_rows(lakehouse, THINGS, BOTH) == {APRIL: 2, MAY: 1}


def test_constraints_and_publications_of_other_partitions_leave_the_proof(lakehouse):
    publish_rows(lakehouse, [(4, MAY, 4.0)], CALENDAR.window(MAY))
    assert set(proven(lakehouse)) == {APRIL, MAY}
    assert stored_rows(lakehouse, THINGS, BOTH) == {APRIL: 2, MAY: 1}


@pytest.mark.parametrize("write", AROUND_PUBLISH)
def test_who_writes_around_publish_ends_the_proof_for_that_partition_only(lakehouse, write):
    before = proven(lakehouse)
    write(lakehouse)
    assert set(proven(lakehouse)) == {MAY}
    assert stored_fingerprints(lakehouse.history(THINGS.table), THINGS, BOTH, before) == {
        APRIL: audit.EMPTY.fingerprint,
        **audit.fingerprints(lakehouse.read(THINGS), THINGS),
    }


def test_a_fingerprint_taken_in_another_way_is_no_change(lakehouse):
    """Engines write doubles as different text: what is stored is measured by the engine at hand."""
    columns = tuple(replace(column, is_volatile=False) for column in THINGS.columns)
    other = replace(THINGS, columns=columns)
    proposal = propose(lakehouse, ROWS, BOTH, contract=other)
    assert audit.fingerprints(proposal.rows, other) != proven(lakehouse)
    assert publish(lakehouse, proposal, ORIGIN).changed == ()


@pytest.mark.parametrize("write", AROUND_PUBLISH)
def test_publishing_again_heals_what_was_written_around_it(lakehouse, write):
    write(lakehouse)
    assert stored(lakehouse) != sorted(ROWS)
    assert publish_rows(lakehouse, ROWS, BOTH).changed == (APRIL,)
    assert stored(lakehouse) == sorted(ROWS)
    assert set(proven(lakehouse)) == {APRIL, MAY}


def test_rows_that_were_never_published_are_read_and_healed(lakehouse):
    june = "2005-06"
    row = {"id": 9, "month": june, "value": 9.0, "seen_at": None}
    write_deltalake(table(lakehouse), pa.Table.from_pylist([row], schema=SCHEMA), mode="append")
    assert recorded_fingerprints(lakehouse.history(THINGS.table), CALENDAR.window(june)) == {}
    assert stored_rows(lakehouse, THINGS, CALENDAR.window(june)) == {june: 1}
    assert publish_rows(lakehouse, [(1, june, 1.0)], CALENDAR.window(june)).changed == (june,)
    assert stored(lakehouse) == [*sorted(ROWS)[:1], (1, MAY, 3.0), (1, june, 1.0), (2, APRIL, 2.0)]


def test_files_written_anew_with_the_same_rows_are_read_and_found_unchanged(lakehouse):
    table(lakehouse).update({"value": "1.0"}, predicate="month = '2005-04' AND id = 1")
    assert set(proven(lakehouse)) == {MAY}
    assert publish_rows(lakehouse, ROWS, BOTH).changed == ()


def test_a_write_that_was_undone_file_by_file_leaves_the_proof(lakehouse):
    append(lakehouse)
    table(lakehouse).delete("id = 9")
    assert proven(lakehouse) == audit.fingerprints(lakehouse.read(THINGS), THINGS)
    assert set(proven(lakehouse)) == {APRIL, MAY}


@pytest.mark.parametrize("damage", [b"", b"PAR1", None], ids=["emptied", "cut", "same size"])
def test_a_file_that_was_touched_after_its_commit_is_read(lakehouse, damage):
    [uri] = [file for file in table(lakehouse).file_uris() if f"month={APRIL}" in unquote(file)]
    file = Path(uri)
    file.write_bytes(file.read_bytes() if damage is None else damage)
    assert set(proven(lakehouse)) == {MAY}


def test_a_file_that_is_lost_is_not_taken_for_stored(lakehouse):
    [uri] = [file for file in table(lakehouse).file_uris() if f"month={APRIL}" in unquote(file)]
    Path(uri).unlink()
    assert set(proven(lakehouse)) == {MAY}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 and then nothing PAR1"])
def test_a_file_that_was_cut_short_is_named_when_its_rows_are_counted(lakehouse, content):
    Path(table(lakehouse).file_uris()[0]).write_bytes(content)
    with pytest.raises(HistoryError, match="cannot be read"):
        lakehouse.history(THINGS.table).row_counts()


@pytest.mark.parametrize("records", ['"numRecords":7', '"numRecords":0', '"other":1'])
def test_statistics_of_the_log_are_not_believed(lakehouse, records):
    version = lakehouse.history(THINGS.table).version_of(BOTH)
    entry = lakehouse.path(THINGS.table) / "_delta_log" / f"{version:020d}.json"
    lines = [json.loads(line) for line in entry.read_text().splitlines()]
    for line in lines:
        if "add" in line:
            stats = line["add"]["stats"]
            line["add"]["stats"] = stats.replace('"numRecords":2', records)
            assert stats != line["add"]["stats"] or '"numRecords":1' in stats
    entry.write_text("\n".join(json.dumps(line) for line in lines))
    assert stored_rows(lakehouse, THINGS, BOTH) == {APRIL: 2, MAY: 1}
    assert lakehouse.history(THINGS.table).row_counts() == {APRIL: 2, MAY: 1}
    assert publish_rows(lakehouse, ROWS, BOTH).changed == ()


def test_without_its_entry_in_the_log_a_partition_is_read(lakehouse):
    publish_rows(lakehouse, [(4, MAY, 4.0)], CALENDAR.window(MAY))
    history = lakehouse.history(THINGS.table)
    version = history.version_of(CALENDAR.window(APRIL))
    assert history.publications, "the publications must be known before the entry goes"
    table(lakehouse).create_checkpoint()
    (history.stored.path / "_delta_log" / f"{version:020d}.json").unlink()
    assert set(recorded_fingerprints(history, BOTH)) == {MAY}


def test_a_source_row_written_around_publish_is_accounted_for(runner, settings):
    """The ledger counts what the step really reads, not what was once published."""
    deliver(settings.landing, APRIL, *statements(APRIL))
    runner.run(BRONZE, APRIL)
    bronze = DeltaTable(str(runner.lakehouse.path(BRONZE)))
    copy = pa.table(bronze.to_pyarrow_table()).slice(0, 1)
    moved = copy.set_column(
        copy.schema.get_field_index("_source_line"), "_source_line", pa.array([99], pa.int64())
    )
    write_deltalake(bronze, moved, mode="append")
    ledger = runner.run(SILVER, APRIL).publication.ledgers[APRIL]
    assert (ledger.delivered, ledger.published, ledger.duplicates) == (4, 3, 1)


def test_rows_are_counted_as_they_were_at_the_version_that_was_read(lakehouse):
    before = lakehouse.history(THINGS.table).version
    publish_rows(lakehouse, [*ROWS, (3, APRIL, 3.0)], BOTH)
    assert stored_rows(lakehouse, THINGS, BOTH) == {APRIL: 3, MAY: 1}
    assert stored_rows(lakehouse, THINGS, BOTH, before) == {APRIL: 2, MAY: 1}
