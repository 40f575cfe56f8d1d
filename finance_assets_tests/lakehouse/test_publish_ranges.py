"""A run of many partitions leaves what each partition's own run would leave."""

import json
import shutil
from dataclasses import replace

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from finance_assets.lakehouse import constraints
from finance_assets.lakehouse import publish as publishing
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.lakehouse.integrity import altered_partitions, unproven_alterations
from finance_assets.lakehouse.publish import publish
from finance_assets_tests.lakehouse.things import (
    BOTH,
    GOOD,
    ORIGIN,
    ROWS,
    SCHEMA,
    THINGS,
    propose,
    publish_rows,
    stored,
)
from finance_assets_tests.scenario import APRIL, CALENDAR, MAY

pytestmark = pytest.mark.usefixtures("two_months")

STRICT = replace(THINGS.columns[2], is_nullable=False)
CORRECTED = [*ROWS[:2], (1, MAY, 4.0)]


def versions(lakehouse):
    history = lakehouse.history(THINGS.table)
    return {month: history.publication_of(month).version for month in BOTH}


def test_only_the_partitions_that_changed_get_a_new_version(lakehouse):
    before = versions(lakehouse)
    result = publish_rows(lakehouse, CORRECTED, BOTH)
    after = versions(lakehouse)
    assert result.changed == (MAY,)
    assert after[APRIL] == before[APRIL]
    assert after[MAY] == result.publication.version > before[MAY]
    assert result.publication.partitions == (MAY,)
    assert sorted(stored(lakehouse)) == sorted(CORRECTED)


def test_a_partition_that_only_has_news_is_confirmed_beside_one_that_changed(lakehouse):
    origin = replace(ORIGIN, made_from=dict.fromkeys(BOTH, "other inputs"))
    before = versions(lakehouse)
    publish(lakehouse, propose(lakehouse, CORRECTED, BOTH), origin)
    history = lakehouse.history(THINGS.table)
    assert versions(lakehouse)[APRIL] == before[APRIL]
    assert history.in_force(APRIL).made_from == {APRIL: "other inputs"}
    assert history.in_force(MAY).made_from == {MAY: "other inputs"}


def test_rows_that_somebody_changes_meanwhile_are_not_confirmed(lakehouse, monkeypatch):
    """Nobody compared them: the next run has to."""
    real = publishing.commit

    def late(*given):
        table = DeltaTable(str(lakehouse.path(THINGS.table)))
        table.update({"value": "9.0"}, predicate=f"month = '{APRIL}' AND id = 1")
        real(*given)

    monkeypatch.setattr(publishing, "commit", late)
    publish_rows(lakehouse, CORRECTED, BOTH)
    assert lakehouse.history(THINGS.table).altered_at(APRIL) is not None
    monkeypatch.setattr(publishing, "commit", real)
    publish_rows(lakehouse, CORRECTED, BOTH)
    assert lakehouse.history(THINGS.table).altered_at(APRIL) is None
    assert sorted(stored(lakehouse)) == sorted(CORRECTED)


def test_rows_that_somebody_put_back_are_published_anew(lakehouse):
    """Else what was made from the rows in between would count as made from these."""
    before = versions(lakehouse)
    publish_rows(lakehouse, CORRECTED, BOTH)
    DeltaTable(str(lakehouse.path(THINGS.table))).restore(before[MAY])
    result = publish_rows(lakehouse, ROWS, BOTH)
    history = lakehouse.history(THINGS.table)
    assert result.changed == (MAY,)
    assert history.publication_of(MAY).fingerprints[MAY] == result.fingerprints[MAY]
    assert [history.altered_at(month) for month in BOTH] == [None, None]
    assert sorted(stored(lakehouse)) == sorted(ROWS)


@pytest.mark.parametrize(
    "changed",
    [
        replace(THINGS, columns=(THINGS.columns[1], THINGS.columns[0], *THINGS.columns[2:])),
        replace(THINGS, columns=(*THINGS.columns[:2], STRICT, *THINGS.columns[3:])),
    ],
    ids=["reordered", "required"],
)
def test_a_contract_that_changes_without_harm_makes_no_row_look_altered(lakehouse, changed):
    publish_rows(lakehouse, [(1, APRIL, 1.0)])
    publish_rows(lakehouse, [(1, APRIL, 1.0), (2, APRIL, 2.0)])
    for month in BOTH:
        # The files are no longer those of the publication.
        table = DeltaTable(str(lakehouse.path(THINGS.table)))
        table.update({"seen_at": "'now'"}, predicate=f"month = '{month}'")
    assert unproven_alterations(lakehouse, changed, BOTH) == []
    assert altered_partitions(lakehouse, changed, BOTH) == []
    table = DeltaTable(str(lakehouse.path(THINGS.table)))
    table.update({"value": "9.0"}, predicate="month = '2005-05'")
    assert unproven_alterations(lakehouse, changed, BOTH) == [MAY]
    assert altered_partitions(lakehouse, changed, BOTH) == [MAY]


def test_a_column_that_may_be_null_since_takes_nulls(lakehouse):
    required = replace(
        THINGS,
        table="silver.strict_things",
        columns=(*THINGS.columns[:2], replace(THINGS.columns[2], is_nullable=False)),
    )
    allowed = replace(required, columns=(*required.columns[:2], THINGS.columns[2]))
    rows = propose(lakehouse, [(1, APRIL, 1.0)], contract=required)
    publish(lakehouse, replace(rows, rows=rows.rows.drop("seen_at")), ORIGIN)
    assert "value" in lakehouse.table(required.table).required()
    with_null = propose(lakehouse, [(1, MAY, None)], CALENDAR.window(MAY), allowed)
    publish(lakehouse, replace(with_null, rows=with_null.rows.drop("seen_at")), ORIGIN)
    assert "value" not in lakehouse.table(required.table).required()
    found = lakehouse.read(allowed).selectExpr("count(*)", "count_if(value IS NULL)").collect()
    assert tuple(found[0]) == (2, 1)


def test_a_table_whose_column_may_be_null_since_keeps_its_rules_though_no_row_changed(lakehouse):
    strict = replace(THINGS, columns=(*THINGS.columns[:2], STRICT, *THINGS.columns[3:]))
    strict = replace(strict, table="silver.strict_things")
    allowed = replace(THINGS, table=strict.table)
    assert publish(lakehouse, propose(lakehouse, GOOD, contract=strict), ORIGIN).changed
    assert not publish(lakehouse, propose(lakehouse, GOOD, contract=allowed), ORIGIN).changed
    found = lakehouse.table(strict.table)
    assert constraints.is_enforced(found, allowed)
    null, wrong = (
        lakehouse.spark.sql(
            f"SELECT 9L AS id, '{MAY}' AS month, {value} AS value, 'now' AS seen_at"
        )
        for value in ("cast(null as double)", "-1.0D")
    )
    null.write.format("delta").mode("append").save(found.place)
    with pytest.raises(Exception, match="row_rules"):
        wrong.write.format("delta").mode("append").save(found.place)


def test_a_table_that_was_moved_away_is_made_again_in_the_same_session(lakehouse):
    shutil.rmtree(lakehouse.path(THINGS.table))
    publish_rows(lakehouse, CORRECTED, BOTH)
    assert sorted(stored(lakehouse)) == sorted(CORRECTED)


def test_a_table_whose_making_was_cut_short_is_made(lakehouse):
    shutil.rmtree(lakehouse.path(THINGS.table))
    (lakehouse.path(THINGS.table) / "_delta_log").mkdir(parents=True)
    assert not lakehouse.table(THINGS.table).exists
    assert lakehouse.history(THINGS.table).version == -1
    publish_rows(lakehouse, ROWS, BOTH)
    assert sorted(stored(lakehouse)) == sorted(ROWS)


def test_a_publication_of_before_is_published_anew_where_it_says_otherwise(lakehouse):
    """Else a partition looked altered for good: nobody knows how it was measured."""
    path = str(lakehouse.path(THINGS.table))
    said = json.loads(lakehouse.history(THINGS.table).publication_of(MAY).to_json())
    del said["measured_by"]
    said["fingerprints"] = dict.fromkeys(BOTH, "2:1")
    rows = pa.Table.from_pylist(
        [dict(zip(SCHEMA.names, (*row, None), strict=True)) for row in ROWS], schema=SCHEMA
    )
    told = CommitProperties(custom_metadata={"userMetadata": json.dumps(said)})
    write_deltalake(path, rows, mode="overwrite", commit_properties=told)
    assert altered_partitions(lakehouse, THINGS, BOTH) == [APRIL, MAY]
    assert publish_rows(lakehouse, ROWS, BOTH).changed == (APRIL, MAY)
    assert altered_partitions(lakehouse, THINGS, BOTH) == []
    assert publish_rows(lakehouse, ROWS, BOTH).changed == ()


def test_two_runs_at_once_let_a_column_be_null(lakehouse, monkeypatch):
    strict = replace(
        THINGS,
        table="silver.strict_things",
        columns=(*THINGS.columns[:2], STRICT, *THINGS.columns[3:]),
    )
    allowed = replace(THINGS, table=strict.table)
    publish(lakehouse, propose(lakehouse, GOOD, contract=strict), ORIGIN)
    real = FolderTable.relax

    def second(table, column):
        monkeypatch.setattr(FolderTable, "relax", real)
        lakehouse.ensure(allowed)
        raise CommitFailedError("another was first")

    monkeypatch.setattr(FolderTable, "relax", second)
    lakehouse.ensure(allowed)
    assert not lakehouse.table(strict.table).required() & {"value"}
    assert constraints.is_enforced(lakehouse.table(strict.table), allowed)
