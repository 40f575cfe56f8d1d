"""Questions that belong together are asked of tables that stand still meanwhile."""

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
    still, before = lakehouse.still(), said(lakehouse)
    assert said(still) == before
    publish_rows(lakehouse, OTHER)
    assert said(still) == before
    assert said(lakehouse)[0] > before[0]
    assert said(lakehouse.still()) == said(lakehouse) != before


def test_its_rows_are_those_that_its_log_speaks_of(lakehouse):
    publish_rows(lakehouse, GOOD)
    still = lakehouse.still()
    said(still)
    publish_rows(lakehouse, OTHER)
    window = CALENDAR.window(APRIL)
    assert still.read(THINGS).count() == len(GOOD)
    assert altered_partitions(still, THINGS, window) == []
    assert stored_rows(still, THINGS, window) == {APRIL: len(GOOD)}
    assert lakehouse.read(THINGS).count() == len(OTHER)


def test_tables_that_are_named_are_looked_at_at_once(lakehouse):
    publish_rows(lakehouse, GOOD)
    before = said(lakehouse)
    named, unnamed = lakehouse.still([THINGS.table]), lakehouse.still()
    publish_rows(lakehouse, OTHER)
    assert said(named) == before
    assert said(unnamed) == said(lakehouse)


def test_nobody_who_asks_later_is_told_of_the_moment_before(lakehouse):
    """What was asked of a table that stood still is not remembered for others."""
    publish_rows(lakehouse, GOOD)
    still = lakehouse.still()
    said(still)
    publish_rows(lakehouse, OTHER)
    said(still)
    now = said(lakehouse)
    assert now[1] != said(still)[1]
    publish_rows(lakehouse, GOOD)
    assert said(lakehouse)[0] > now[0]


def test_a_table_is_opened_once(lakehouse):
    publish_rows(lakehouse, GOOD)
    still = lakehouse.still()
    assert still.table(THINGS.table) is still.history(THINGS.table).stored
    assert lakehouse.table(THINGS.table) is not lakehouse.table(THINGS.table)
    assert still.path(THINGS.table) == lakehouse.path(THINGS.table)


def test_nothing_is_published_where_tables_stand_still(lakehouse):
    publish_rows(lakehouse, GOOD)
    before = said(lakehouse)
    with pytest.raises(AssertionError, match="stand still"):
        publish(lakehouse.still(), propose(lakehouse, OTHER), ORIGIN)
    assert said(lakehouse) == before
