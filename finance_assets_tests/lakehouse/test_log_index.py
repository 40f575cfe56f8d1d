"""The next publication reads few commits, and an index of the log decides nothing by itself."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, write_deltalake

from finance_assets.calendar import Calendar, Frequency
from finance_assets.lakehouse import commit_files, damage, log_index, recent
from finance_assets.lakehouse.history import Ledger, Publication
from finance_assets.lakehouse.homes import FolderHome
from finance_assets.lakehouse.log_index import PROPERTY, RENEW_AFTER, renew_index
from finance_assets.lakehouse.publish import publish
from finance_assets.lakehouse.recorded import recorded_fingerprints
from finance_assets.lakehouse.store import Lakehouse
from finance_assets_tests.lakehouse.things import ORIGIN, SCHEMA, THINGS, propose

MONTHS = Calendar(Frequency.monthly, "1970-01")
MANY = 300


def month(number):
    return MONTHS.shift(MONTHS.first, number)


def said_of(partition):
    return Publication(
        THINGS.table,
        partition,
        partition,
        {partition: Ledger(1, 1)},
        {partition: "1:5"},
        {},
        "r",
        "c",
    )


def add(lakehouse, partition, text):
    """A commit with one row, by a writer that makes no checkpoints."""
    row = {"id": 1, "month": partition, "value": 1.0, "seen_at": None}
    write_deltalake(
        DeltaTable(str(lakehouse.path(THINGS.table))),
        pa.Table.from_pylist([row], schema=SCHEMA),
        mode="append",
        commit_properties=CommitProperties(custom_metadata={"userMetadata": text}),
        post_commithook_properties=PostCommitHookProperties(
            create_checkpoint=False, cleanup_expired_logs=False
        ),
    )


def grown(lakehouse, count):
    lakehouse.ensure(THINGS)
    for number in range(count):
        add(lakehouse, month(number), said_of(month(number)).to_json())
    return lakehouse


def publish_month(lakehouse, number, value=1.0):
    window = MONTHS.window(month(number))
    return publish(lakehouse, propose(lakehouse, [(1, month(number), value)], window), ORIGIN)


@pytest.fixture
def indexed(lakehouse):
    """With as many publications as an index is made after, and one."""
    grown(lakehouse, RENEW_AFTER + 1)
    publish_month(lakehouse, RENEW_AFTER + 1)
    assert index_file(lakehouse).exists()
    return lakehouse


@pytest.fixture
def opened(monkeypatch):
    """The versions whose commit files are opened."""
    seen, real = [], commit_files.read_actions

    def read_actions(table, version):
        seen.append(version)
        return real(table, version)

    monkeypatch.setattr(commit_files, "read_actions", read_actions)
    return seen


def index_file(lakehouse):
    digest = lakehouse.table(THINGS.table).configuration[PROPERTY]
    return lakehouse.path(THINGS.table) / "_log_index" / f"{digest}.json"


def answers(lakehouse):
    """Everything that is asked of the log, by a process that never read it."""
    recent.forget()
    return asked_again(lakehouse)


def asked_again(lakehouse):
    """The same, by a process that may remember."""
    history = lakehouse.history(THINGS.table)
    asked = [month(number) for number in range(RENEW_AFTER + 4)]
    return {
        "publications": [(p.version, p.to_json()) for p in history.publications],
        "in_force": [history.in_force(p) for p in asked],
        "altered": [history.altered_at(p) for p in asked],
        "ledgers": history.ledgers(),
        "deliveries": history.deliveries(),
        "foreign": history.foreign_versions,
        "content": [history.content_of(p) for p in asked],
        "proven": recorded_fingerprints(history, MONTHS.window(asked[0], asked[-1])),
    }


def without_index(lakehouse, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(log_index, "_read_index", lambda stored: ())
        return answers(lakehouse)


def test_the_next_partition_reads_few_commits_however_many_there_were(lakehouse, opened):
    grown(lakehouse, MANY)
    publish_month(lakehouse, MANY)
    del opened[:]
    counts = []
    for number in range(MANY + 1, MANY + RENEW_AFTER + 3):
        assert publish_month(lakehouse, number).changed == (month(number),)
        counts.append(len(opened))
        del opened[:]
    assert 0 < max(counts) <= RENEW_AFTER + 5
    # One partition that was published long ago: also the commit that published it.
    assert publish_month(lakehouse, 7, value=2.0).changed == (month(7),)
    assert len(opened) <= RENEW_AFTER + 7


def test_delta_opens_the_table_from_a_checkpoint_near_its_end(lakehouse):
    grown(lakehouse, RENEW_AFTER + 1)
    path = lakehouse.path(THINGS.table)
    assert commit_files.last_checkpoint(path) == -1
    publish_month(lakehouse, RENEW_AFTER + 1)
    stored = lakehouse.table(THINGS.table)
    assert stored.version - commit_files.last_checkpoint(path) < RENEW_AFTER
    assert lakehouse.read(THINGS).count() == len(stored.rows()) == RENEW_AFTER + 2


def test_with_and_without_an_index_the_log_says_the_same(indexed, monkeypatch, opened):
    add(indexed, month(3), "no publication of ours")
    publish_month(indexed, 5, value=3.0)
    publish_month(indexed, RENEW_AFTER + 2)
    del opened[:]
    found = answers(indexed)
    read = len(opened)
    assert found == without_index(indexed, monkeypatch)
    assert found["altered"][3] is not None
    assert read < len(opened) - read


def test_a_process_reads_only_what_it_has_not_read(indexed, monkeypatch, opened):
    truth = answers(indexed)
    first = len(opened)
    assert asked_again(indexed) == truth
    assert len(opened) - first < first
    add(indexed, month(3), "no publication of ours")
    found = asked_again(indexed)
    assert found["altered"][3] is not None
    assert found == without_index(indexed, monkeypatch)


def test_a_table_is_opened_once_as_long_as_its_log_is_the_same(indexed, monkeypatch):
    seen, real = [], damage.open_table
    monkeypatch.setattr(damage, "open_table", lambda *asked: seen.append(1) or real(*asked))
    before = indexed.table(THINGS.table).version
    assert indexed.table(THINGS.table).version == before
    assert len(seen) <= 1
    add(indexed, month(3), "no publication of ours")
    assert indexed.table(THINGS.table).version == before + 1
    newest = commit_files.entry_path(indexed.path(THINGS.table), before + 1)
    newest.unlink()
    assert indexed.table(THINGS.table).version == before, "the log is what it is now"


def drop_a_publication(records):
    del records[10]


def hide_a_partition(records):
    records[10]["partitions"] = ["1999-01"]


def clear_a_foreign_commit(records):
    for record in records:
        if record["partitions"] is None:
            record["commit"]["changed"] = []


def restate(records):
    records[10]["commit"]["text"] = records[10]["commit"]["text"].replace("1:5", "1:6")


@pytest.mark.parametrize(
    "forge", [drop_a_publication, hide_a_partition, clear_a_foreign_commit, restate]
)
def test_an_altered_index_decides_nothing(indexed, monkeypatch, forge):
    add(indexed, month(3), "no publication of ours")
    stored = indexed.table(THINGS.table)
    renew_index(stored, indexed.history(THINGS.table).reading, after=0)
    truth = without_index(indexed, monkeypatch)
    file = index_file(indexed)
    index = json.loads(file.read_text())
    forge(index["records"])
    file.write_text(json.dumps(index))
    assert answers(indexed) == truth


def test_an_index_of_an_edition_that_could_not_read_a_publication_hides_none(indexed, monkeypatch):
    truth = answers(indexed)
    with monkeypatch.context() as older:
        older.setattr(Publication, "from_json", lambda text, version: json.loads(""))
        older.setattr(log_index, "fields", lambda kind: fields(kind)[:-1])
        log_index._edition.cache_clear()
        assert without_index(indexed, older)["publications"] == []
        history = indexed.history(THINGS.table)
        assert renew_index(history.stored, history.reading, after=-1)
    log_index._edition.cache_clear()
    assert answers(indexed) == truth


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{not json", b"\xff\x00"])
def test_a_lost_or_damaged_index_is_made_anew(indexed, monkeypatch, content, opened):
    truth = answers(indexed)
    file = index_file(indexed)
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    assert answers(indexed) == truth
    recent.forget()
    publish_month(indexed, RENEW_AFTER + 2)
    assert index_file(indexed) != file
    del opened[:]
    answers(indexed)
    assert len(set(opened)) < RENEW_AFTER + 10


@pytest.mark.parametrize("is_dated_back", [False, True])
def test_a_commit_that_was_altered_after_it_was_indexed_is_read_again(indexed, is_dated_back):
    """Also when the size is the same and the file's time is put back."""
    history = indexed.history(THINGS.table)
    version = history.publication_of(month(4)).version
    entry = commit_files.entry_path(indexed.path(THINGS.table), version)
    seen = entry.stat()
    entry.write_text(entry.read_text().replace("1:5", "1:6"))
    if is_dated_back:
        os.utime(entry, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    found = indexed.history(THINGS.table).publication_of(month(4))
    assert found.fingerprints == {month(4): "1:6"}


def test_an_index_of_another_table_is_none(indexed, settings, spark, monkeypatch):
    """Copied with everything, its property too, into a table with other commits."""
    other = Lakehouse(FolderHome(settings.lakehouse_root / "other"), lambda: spark)
    grown(other, RENEW_AFTER + 1)
    file = index_file(indexed)
    folder = other.path(THINGS.table) / "_log_index"
    folder.mkdir()
    (folder / file.name).write_bytes(file.read_bytes())
    other.table(THINGS.table).set_properties({PROPERTY: file.stem})
    assert answers(other) == without_index(other, monkeypatch)
    assert len(other.history(THINGS.table).reading.indexed) == 0


def test_a_property_that_is_no_digest_names_no_file(indexed, monkeypatch):
    truth = without_index(indexed, monkeypatch)
    for name in ("../../x", "", "no such file", "0" * 64):
        indexed.table(THINGS.table).set_properties({PROPERTY: name})
        assert answers(indexed)["publications"] == truth["publications"]


def test_an_index_that_cannot_be_written_stops_no_publication(lakehouse, caplog):
    grown(lakehouse, RENEW_AFTER + 1)
    (lakehouse.path(THINGS.table) / "_log_index").write_text("in the way")
    assert publish_month(lakehouse, RENEW_AFTER + 1).changed == (month(RENEW_AFTER + 1),)
    assert "no new index" in caplog.text


def test_few_index_files_are_kept(indexed):
    for number in range(6):
        history = indexed.history(THINGS.table)
        add(indexed, month(number), said_of(month(number)).to_json())
        assert renew_index(history.stored, indexed.history(THINGS.table).reading, after=0)
    assert len(list((indexed.path(THINGS.table) / "_log_index").iterdir())) == log_index.KEPT


def test_writers_that_renew_the_index_at_once_all_land(lakehouse, monkeypatch):
    monkeypatch.setattr(log_index.renew_index, "__defaults__", (0,))
    publish_month(lakehouse, 0)
    numbers = list(range(1, 9))
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: publish_month(lakehouse, number), numbers))
    assert [result.changed for result in done] == [(month(number),) for number in numbers]
    assert set(lakehouse.history(THINGS.table).ledgers()) == {month(n) for n in range(9)}
