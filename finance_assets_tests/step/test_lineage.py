"""What is wrong with the data under a model is found, however deep it lies."""

from dataclasses import replace

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from finance_assets.lakehouse.history import TableHistory
from finance_assets.step.lineage import data_problems, read_inputs
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    CALENDAR,
    FEATURES,
    GOLD,
    JUNE,
    LABELS,
    MAY,
    SILVER,
    USE_CASE,
    deliver,
    deliver_bytes,
    deliver_sample,
    statements,
)


@pytest.fixture
def built(runner, settings):
    """April to June, all tables."""
    deliver_sample(settings.landing, 60, [APRIL, MAY, JUNE])
    runner.run_tables(APRIL, JUNE)
    return runner


def problems(runner, table=FEATURES, first=JUNE, last=JUNE, calendar=CALENDAR):
    """The publications that have problems, with these."""
    found = data_problems(
        runner.lakehouse, USE_CASE.steps, table, CALENDAR.window(first, last), calendar
    )
    return {name: names for name, names in found.items() if names}


def words(found):
    """The same, with the first word of each problem only."""
    return {name: [p.split(":")[0].split(" at ")[0] for p in ps] for name, ps in found.items()}


def test_every_publication_underneath_is_looked_at(built):
    found = data_problems(
        built.lakehouse, USE_CASE.steps, FEATURES, CALENDAR.window(JUNE), CALENDAR
    )
    assert found == {
        **{f"{FEATURES}[{JUNE}]": (), f"{GOLD}[{JUNE}]": ()},
        **{f"{SILVER}[{month}]": () for month in (APRIL, MAY, JUNE)},
        **{f"{BRONZE}[{month}]": () for month in (APRIL, MAY, JUNE)},
    }


def test_without_a_calendar_an_input_begins_with_its_first_publication(built):
    assert problems(built, calendar=None) == {}
    assert problems(built, first="2005-03", calendar=None) == {
        f"{FEATURES}[2005-03]": ("never_published",),
    }


def test_a_month_that_was_run_and_found_empty_is_not_one_that_never_was(runner, settings):
    labels = LABELS
    deliver_sample(settings.landing, 60, [APRIL, MAY])
    for month in (APRIL, MAY):
        runner.run_tables(month)
    assert runner.lakehouse.history(labels).publication_of(APRIL) is None
    assert problems(runner, labels, APRIL, MAY) == {}
    assert problems(runner, labels, JUNE, JUNE)[f"{labels}[{JUNE}]"] == ("never_published",)


def test_a_month_that_was_never_delivered_is_a_problem(runner, settings):
    deliver_sample(settings.landing, 60, [MAY, JUNE])
    runner.run_tables(MAY, JUNE)
    # What the past of gold lacks is named below it only: it may have come since gold was made.
    assert problems(runner) == {
        f"{SILVER}[{APRIL}]": ("never_published",),
        f"{BRONZE}[{APRIL}]": ("never_published",),
    }


def test_a_failed_rule_three_tables_down_is_found(runner, settings):
    deliver_sample(settings.landing, 60, [APRIL, JUNE])
    deliver(settings.landing, MAY, *statements(MAY, 60, pay_status="1"))
    runner.run_tables(APRIL, JUNE)
    assert problems(runner) == {f"{SILVER}[{MAY}]": ("rule_pay_status_1_rare",)}


def test_a_redelivery_with_other_rows_makes_stale_what_was_not_rebuilt(built, settings):
    deliver_sample(settings.landing, 50, [MAY])
    built.run(BRONZE, MAY)
    assert words(problems(built)) == {f"{SILVER}[{MAY}]": ["stale"]}
    built.run(SILVER, MAY)
    [found] = problems(built).items()
    assert found == (f"{GOLD}[{JUNE}]", (f"stale: made before {SILVER}[{MAY}] changed",))
    built.run(GOLD, MAY, JUNE)
    assert words(problems(built)) == {f"{FEATURES}[{JUNE}]": ["stale"]}
    built.run(FEATURES, MAY, JUNE)
    assert problems(built) == {}


def test_what_was_rebuilt_with_an_identical_result_is_not_stale_and_nothing_below_looks_new(
    built, settings
):
    versions = {key: built.lakehouse.history(key).version for key in (GOLD, FEATURES)}
    before = built.lakehouse.history(SILVER).publication_of(MAY)
    content = deliver_lines(settings, MAY)
    header, *rows = content
    deliver_bytes(settings.landing, MAY, "\n".join([header, *reversed(rows), ""]).encode())
    assert built.run(BRONZE, MAY).changed == (MAY,)
    assert words(problems(built)) == {f"{SILVER}[{MAY}]": ["stale"]}
    assert built.run(SILVER, MAY).changed == ()
    assert problems(built) == {}
    assert built.lakehouse.history(SILVER).publication_of(MAY) == before
    for key in (GOLD, FEATURES):
        assert built.run(key, MAY, JUNE).changed == ()
    assert {key: built.lakehouse.history(key).version for key in versions} == versions
    # Said once, it is not said again.
    again = built.lakehouse.history(SILVER).version
    built.run(SILVER, MAY)
    assert built.lakehouse.history(SILVER).version == again


def deliver_lines(settings, month):
    import gzip

    from finance_assets_tests.scenario import delivery_path

    path = delivery_path(settings.landing, month)
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_what_is_delivered_while_a_run_looks_at_its_inputs_is_not_in_what_it_made(
    built, settings, monkeypatch
):
    """A run that took the version before and the content after would count as fresh for good."""
    ask, waiting = TableHistory.version.fget, [BRONZE]

    def version(history):
        found = ask(history)
        if history.stored.table in waiting:
            waiting.remove(history.stored.table)
            deliver(settings.landing, MAY, *statements(MAY, 60))
            built.run(BRONZE, MAY)
        return found

    monkeypatch.setattr(TableHistory, "version", property(version))
    built.run(SILVER, MAY)
    assert waiting == []
    assert words(problems(built)) == {f"{SILVER}[{MAY}]": ["stale"]}
    assert built.run(SILVER, MAY).changed == (MAY,)


def test_a_redelivery_of_identical_rows_makes_nothing_stale(built, settings):
    text = "\n".join([*deliver_lines(settings, MAY), ""])
    deliver_bytes(settings.landing, MAY, (text + "\n").encode())
    assert built.run(BRONZE, MAY).changed == ()
    assert problems(built) == {}


def test_a_foreign_write_is_found_until_the_partition_was_published_again(built):
    path = built.lakehouse.path(SILVER)
    rows = DeltaTable(path).to_pyarrow_table(filters=[("statement_month", "=", MAY)])
    one = rows.slice(0, 1).set_column(
        rows.column_names.index("account_id"), "account_id", pa.array([999], pa.int64())
    )
    write_deltalake(path, one, mode="append")
    altered = {f"{SILVER}[{MAY}]": ["altered"]}
    assert words(problems(built)) == {**altered, f"{GOLD}[{JUNE}]": ["stale"]}
    # What was made from altered rows is stale once these are mended.
    assert built.run(GOLD, MAY, JUNE).changed == (MAY,)
    assert words(problems(built)) == altered
    assert built.run(SILVER, MAY).changed == (MAY,)
    assert words(problems(built)) == {f"{GOLD}[{JUNE}]": ["stale"]}
    built.run(GOLD, MAY, JUNE)
    built.run(FEATURES, MAY, JUNE)
    assert problems(built) == {}


def test_text_of_another_writer_in_the_log_is_no_publication(built):
    from deltalake import CommitProperties

    path = built.lakehouse.path(FEATURES)
    rows = DeltaTable(path).to_pyarrow_table(filters=[("statement_month", "=", JUNE)])
    said = CommitProperties(custom_metadata={"userMetadata": "a note of mine"})
    write_deltalake(path, rows.slice(0, 1), mode="append", commit_properties=said)
    assert words(problems(built)) == {f"{FEATURES}[{JUNE}]": ["altered"]}


def test_maintenance_is_no_alteration(built):
    for key in (BRONZE, SILVER):
        table = DeltaTable(built.lakehouse.path(key))
        table.optimize.compact()
        table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
        table.alter.set_table_properties({"a.b": "c"}, raise_if_not_exists=False)
    assert problems(built) == {}


def test_publications_from_before_contents_were_recorded_are_compared_by_version(
    built, settings, monkeypatch
):
    from finance_assets.compute import runner as local

    read = local.read_inputs
    monkeypatch.setattr(
        local, "read_inputs", lambda *of, **more: replace(read(*of, **more), made_from={})
    )
    deliver_sample(settings.landing, 55, [MAY])
    built.run_tables(APRIL, JUNE)
    assert problems(built) == {}
    deliver_sample(settings.landing, 50, [MAY])
    built.run(BRONZE, MAY)
    assert words(problems(built)) == {f"{SILVER}[{MAY}]": ["stale"]}


def test_an_evaluation_rests_on_clean_data_all_the_way_down(built, settings):
    from finance_assets_tests.model_life.models import (
        CANDIDATE,
        DECISION,
        EVALUATION,
        run_model_steps,
    )

    def found():
        return data_problems(
            built.lakehouse, USE_CASE.steps, EVALUATION, CALENDAR.window(JUNE), CALENDAR
        )

    deliver_sample(settings.landing, 1000, [APRIL, MAY, JUNE])
    built.run_tables(APRIL, JUNE)
    # So does one that the decision had to measure itself.
    run_model_steps(built, JUNE, keys=(CANDIDATE, DECISION))
    assert len(found()) > 10
    assert set(found().values()) == {()}
    run_model_steps(built, JUNE, keys=(EVALUATION,))
    assert set(found().values()) == {()}


def test_where_the_log_does_not_say_which_partitions_were_changed_it_may_be_any(built, monkeypatch):
    from finance_assets.lakehouse.catalog_log import HARMLESS
    from finance_assets.lakehouse.folder import FolderTable

    def hidden(commit):
        changed = frozenset() if commit.operation.upper() in HARMLESS else None
        return replace(commit, changed=changed)

    real = FolderTable.commits
    monkeypatch.setattr(
        FolderTable, "commits", lambda self, after=-1: list(map(hidden, real(self, after)))
    )
    path = built.lakehouse.path(SILVER)
    rows = DeltaTable(path).to_pyarrow_table(filters=[("statement_month", "=", MAY)])
    write_deltalake(path, rows.slice(0, 0), mode="append")
    assert set(words(problems(built))[f"{SILVER}[{APRIL}]"]) == {"altered"}
    # Running the months again clears all of them, and none that never was is waited for.
    built.run(SILVER, APRIL, JUNE)
    built.run(GOLD, APRIL, JUNE)
    assert problems(built) == {}


def test_a_range_that_reads_all_of_the_past_asks_once_of_each_partition(built, monkeypatch):
    asked, real = [], TableHistory.publication_of

    def asking(history, partition, at=None):
        asked.append(partition)
        return real(history, partition, at)

    all_before = (replace(USE_CASE.step(GOLD).inputs[0], first_offset=None, last_offset=-1),)
    monkeypatch.setattr(TableHistory, "publication_of", asking)
    found = read_inputs(built.lakehouse, all_before, CALENDAR.window(MAY, JUNE)).made_from
    assert sorted(asked) == [APRIL, MAY]
    monkeypatch.undo()
    one = read_inputs(built.lakehouse, all_before, CALENDAR.window(JUNE)).made_from
    assert found[JUNE] == one[JUNE] != found[MAY]


def test_what_partitions_are_made_from_is_computed_again_only_after_an_input_changed(
    built, settings, monkeypatch
):
    step, window = USE_CASE.step(GOLD), CALENDAR.window(APRIL, JUNE)

    def refuse(*_):
        raise AssertionError("it is computed again")

    before = read_inputs(built.lakehouse, step.inputs, window).made_from
    with monkeypatch.context() as patch:
        patch.setattr("finance_assets.step.lineage._contents", refuse)
        assert read_inputs(built.lakehouse, step.inputs, window).made_from == before
    deliver(settings.landing, MAY, *statements(MAY, bill_ntd="4000"))
    built.run_tables(MAY)
    after = read_inputs(built.lakehouse, step.inputs, window).made_from
    assert [p for p in window if after[p] != before[p]] == [MAY, JUNE]
