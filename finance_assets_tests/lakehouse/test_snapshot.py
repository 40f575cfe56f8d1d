"""A snapshot of the lakehouse: questions that belong together are asked of fixed versions."""

import pytest

from finance_assets.lakehouse.integrity import altered_partitions
from finance_assets.lakehouse.publish import publish
from finance_assets.lakehouse.recorded import stored_rows
from finance_assets_tests.lakehouse.things import GOOD, ORIGIN, THINGS, propose, publish_rows
from finance_assets_tests.scenario import APRIL, CALENDAR

OTHER = [(7, APRIL, 7.0)]


def said(lakehouse):
    """What the log says of the table."""
    history = lakehouse.history(THINGS.table)
    found = history.publication_of(APRIL)
    return history.version, found.fingerprints[APRIL] if found else None


def test_a_table_stays_as_it_was_when_it_was_first_asked(lakehouse):
    publish_rows(lakehouse, GOOD)
    snapshot, before = lakehouse.snapshot(), said(lakehouse)
    assert said(snapshot) == before
    publish_rows(lakehouse, OTHER)
    assert said(snapshot) == before
    assert said(lakehouse)[0] > before[0]
    assert said(lakehouse.snapshot()) == said(lakehouse) != before


def test_its_rows_are_those_that_its_log_speaks_of(lakehouse):
    publish_rows(lakehouse, GOOD)
    snapshot = lakehouse.snapshot()
    said(snapshot)
    publish_rows(lakehouse, OTHER)
    window = CALENDAR.window(APRIL)
    assert snapshot.read(THINGS).count() == len(GOOD)
    assert altered_partitions(snapshot, THINGS, window) == []
    assert stored_rows(snapshot, THINGS, window) == {APRIL: len(GOOD)}
    assert lakehouse.read(THINGS).count() == len(OTHER)


def test_a_table_that_was_missing_is_missing(lakehouse):
    snapshot = lakehouse.snapshot([THINGS.table])
    asked_later = lakehouse.snapshot()
    publish_rows(lakehouse, GOOD)
    assert (snapshot.table(THINGS.table).exists, said(snapshot)) == (False, (-1, None))
    assert snapshot.read(THINGS).count() == 0
    assert said(asked_later) == said(lakehouse)


def test_tables_that_are_named_are_looked_at_at_once(lakehouse):
    publish_rows(lakehouse, GOOD)
    before = said(lakehouse)
    named, unnamed = lakehouse.snapshot([THINGS.table]), lakehouse.snapshot()
    publish_rows(lakehouse, OTHER)
    assert said(named) == before
    assert said(unnamed) == said(lakehouse)


def test_nobody_who_asks_later_is_told_of_the_moment_before(lakehouse):
    """What was asked of a snapshot is not remembered for others."""
    publish_rows(lakehouse, GOOD)
    snapshot = lakehouse.snapshot()
    said(snapshot)
    publish_rows(lakehouse, OTHER)
    said(snapshot)
    now = said(lakehouse)
    assert now[1] != said(snapshot)[1]
    publish_rows(lakehouse, GOOD)
    assert said(lakehouse)[0] > now[0]


def test_a_table_is_opened_once(lakehouse):
    publish_rows(lakehouse, GOOD)
    snapshot = lakehouse.snapshot()
    assert snapshot.table(THINGS.table) is snapshot.history(THINGS.table).stored
    assert lakehouse.table(THINGS.table) is not lakehouse.table(THINGS.table)
    assert snapshot.path(THINGS.table) == lakehouse.path(THINGS.table)


def test_nothing_is_published_by_a_snapshot(lakehouse):
    publish_rows(lakehouse, GOOD)
    before = said(lakehouse)
    with pytest.raises(AssertionError, match="by a snapshot"):
        publish(lakehouse.snapshot(), propose(lakehouse, OTHER), ORIGIN)
    assert said(lakehouse) == before
