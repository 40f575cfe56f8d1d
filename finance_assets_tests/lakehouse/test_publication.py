"""What a commit says of itself reads back, also what was written by earlier editions."""

import json
from dataclasses import replace

import pytest

from finance_assets.lakehouse.publication import Delivery, Ledger, Publication

# As it stands in a commit of before.
STORED = (
    '{"code_sha": "test", "constants": {"2005-04": {"model": "a"}}, "deliveries": {"2005-04": '
    '{"content": "3:1", "rows": "3:2", "sha256": "ab"}}, "failed_checks": {"2005-04": ["rule_small"]}, '
    '"files": {"2005-04": [9, 1, 2]}, "fingerprints": {"2005-04": "3:77"}, "first": "2005-04", "inputs": {"bronze.x": 4}, "is_confirmation": false, "last": "2005-04", '
    '"ledgers": {"2005-04": {"delivered": 4, "duplicates": 1, "is_aggregate": false, "published": '
    '3, "quarantined": 0}}, "made_from": {"2005-04": "0f"}, "measured_by": "e1", '
    '"run_id": "run-1", "table": "silver.x"}'
)
READ = Publication(
    table="silver.x",
    first="2005-04",
    last="2005-04",
    ledgers={"2005-04": Ledger(4, 3, 0, 1)},
    fingerprints={"2005-04": "3:77"},
    failed_checks={"2005-04": ["rule_small"]},
    run_id="run-1",
    code_sha="test",
    inputs={"bronze.x": 4},
    made_from={"2005-04": "0f"},
    deliveries={"2005-04": Delivery("ab", "3:2", "3:1")},
    files={"2005-04": (9, 1, 2)},
    constants={"2005-04": {"model": "a"}},
    measured_by="e1",
    version=7,
)


def test_a_text_of_before_is_read_and_written_as_it_was():
    assert Publication.from_json(STORED, 7) == READ
    assert READ.to_json() == STORED


def test_fields_that_are_younger_than_the_text_have_their_defaults():
    record = json.loads(STORED)
    for name in ("deliveries", "files", "constants", "made_from", "inputs", "measured_by"):
        del record[name]
    del record["is_confirmation"]
    del record["ledgers"]["2005-04"]["is_aggregate"]
    found = Publication.from_json(json.dumps(record), 7)
    none = {"deliveries": {}, "files": {}, "constants": {}, "made_from": {}, "inputs": {}}
    assert found == replace(READ, **none, measured_by="")


@pytest.mark.parametrize(
    "change",
    [
        {"a_younger_field": 1},
        {"ledgers": {"2005-04": {"delivered": 4, "published": "many"}}},
        {"ledgers": {"2005-04": {"delivered": 4, "published": 4, "lost": 1}}},
        {"deliveries": {"2005-04": {"sha256": "ab"}}},
        {"fingerprints": None},
        {"table": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_text_of_another_form_is_no_publication(change):
    with pytest.raises(ValueError):
        Publication.from_json(json.dumps({**json.loads(STORED), **change}), 7)


@pytest.mark.parametrize("text", ["", "hello", "[]", "{}", "null", '{"ledgers": 1}', "{not json"])
def test_any_other_text_is_no_publication(text):
    with pytest.raises(ValueError):
        Publication.from_json(text, 7)
