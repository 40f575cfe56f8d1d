"""Publish: audited before it commits, atomic, repeatable, patient with other writers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from finance_assets.errors import ContractError, PublishConflictError
from finance_assets.lakehouse.contract import Column, RowRule, TableRule
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.homes import FolderHome
from finance_assets.lakehouse.publish import publish
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.types import TYPES
from finance_assets_tests.lakehouse.things import (
    BOTH,
    GOOD,
    ORIGIN,
    ROWS,
    THINGS,
    failed,
    propose,
    publish_rows,
    stored,
)
from finance_assets_tests.scenario import APRIL, CALENDAR, MAY


@pytest.mark.parametrize(
    ("rows", "check"),
    [
        ([(1, APRIL, 1.0), (1, APRIL, 2.0)], "keys_unique"),
        ([(None, APRIL, 1.0)], "not_null"),
        ([(1, APRIL, -1.0)], "rule_value_positive"),
        ([(i, APRIL, 1.0) for i in range(6)], "rule_few"),
        ([(1, APRIL, 1.0), (2, MAY, 1.0)], "window"),
        ([], "freshness"),
    ],
)
def test_a_blocking_check_that_fails_leaves_the_table_as_it_was(lakehouse, rows, check):
    publish_rows(lakehouse, GOOD)
    version = lakehouse.history(THINGS.table).version
    result = publish_rows(lakehouse, rows)
    assert result.is_refused
    assert check in failed(result)
    assert stored(lakehouse) == GOOD
    assert lakehouse.history(THINGS.table).version == version


def test_rows_that_do_not_add_up_are_refused(lakehouse):
    lost = propose(lakehouse, GOOD, ledgers={APRIL: Ledger(delivered=3, published=2)})
    assert failed(publish(lakehouse, lost, ORIGIN)) == ["row_conservation"]
    lying = propose(lakehouse, GOOD, ledgers={APRIL: Ledger(delivered=3, published=3)})
    assert failed(publish(lakehouse, lying, ORIGIN)) == ["row_conservation"]
    assert not lakehouse.history(THINGS.table).exists


def test_another_schema_is_refused_with_what_differs(lakehouse):
    proposal = propose(lakehouse, GOOD)
    wrong = proposal.rows.selectExpr("id", "month", "cast(value as int) as value", "1 as extra")
    result = publish(lakehouse, replace(proposal, rows=wrong), ORIGIN)
    assert result.is_refused
    [outcome] = result.outcomes
    assert outcome.check.name == "schema"
    assert "value is int, declared double" in outcome.observed
    assert "extra is not declared" in outcome.observed
    assert "seen_at is missing" in outcome.observed


def test_a_warning_is_reported_and_kept_with_the_commit_but_does_not_block(lakehouse):
    result = publish_rows(lakehouse, [(1, APRIL, 500.0)])
    assert failed(result) == ["rule_small"]
    [publication] = lakehouse.history(THINGS.table).publications
    assert publication.failed_checks == {APRIL: ["rule_small"]}
    assert publication.run_id == "run-1"


def test_a_warning_in_a_range_belongs_to_its_partition_only(lakehouse):
    rows = [(1, APRIL, 1.0), (1, MAY, 500.0)]
    result = publish_rows(lakehouse, rows, CALENDAR.window(APRIL, MAY))
    assert result.publication.failed_checks == {MAY: ["rule_small"]}


def test_a_clean_publication_still_reports_every_declared_check(lakehouse):
    result = publish_rows(lakehouse, GOOD)
    assert [o.check for o in result.outcomes] == list(THINGS.checks)
    assert failed(result) == []


def test_publishing_a_window_replaces_exactly_its_partitions(lakehouse):
    publish_rows(lakehouse, [(1, APRIL, 1.0), (1, MAY, 1.0)], CALENDAR.window(APRIL, MAY))
    publish_rows(lakehouse, [(7, MAY, 7.0)], CALENDAR.window(MAY))
    assert stored(lakehouse) == [(1, APRIL, 1.0), (7, MAY, 7.0)]


def test_the_same_rows_again_commit_nothing_even_if_the_clock_moved_on(lakehouse):
    first = publish_rows(lakehouse, [(1, APRIL, 1.0, "noon")])
    again = publish_rows(lakehouse, [(1, APRIL, 1.0, "midnight")])
    assert first.changed == (APRIL,)
    assert again.changed == ()
    assert again.publication == first.publication


def test_one_changed_value_is_a_new_version_of_its_partition_only(lakehouse):
    publish_rows(lakehouse, [(1, APRIL, 1.0), (1, MAY, 1.0)], CALENDAR.window(APRIL, MAY))
    before = lakehouse.history(THINGS.table)
    first = before.version_of(CALENDAR.window(APRIL))
    assert before.version_of(CALENDAR.window(MAY)) == first
    publish_rows(lakehouse, [(1, MAY, 1.5)], CALENDAR.window(MAY))
    after = lakehouse.history(THINGS.table)
    assert after.version_of(CALENDAR.window(APRIL)) == first
    assert after.version_of(CALENDAR.window(MAY)) == after.version > first


def test_swapped_values_between_rows_do_not_look_the_same(lakehouse):
    publish_rows(lakehouse, [(1, APRIL, 1.0), (2, APRIL, None)])
    assert publish_rows(lakehouse, [(1, APRIL, None), (2, APRIL, 1.0)]).changed == (APRIL,)


def test_writers_of_different_partitions_at_once_all_land(lakehouse):
    months = [f"2005-{number:02d}" for number in range(1, 9)]
    publish_rows(lakehouse, [(0, "2004-12", 1.0)], CALENDAR.window("2004-12"))

    def write(month):
        return publish_rows(lakehouse, [(1, month, 1.0)], CALENDAR.window(month))

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(write, months))
    assert not any(result.is_refused for result in results)
    assert [row[1] for row in stored(lakehouse)].count("2004-12") == 1
    assert {row[1] for row in stored(lakehouse)} == {"2004-12", *months}


def test_writers_that_create_the_table_at_once_all_land(lakehouse):
    months = [f"2005-{number:02d}" for number in range(1, 7)]

    def write(month):
        return publish_rows(lakehouse, [(1, month, 1.0)], CALENDAR.window(month))

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(write, months))
    assert not any(result.is_refused for result in results)
    assert {row[1] for row in stored(lakehouse)} == set(months)


def test_without_patience_a_lost_race_says_which_table_and_window(settings, spark):
    impatient = Lakehouse(FolderHome(settings.lakehouse_root), lambda: spark, publish_attempts=1)
    publish_rows(impatient, GOOD)
    months = [f"2006-{number:02d}" for number in range(1, 13)]

    def write(month):
        try:
            return publish_rows(impatient, [(1, month, 1.0)], CALENDAR.window(month))
        except PublishConflictError as error:
            return error

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(write, months))
    lost = [error for error in results if isinstance(error, PublishConflictError)]
    assert all("silver.things, window 2006-" in error.where for error in lost)
    landed = {row[1] for row in stored(impatient)} - {APRIL}
    assert len(landed) == len(months) - len(lost)


def test_the_stored_table_carries_the_contract(lakehouse):
    publish_rows(lakehouse, GOOD)
    delta = lakehouse.table(THINGS.table).delta
    fields = {field.name: field for field in delta.schema().fields}
    assert fields["value"].metadata["comment"] == "Value [m]"
    assert not fields["id"].nullable
    assert fields["value"].nullable
    configuration = delta.metadata().configuration
    assert "value > 0" in configuration["delta.constraints.row_rules"]
    assert delta.metadata().partition_columns == ["month"]


def test_a_writer_that_goes_around_publish_still_meets_the_constraints(lakehouse):
    publish_rows(lakehouse, GOOD)
    bad = propose(lakehouse, [(9, APRIL, -9.0)]).rows
    with pytest.raises(Exception, match="(?i)constraint"):
        bad.write.format("delta").mode("append").save(str(lakehouse.path(THINGS.table)))
    assert stored(lakehouse) == GOOD


def test_a_changed_rule_replaces_the_old_constraint(lakehouse):
    publish_rows(lakehouse, GOOD)
    loose = replace(THINGS, row_rules=(RowRule("any", "value > -10", "Anything goes."),))
    result = publish(
        lakehouse, propose(lakehouse, [(1, MAY, -5.0)], CALENDAR.window(MAY), loose), ORIGIN
    )
    assert not result.is_refused
    configuration = lakehouse.history(THINGS.table).configuration
    assert "-10" in configuration["delta.constraints.row_rules"]


def test_a_stricter_rule_waits_until_the_older_partitions_keep_it(lakehouse):
    publish_rows(lakehouse, GOOD)
    strict = replace(THINGS, row_rules=(RowRule("big", "value > 50", "Small is out."),))

    def write(month):
        rows = [(1, month, 60.0)]
        publish(lakehouse, propose(lakehouse, rows, CALENDAR.window(month), strict), ORIGIN)
        return lakehouse.history(THINGS.table).configuration

    assert "delta.constraints.row_rules" not in write(MAY)
    assert "50" in write(APRIL)["delta.constraints.row_rules"]


def test_a_changed_contract_is_not_written_over_the_old_table(lakehouse):
    publish_rows(lakehouse, GOOD)
    renamed = tuple(replace(c, name="length") if c.name == "value" else c for c in THINGS.columns)
    other = replace(THINGS, columns=renamed, row_rules=(), table_rules=())
    proposal = propose(lakehouse, [(5, APRIL, 1.0)], contract=other)
    changed = replace(proposal, rows=proposal.rows.withColumnRenamed("value", "length"))
    with pytest.raises(ContractError, match="length is missing; value is not declared"):
        publish(lakehouse, changed, ORIGIN)
    assert stored(lakehouse) == GOOD


def test_no_staged_file_is_left_behind(runner, settings):
    from finance_assets_tests.scenario import deliver, statements

    deliver(settings.landing, APRIL, *statements(APRIL))
    runner.run_tables(APRIL)
    assert list((settings.lakehouse_root / "_staging").iterdir()) == []


class WithoutTheRight:
    """A session of somebody who may not make schemas."""

    def __init__(self, session):
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def sql(self, statement):
        assert not statement.startswith("CREATE SCHEMA"), "PERMISSION_DENIED: CREATE SCHEMA"
        return self._session.sql(statement)


def test_a_schema_that_exists_is_not_made_again(settings, spark):
    spark.sql("CREATE SCHEMA IF NOT EXISTS silver").collect()
    lakehouse = Lakehouse(FolderHome(settings.lakehouse_root), lambda: WithoutTheRight(spark))
    lakehouse.ensure(THINGS)
    assert lakehouse.history(THINGS.table).exists


def test_a_stored_table_has_the_types_it_was_declared_with(lakehouse):
    types = [*sorted(TYPES), "decimal(10,2)"]
    columns = tuple(Column(f"c{n}", kind, "A column") for n, kind in enumerate(types))
    every = replace(
        THINGS,
        table="silver.types",
        columns=(*columns, Column("month", "string", "Month")),
        key=("month",),
        row_rules=(),
        table_rules=(),
    )
    lakehouse.ensure(every)
    assert lakehouse.ensure(every).exists
    other = replace(every, columns=(replace(columns[0], type="string"), *every.columns[1:]))
    assert columns[0].type != "string"
    with pytest.raises(ContractError, match="c0 is"):
        lakehouse.ensure(other)


def test_an_empty_partition_that_a_rule_does_not_allow_is_refused(lakehouse):
    enough = TableRule("enough", "count(*) >= 1", "A month has things.")
    contract = replace(THINGS, table_rules=(enough,), min_rows=0)
    for rows, is_refused in ((GOOD, True), (ROWS, False), (GOOD, True)):
        result = publish(lakehouse, propose(lakehouse, rows, BOTH, contract), ORIGIN)
        assert result.is_refused == is_refused
        assert failed(result) == ["rule_enough"] * is_refused
    assert stored(lakehouse) == sorted(ROWS)
