"""What the history of a catalog's table proves, where nobody sees its files."""

from datetime import UTC, datetime

import pytest

from finance_assets.lakehouse.catalog_log import commit_of, undisturbed
from finance_assets.lakehouse.log_index import Reading, Record
from finance_assets.lakehouse.publication import Ledger, Publication

APRIL, MAY, JUNE = MONTHS = ("2005-04", "2005-05", "2005-06")


def published(*months, is_confirmation=False, rows="1:1"):
    """A publication as DESCRIBE HISTORY shows it."""
    ledgers = {month: Ledger(1, 1) for month in months}
    said = Publication(
        *("silver.things", months[0], months[-1], ledgers),
        fingerprints=dict.fromkeys(months, rows),
        failed_checks={},
        run_id="run",
        code_sha="abc",
        is_confirmation=is_confirmation,
    )
    return "WRITE", said.to_json()


def read(*commits):
    """What is read of a log of these commits, oldest first."""
    rows = [
        {
            "version": version,
            "timestamp": datetime(2026, 1, 1, 12, version, tzinfo=UTC),
            "operation": operation,
            "userMetadata": text,
        }
        for version, (operation, text) in enumerate(commits)
    ]
    return Reading(tuple(Record.of(commit_of(row)) for row in reversed(rows)))


MADE, BOTH = ("CREATE TABLE", None), published(APRIL, MAY)


@pytest.mark.parametrize(
    ("later", "proven"),
    [
        ([], {APRIL, MAY, JUNE}),
        ([("OPTIMIZE", None), ("VACUUM END", None)], {APRIL, MAY, JUNE}),
        ([published(MAY)], {APRIL, MAY, JUNE}),
        ([("UPDATE", None)], set()),
        ([("WRITE", None)], set()),
        # It forgets the files that are lost, and their rows.
        ([("FSCK", None)], set()),
        ([("RESTORE", None)], set()),
        ([("WRITE", "a text that is none of ours")], set()),
        ([("UPDATE", None), published(MAY)], {MAY}),
        ([("UPDATE", None), published(APRIL, MAY, is_confirmation=True)], {APRIL, MAY}),
        # It wrote the rows that it had found over others that came in between.
        ([published(MAY, is_confirmation=True, rows="1:2")], {APRIL, JUNE}),
        ([published(MAY), ("DELETE", None), ("OPTIMIZE", None)], set()),
    ],
)
def test_what_nobody_can_have_changed_since_publish_saw_it_is_proven(later, proven):
    assert undisturbed(read(MADE, BOTH, *later), MONTHS) == proven


def test_a_log_without_its_beginning_proves_nothing():
    whole = read(MADE, BOTH, ("OPTIMIZE", None))
    assert undisturbed(Reading(whole.records[:-1]), MONTHS) == frozenset()


def test_a_table_that_was_not_made_by_publish_is_not_known_to_be_empty():
    assert undisturbed(read(("CREATE TABLE AS SELECT", None)), MONTHS) == frozenset()
