"""Bad deliveries end in a clear error that names file, line and remedy; the table is unchanged."""

import gzip

import pytest

from finance_assets.errors import DeliveryError
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    HEADER,
    MAY,
    Statement,
    deliver,
    deliver_bytes,
    delivered,
    statements,
)


@pytest.fixture
def april_is_in(runner, settings):
    """A table that already holds a month, which no bad delivery may change."""
    deliver(settings.landing, APRIL, *statements(APRIL))
    runner.run(BRONZE, APRIL)
    return runner


def refused(runner, month: str = APRIL) -> DeliveryError:
    """Run the ingestion; it must fail, and leave version and rows as they were."""
    before = runner.lakehouse.history(BRONZE).version, runner.rows(BRONZE)
    with pytest.raises(DeliveryError) as caught:
        runner.run(BRONZE, month)
    assert (runner.lakehouse.history(BRONZE).version, runner.rows(BRONZE)) == before
    assert caught.value.remedy
    return caught.value


def test_a_missing_delivery_names_the_expected_file(april_is_in):
    error = refused(april_is_in, MAY)
    assert "missing" in error.what
    assert error.where.endswith(delivered(MAY))
    assert "FINANCE_ASSETS_LANDING" in error.remedy


def test_an_empty_file_is_not_taken_for_an_empty_month(april_is_in, settings):
    path = deliver_bytes(settings.landing, APRIL, b"")
    assert "empty" in refused(april_is_in).what
    path.write_bytes(b"")
    assert "empty" in refused(april_is_in).what


def test_a_header_without_rows_is_refused(april_is_in, settings):
    deliver(settings.landing, APRIL)
    error = refused(april_is_in)
    assert "no rows" in error.what
    assert "line 1" in error.where


def test_a_truncated_gzip_names_the_last_readable_line(april_is_in, settings):
    rows = statements(APRIL, 2000)
    path = deliver(settings.landing, APRIL, *rows)
    path.write_bytes(path.read_bytes()[:-200])
    error = refused(april_is_in)
    assert "cut short" in error.what
    assert "after line" in error.where


def test_a_file_that_is_not_gzip_is_refused(april_is_in, settings):
    path = deliver(settings.landing, APRIL, *statements(APRIL))
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert "gzip" in refused(april_is_in).what


def test_a_missing_column_is_named(april_is_in, settings):
    deliver(settings.landing, APRIL, Statement(), header=HEADER.replace("bill_ntd", "balance"))
    error = refused(april_is_in)
    assert "bill_ntd" in error.what
    assert "balance" in error.what
    assert error.where.endswith("line 1")


def test_an_extra_column_is_named(april_is_in, settings):
    deliver(settings.landing, APRIL, Statement().line() + ",x", header=HEADER + ",branch")
    assert "branch" in refused(april_is_in).what


def test_a_reordered_header_is_refused_even_though_every_name_is_there(april_is_in, settings):
    names = HEADER.split(",")
    deliver(settings.landing, APRIL, Statement(), header=",".join(reversed(names)))
    error = refused(april_is_in)
    assert "another order" in error.what
    assert HEADER in error.remedy


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_wrong_encoding_names_line_and_byte(april_is_in, settings, encoding):
    text = "\n".join([HEADER, Statement().line(), Statement(account_id="é").line()])
    deliver_bytes(settings.landing, APRIL, text.encode(encoding))
    error = refused(april_is_in)
    assert "not UTF-8" in error.what
    assert error.where.endswith("line 3" if encoding == "latin-1" else "line 1")


def test_bronze_keeps_every_row_as_it_came_with_its_place_in_the_file(runner, settings):
    deliver(settings.landing, APRIL, Statement(bill_ntd=" 12.5 "), "1,2", *statements(APRIL, 1))
    result = runner.run(BRONZE, APRIL)
    rows = runner.rows(BRONZE, "_source_line")
    assert [row["_source_line"] for row in rows] == [2, 3, 4]
    assert [row["bill_ntd"] for row in rows] == [" 12.5 ", None, "3913"]
    assert [row["_malformed_line"] for row in rows] == [None, "1,2", None]
    assert {row["_source_file"] for row in rows} == {delivered(APRIL)}
    assert result.publication.ledgers[APRIL].delivered == 3


def test_a_blank_line_at_the_end_is_no_row(runner, settings):
    deliver(settings.landing, APRIL, *statements(APRIL, 2), "")
    assert runner.run(BRONZE, APRIL).publication.ledgers[APRIL].delivered == 2
