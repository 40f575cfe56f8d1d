"""Parquet: columns by name, with their types, and the number of each row in its file."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from finance_assets.errors import DeclarationError, DeliveryError
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.lakehouse.sources.parquet import ParquetFile
from finance_assets.lakehouse.sources.parquet_types import fits
from finance_assets.lakehouse.sources.source import Source, SourceColumn
from finance_assets_tests.lakehouse.sources.made_up import Refined, packed, parquet

P, NEXT = "2005-04", "2005-05"
NOON = dt.datetime(2005, 4, 1, 12, tzinfo=dt.UTC)
WITHOUT_ZONE = pa.array([dt.datetime(2005, 4, 1, 12, 0, 0, 5000)] * 5, pa.timestamp("ms"))
ODD_WEIGHTS = pa.array([1.0, float("nan"), float("inf"), 2.0, float("-inf")])
THINGS = Refined(
    Source(
        "the warehouse",
        "things_{partition}.parquet",
        (
            SourceColumn("id", at_source="Thing Id", type="bigint"),
            SourceColumn("name", null_tokens=("NA",)),
            SourceColumn("price", at_source="price.net", type="decimal(12,2)"),
            SourceColumn("weight", type="double"),
            SourceColumn("made_on", type="date"),
            SourceColumn("seen_at", type="timestamp"),
            SourceColumn("is_new", type="boolean"),
        ),
        ParquetFile(),
    ),
    {
        "id": "bigint",
        "name": "string",
        "price": "decimal(12,2)",
        "weight": "double",
        "made_on": "date",
        "seen_at": "timestamp",
        "is_new": "boolean",
    },
    key=("id",),
)


def columns(**changed):
    """Five good rows, in another order of columns and partly in narrower types."""
    good = {
        "is_new": [True, False, None, True, False],
        "price.net": pa.array([Decimal("1.50")] * 5, pa.decimal128(10, 2)),
        "Thing Id": pa.array([1, 2, 3, 4, 5], pa.int32()),
        "name": ["a", "NA", None, " ", "é"],
        "weight": pa.array([0.1, 2.5, None, 1e300, -0.0], pa.float64()),
        "made_on": [dt.date(2005, 4, 1)] * 5,
        "seen_at": pa.array([NOON] * 5, pa.timestamp("us", "UTC")),
    }
    return {name: values for name, values in {**good, **changed}.items() if values is not None}


def no_rows():
    """The good columns with their types, and nothing in them."""
    table = pa.table(columns()).slice(0, 0)
    return dict(zip(table.column_names, table.columns, strict=True))


def test_rows_keep_types_and_values_and_are_numbered_across_row_groups(runner, settings):
    THINGS.deliver(settings, P, parquet(**columns()))
    THINGS.run(runner, P)
    rows = runner.rows(THINGS.bronze.table, "_source_line")
    assert [(row["_source_line"], row["id"]) for row in rows] == [(n, n) for n in range(1, 6)]
    silver = runner.rows(THINGS.silver.table, "id")
    assert [row["name"] for row in silver] == ["a", None, None, None, "é"]
    assert [row["weight"] for row in silver] == [0.1, 2.5, None, 1e300, 0.0]
    assert silver[0]["price"] == Decimal("1.50")
    assert silver[0]["made_on"] == dt.date(2005, 4, 1)
    assert silver[0]["seen_at"].hour == 12
    assert [row["is_new"] for row in silver] == [True, False, None, True, False]


def test_an_instant_without_a_zone_is_utcs(runner, settings):
    THINGS.deliver(settings, P, parquet(**columns(seen_at=WITHOUT_ZONE)))
    THINGS.run(runner, P)
    assert runner.rows(THINGS.silver.table)[0]["seen_at"] == dt.datetime(2005, 4, 1, 12, 0, 0, 5000)


def test_several_partitions_are_taken_over_in_one_run(runner, settings):
    THINGS.deliver(settings, P, parquet(**columns()))
    later = parquet(**columns(**{"Thing Id": [7, 8, 9, 10, 11]}))
    THINGS.deliver(settings, NEXT, later)
    THINGS.run(runner, P, NEXT)
    rows = runner.rows(THINGS.bronze.table, "delivered_for, _source_line")
    assert [(r["_source_file"], r["_source_line"], r["id"]) for r in rows[4:6]] == [
        ("things_2005-04.parquet", 5, 5),
        ("things_2005-05.parquet", 1, 7),
    ]


def test_the_same_rows_for_two_partitions_are_refused(runner, settings):
    THINGS.deliver(settings, P, parquet(**columns()))
    THINGS.run(runner, P)
    reordered = {name: values[::-1] for name, values in columns().items()}
    THINGS.deliver(settings, NEXT, parquet(**reordered))
    with pytest.raises(DeliveryError, match="row for row"):
        THINGS.run(runner, NEXT)


def test_a_row_is_found_again_in_the_kept_file(runner, settings):
    THINGS.deliver(settings, P, parquet(**columns(weight=ODD_WEIGHTS)))
    THINGS.run(runner, P)
    history = runner.lakehouse.history(THINGS.bronze.table)
    copy = DeliveryArchive(settings.archive_root).place(history.deliveries()[P].sha256)
    rows = {row["_source_line"]: row for row in history.rows()}
    texts = THINGS.source.format.texts(THINGS.source, copy, set(rows))
    assert '"Thing Id": 3' in texts[3]
    assert all(THINGS.source.format.shows(THINGS.source, texts[n], rows[n]) for n in rows)
    assert not THINGS.source.format.shows(THINGS.source, texts[1], rows[2])


def test_copies_and_conflicts_are_told_apart_by_typed_values(runner, settings):
    twice = {name: [*values] + [*values][:1] for name, values in columns(seen_at=None).items()}
    twice["price.net"] = pa.array([Decimal("1.50")] * 6, pa.decimal128(10, 2))
    twice["seen_at"] = pa.array([NOON] * 6, pa.timestamp("ms"))
    twice["Thing Id"], twice["weight"] = [1, 2, 3, 3, 5, 1], [0.1, 2.5, None, 1e300, -0.0, 0.1]
    THINGS.deliver(settings, P, parquet(**twice))
    ledger = THINGS.run(runner, P).publication.ledgers[P]
    assert (ledger.published, ledger.quarantined, ledger.duplicates) == (3, 2, 1)
    reasons = runner.quarantined(THINGS.silver.table)
    assert [*reasons] == [3, 4]
    assert all(reason.startswith("conflicting_duplicate") for reason in reasons.values())


def test_a_number_that_is_none_is_missing_and_an_infinite_one_is_quarantined(runner, settings):
    THINGS.deliver(settings, P, parquet(**columns(weight=ODD_WEIGHTS)))
    THINGS.run(runner, P)
    weights = {row["id"]: row["weight"] for row in runner.rows(THINGS.silver.table)}
    assert weights == {1: 1.0, 2: None, 4: 2.0}
    assert runner.quarantined(THINGS.silver.table) == {
        3: "weight: not readable as double",
        5: "weight: not readable as double",
    }


def test_a_required_number_that_is_none_is_missing(runner, settings):
    required = replace(THINGS, key=("id", "weight"))
    required.deliver(settings, P, parquet(**columns(weight=ODD_WEIGHTS)))
    required.run(runner, P)
    assert runner.quarantined(required.silver.table)[2] == "weight: required, but missing"


TOKENS = {
    "id": (),
    "name": ("NA",),
    "price": ("1.5",),
    "weight": ("-99", "1e300"),
    "made_on": ("2005-04-01",),
    "seen_at": ("2005-04-01T12:00:00",),
    "is_new": ("false",),
}


def test_null_tokens_stand_for_a_missing_value_in_typed_columns_too(runner, settings):
    declared = [replace(c, null_tokens=TOKENS[c.name]) for c in THINGS.source.columns]
    # Those of the source count where a column's type has them: no id is ever «NA» or 2005-02-30.
    source = replace(
        THINGS.source, columns=tuple(declared), null_tokens=("NA", "3", "2005-02-30", "9" * 30)
    )
    things = replace(THINGS, source=source)
    weights = pa.array([0.1, -99.0, 3.0, 1e300, 5.0])
    later = [*[dt.date(2005, 4, 1)] * 4, dt.date(2005, 4, 2)]
    rows = columns(weight=weights, made_on=later, **{"Thing Id": [1, 2, 7, 4, 5]})
    things.deliver(settings, P, parquet(**rows))
    things.run(runner, P)
    silver = runner.rows(things.silver.table, "id")
    assert [row["id"] for row in silver] == [1, 2, 4, 5, 7]
    assert [row["weight"] for row in silver] == [0.1, None, None, 5.0, None]
    assert [row["price"] for row in silver] == [None] * 5
    assert [row["made_on"] for row in silver] == [None, None, None, dt.date(2005, 4, 2), None]
    assert [row["seen_at"] for row in silver] == [None] * 5
    assert [row["is_new"] for row in silver] == [True, None, True, None, None]


@pytest.mark.parametrize(
    ("kind", "token"),
    [("bigint", "NA"), ("int", "-99.5"), ("double", "-"), ("date", "31.12.9999")],
)
def test_a_null_token_that_no_value_of_a_type_is_is_refused_when_it_is_declared(kind, token):
    with pytest.raises(DeclarationError, match="never is one"):
        Source(
            "the warehouse",
            "things_{partition}.parquet",
            (SourceColumn("odd", type=kind, null_tokens=(token,)),),
            ParquetFile(),
        )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,name\n1,a\n", "the file is plain text, not Parquet"),
        (packed("x.gz", parquet(**columns())), "the file is gzip, not Parquet"),
        (b"", "the delivery is empty"),
        (parquet(**columns())[:-30], "damaged or cut short"),
        (parquet(**columns(name=None)), "lack ['name'] and add nothing"),
        (parquet(**columns(colour=[1] * 5)), "lack nothing and add ['colour']"),
        (parquet(**columns(name=[1] * 5)), "name is bigint, declared string"),
        (
            parquet(**columns(**{"price.net": pa.array([Decimal("1.555")] * 5)})),
            "price.net is decimal(4,3), declared decimal(12,2)",
        ),
        (
            parquet(**columns(seen_at=pa.array([NOON] * 5, pa.timestamp("ns")))),
            "seen_at is timestamp[ns], declared timestamp",
        ),
        (parquet(**no_rows()), "no rows"),
    ],
)
def test_a_file_with_other_columns_or_of_another_kind_is_refused(runner, settings, content, words):
    THINGS.deliver(settings, P, content)
    with pytest.raises(DeliveryError) as caught:
        THINGS.run(runner, P)
    assert words in caught.value.what


def test_a_type_takes_what_it_holds_without_loss_and_nothing_else():
    assert fits("int", "bigint")
    assert fits("decimal(10,2)", "decimal(12,3)")
    assert not fits("decimal(10,2)", "decimal(10,3)")
    assert not fits("bigint", "int")
    assert not fits("bigint", "double")
    assert not fits("string", "int")


def test_a_typed_column_that_the_target_cannot_hold_is_refused_when_it_is_declared():
    with pytest.raises(DeclarationError, match="a delivered double cannot be read as int"):
        Refined(THINGS.source, {"id": "bigint", "weight": "int"}, key=("id",)).steps  # noqa: B018
