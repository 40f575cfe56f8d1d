"""JSON lines: every value is the text that stands in the file; odd lines are kept as they came."""

import pytest

from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.lakehouse.sources.json_lines import JsonLines
from finance_assets.lakehouse.sources.source import Source, SourceColumn
from finance_assets_tests.lakehouse.sources.made_up import Refined

P = "2005-04"
THINGS = Refined(
    Source(
        "the shop",
        "things_{partition}.jsonl.gz",
        (SourceColumn("id", at_source="ID"), SourceColumn("name"), SourceColumn("amount")),
        JsonLines(),
    ),
    {"id": "bigint", "name": "string", "amount": "decimal(10,2)"},
    key=("id",),
)
LINES = [
    '{"ID": 1, "name": "a \\"quoted\\"\\nname", "amount": 1.50}',
    '{"amount": 1e2, "ID": 2, "name": null}',
    "",
    '{"ID": 3}',
    '{"ID": 4, "name": true, "amount": "7"}',
    '{"ID": 5, "name": "x", "colour": "red"}',
    '{"ID": 6, "ID": 7}',
    '{"ID": 8, "name": {"first": "x"}}',
    '{"ID": 9, "name": "half \\ud800"}',
    '{"ID": 10, "amount": NaN}',
    "[1, 2]",
    '{"ID": 11, "name": "cut',
    '{"ID": 12, "name": "\u2028 in a line"}',
]


@pytest.fixture
def delivered(runner, settings):
    THINGS.deliver(settings, P, "\n".join(LINES) + "\n")
    THINGS.run(runner, P)
    return runner


def test_values_are_the_text_of_the_file_and_odd_lines_are_kept(delivered):
    rows = {row["_source_line"]: row for row in delivered.rows(THINGS.bronze.table)}
    fields = {n: [row[c] for c in ("id", "name", "amount")] for n, row in rows.items()}
    assert fields[1] == ["1", 'a "quoted"\nname', "1.50"]
    assert fields[2] == ["2", None, "1e2"]
    assert fields[4] == ["3", None, None]
    assert fields[5] == ["4", "true", "7"]
    assert fields[13] == ["12", "\u2028 in a line", None]
    assert {n for n, row in rows.items() if row["_malformed_line"]} == {6, 7, 8, 9, 10, 11, 12}
    assert all(row["_malformed_line"] in (None, LINES[n - 1]) for n, row in rows.items())


def test_what_is_wrong_with_an_odd_line_is_said_in_its_own_words(delivered):
    reasons = delivered.quarantined(THINGS.silver.table)
    assert reasons[6].startswith("malformed_line: it is no JSON object of single values")
    assert reasons[2] == "amount: not readable as decimal(10,2)"


def test_a_line_is_found_again_in_the_kept_file(delivered):
    delivery = delivered.lakehouse.history(THINGS.bronze.table).deliveries()[P]
    copy = DeliveryArchive(delivered.settings.archive_root).place(delivery.sha256)
    rows = {row["_source_line"]: row for row in delivered.rows(THINGS.bronze.table)}
    format_ = THINGS.source.format
    texts = format_.texts(THINGS.source, copy, set(rows))
    assert texts == {n: LINES[n - 1] for n in rows}
    assert all(format_.shows(THINGS.source, texts[n], row) for n, row in rows.items())
    assert not format_.shows(THINGS.source, texts[1], rows[2])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"ID": 1, "nmae": "x"}\n', "adds ['nmae']"),
        ('[{"ID": 1}]\n', "a JSON list, not an object a line"),
        ("ID,name,amount\n1,a,2\n", "the line is no JSON object"),
        ("", "the delivery is empty"),
        ("\n\n", "no rows"),
    ],
)
def test_a_file_of_something_else_is_refused_as_a_whole(runner, settings, content, words):
    THINGS.deliver(settings, P, content)
    with pytest.raises(DeliveryError) as caught:
        THINGS.run(runner, P)
    assert words in caught.value.what
