"""Any usual file is read, by the readers that will read its deliveries; any other is refused."""

import bz2
import csv
import gzip
import lzma
import zipfile
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.scaffold.reading import read_files
from finance_assets.scaffold.request import CannotScaffoldError
from finance_assets_tests.scaffold.files import (
    MONTHS,
    ROWS,
    column,
    csv_file,
    parcels,
    planned,
    request,
)

GERMAN = {"north": "Köln", "south": "München", "east": "Görlitz"}
PACKINGS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


def read(*files, **changes):
    return read_files(request(*files, **changes))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "~", "\x01"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    given = read(csv_file(tmp_path, parcels(), sep=delimiter))
    assert given.read_as[0].delimiter == given.format.delimiter == delimiter
    assert given.rows.num_rows == ROWS
    assert given.header == tuple(parcels().columns)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        *(("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16")),
        *(("latin-1", "cp1252"), ("cp1252", "cp1252")),
    ],
)
def test_the_encoding_is_found(tmp_path, encoding, declared):
    frame = parcels().assign(region=lambda f: f["region"].map(GERMAN))
    given = read(csv_file(tmp_path, frame, encoding=encoding))
    assert given.read_as[0].encoding == declared
    assert given.format == Csv()
    assert set(given.column("region").to_pylist()) == set(GERMAN.values())


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_packed_file_is_unpacked_whatever_its_name_says(tmp_path, packing):
    plain = csv_file(tmp_path, parcels()).read_bytes()
    packed = tmp_path / "parcels.data"
    packed.write_bytes(PACKINGS[packing](plain))
    assert read(packed).rows.num_rows == ROWS
    if packing != "zst":
        packed.write_bytes(PACKINGS[packing](plain)[:-200])
        with pytest.raises(CannotScaffoldError, match="damaged or cut short"):
            read(packed)


def test_what_is_to_be_read_about_the_rows_of_an_archive_is_none_of_them(tmp_path):
    with zipfile.ZipFile(tmp_path / "parcels.zip", "w") as archive:
        archive.writestr("READ ME.txt", "Parcels of the depot.")
        archive.write(csv_file(tmp_path, parcels()), "data/parcels.CSV")
    assert read(tmp_path / "parcels.zip").rows.num_rows == ROWS


def test_an_archive_is_read_if_it_holds_one_file(tmp_path):
    plain = csv_file(tmp_path, parcels())
    for count in (1, 2):
        with zipfile.ZipFile(tmp_path / "parcels.zip", "w") as archive:
            for number in range(count):
                archive.write(plain, f"{number}.csv")
        if count == 1:
            assert read(tmp_path / "parcels.zip").rows.num_rows == ROWS
    with pytest.raises(CannotScaffoldError, match="the archive holds 2 files"):
        read(tmp_path / "parcels.zip")


def test_json_lines_keep_their_digits_and_may_leave_names_out(tmp_path):
    path = tmp_path / "parcels.jsonl"
    parcels().to_json(path, orient="records", lines=True)
    path.write_text(path.read_text() + '{"parcel": 9001, "sent": "2024-01-03", "late": "no"}\n')
    given = read(path)
    assert given.format.kind == "json"
    assert given.rows.num_rows == ROWS + 1
    assert given.column("weight").to_pylist()[-1] is None
    assert column(planned(path), "weight").type == "double"


def test_parquet_keeps_its_types_and_leaves_out_what_no_table_holds(tmp_path):
    frame = parcels().assign(
        sent=lambda f: pd.to_datetime(f["sent"]),
        stops=lambda f: f["stops"].astype("int8"),
        region=lambda f: f["region"].astype("category"),
        tags=[["a"]] * ROWS,
    )
    rows = pa.Table.from_pandas(frame)
    for digits in (38, 50):
        amounts = pa.array([Decimal(x) for x in range(ROWS)])
        wide = pa.decimal128(38, 0) if digits == 38 else pa.decimal256(50, 0)
        rows = rows.append_column(f"digits_{digits}", amounts.cast(wide))
    pq.write_table(rows, tmp_path / "parcels.parquet")
    plan = planned(tmp_path / "parcels.parquet")
    types = {c.at_source: (c.type, c.delivered_type) for c in plan.columns}
    assert types["sent"] == ("timestamp", "timestamp")
    assert types["stops"] == ("int", "int")
    assert types["region"] == ("string", "string")
    assert types["late"] == ("boolean", "string")
    assert types["digits_38"] == ("decimal(38,0)", "decimal(38,0)")
    assert any("tags, digits_50" in warning for warning in plan.warnings())


def test_files_of_the_same_columns_are_one_and_others_are_refused(tmp_path):
    first = csv_file(tmp_path, parcels(MONTHS[:2]), "a.csv")
    second = csv_file(tmp_path, parcels(MONTHS[2:]), "b.csv")
    assert read(first, second).rows.num_rows == ROWS
    other = csv_file(tmp_path, parcels().drop(columns="stops"), "c.csv")
    with pytest.raises(CannotScaffoldError, match="others than those of a.csv: stops"):
        read(first, other)


def test_an_object_may_leave_out_a_name_and_so_may_a_file_of_them(tmp_path):
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for path, months in zip(files, (MONTHS[:2], MONTHS[2:]), strict=True):
        frame = parcels(months).rename(columns={"stops": f"stops_{path.stem}"})
        frame.to_json(path, orient="records", lines=True)
    given = read(*files)
    assert given.rows.num_rows == ROWS
    assert {given.column(f"stops_{name}").null_count for name in "ab"} == {ROWS // 2}


def test_typed_columns_of_several_files_have_the_type_that_holds_all(tmp_path):
    kinds = {"a": ("int32", None, "Europe/Berlin"), "b": ("float64", "x", "UTC")}
    for name, (kind, word, zone) in kinds.items():
        frame = parcels(MONTHS[:2] if name == "a" else MONTHS[2:])
        sent = pd.to_datetime(frame["sent"]).dt.tz_localize(zone)
        frame = frame.assign(sent=sent, stops=frame["stops"].astype(kind), word=word, empty=None)
        pq.write_table(pa.Table.from_pandas(frame), tmp_path / f"{name}.parquet")
    given = read(tmp_path / "a.parquet", tmp_path / "b.parquet")
    kinds = dict(zip(given.header, map(str, given.rows.schema.types), strict=True))
    assert (kinds["stops"], kinds["word"], kinds["empty"]) == ("double", "string", "string")
    assert kinds["sent"] == "timestamp[us, tz=UTC]"
    parcels().assign(stops="many", word="x", empty=None).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(CannotScaffoldError, match="columns of different types"):
        read(tmp_path / "b.parquet", tmp_path / "c.parquet")


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_column_that_no_table_holds_is_left_out_and_asked_for_is_named(tmp_path, ending):
    path = tmp_path / f"parcels.{ending}"
    tags = [["a"] if i % 9 else None for i in range(ROWS)]
    frame = parcels().assign(tags=tags, weight=lambda f: f["weight"] + 0.125)
    if ending == "jsonl":
        frame.to_json(path, orient="records", lines=True)
        path.write_text(path.read_text().replace('"stops":4', '"stops":{"of":4}', 1))
    else:
        frame.to_parquet(path)
    plan = planned(path)
    assert plan.rows == ROWS - (ending == "jsonl")
    assert any(told.startswith("tags: left out") for told in plan.warnings())
    assert "tags" not in [column.at_source for column in plan.columns]
    assert column(plan, "stops").role == "feature"
    with pytest.raises(CannotScaffoldError, match="'tags' has a type that no table can hold"):
        read(path, label="tags")


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_what_no_table_holds_of_one_file_is_left_out_of_all(tmp_path, ending):
    paths = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for path, months, tags in zip(paths, (MONTHS[:2], MONTHS[2:]), ([["a"]], [None]), strict=True):
        frame = parcels(months)
        frame = frame.assign(tags=tags * len(frame))
        if ending == "jsonl":
            frame.to_json(path, orient="records", lines=True)
        else:
            frame.to_parquet(path)
    given = read(*paths)
    assert given.left_out == ("tags",)
    assert "tags" not in given.header
    assert given.rows.num_rows == len(parcels())


@pytest.mark.parametrize("is_multiline", [False, True])
def test_quotes_behind_a_backslash_are_read(tmp_path, is_multiline):
    note = 'said "wait", then\nleft' if is_multiline else 'said "wait", then left'
    path = csv_file(
        tmp_path,
        parcels().assign(note=note),
        doublequote=False,
        escapechar="\\",
        quoting=csv.QUOTE_NONNUMERIC,
    )
    given = read(path)
    assert (given.read_as[0].escape, given.read_as[0].is_multiline) == ("\\", is_multiline)
    assert given.format == Csv(is_multiline=is_multiline)
    assert set(given.column("note").to_pylist()) == {note}
    assert any("escape='\\\\'" in decision.reason for decision in planned(path).decisions)


def test_totals_below_the_records_are_left_out_and_told(tmp_path):
    path, lacking = csv_file(tmp_path, parcels()), ",,,,,\n"
    path.write_text(path.read_text() + "Total funded: 1200,,,,,\n" + lacking)
    plan = planned(path)
    assert plan.rows == ROWS
    assert any("2 rows have neither time nor label" in told for told in plan.warnings())
    path.write_text(path.read_text() + 2 * lacking)
    with pytest.raises(CannotScaffoldError, match="4 of 1204 rows have no time"):
        planned(path)


def test_lines_above_the_header_and_broken_ones_are_left_out_and_told(tmp_path):
    path = csv_file(tmp_path, parcels())
    path.write_text("Notes offered by the depot\n\n" + path.read_text() + "total: 1200\n")
    plan = planned(path)
    assert plan.rows == ROWS
    told = {decision.choice: decision.reason for decision in plan.decisions}
    assert told["2 lines above the header"] == told["1 lines are no records"] == "left out"


def test_values_with_line_ends_and_stray_quotes_are_read(tmp_path):
    frame = parcels()
    frame["note"] = "one\nline, and another"
    given = read(csv_file(tmp_path, frame))
    assert given.format.is_multiline
    assert given.rows.num_rows == ROWS
    path = tmp_path / "inches.csv"
    lines = parcels().to_csv(index=False).splitlines()
    lines = [f'{line},"5 inch' if i else f"{line},size" for i, line in enumerate(lines)]
    path.write_text("\n".join(lines) + "\n")
    given = read(path)
    assert given.read_as[0].quote is None
    assert given.format.quote == '"'
    assert set(given.column("size").to_pylist()) == {'"5 inch'}


def test_a_broken_line_below_a_quoted_header_costs_no_other(tmp_path):
    path = csv_file(tmp_path, parcels(), quoting=csv.QUOTE_ALL)
    path.write_text(path.read_text() + '"total"\n')
    given = read(path)
    assert (given.rows.num_rows, given.malformed) == (ROWS, 1)
    assert given.read_as == (Csv(),)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "there is no such file"),
        (b"", "the file is empty"),
        (b"parcel,sent,late\n", "the delivery has no rows"),
        (b"parcel,sent,delayed\n1,2024-01-01,no\n", "there is no column 'late'"),
        (b"parcel,sent,late,late\n1,2024-01-01,no,no\n", "two columns are called 'late'"),
        (b'[{"parcel": 1}]', "it is a list of JSON"),
        (
            b'{"parcel": {"id": 1}, "sent": "2024-01-01", "late": "no"}\n',
            "'parcel' has a type that no",
        ),
        (b"parcel||sent||late\n1||2024-01-01||no\n", r"separated by '\|\|', which is several"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64), "no text"),
        (b"PAR1\0 and nothing else", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_file(tmp_path, content, what):
    path = tmp_path / "parcels.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CannotScaffoldError, match=what) as refused:
        read(path)
    assert "parcels.csv" in refused.value.where
    assert refused.value.remedy


def test_a_name_in_other_letters_is_proposed(tmp_path):
    with pytest.raises(CannotScaffoldError, match="did you mean 'late'"):
        read(csv_file(tmp_path, parcels()), label="Late")


def test_a_typed_file_with_two_columns_of_one_name_is_refused_by_that_name(tmp_path):
    path = tmp_path / "parcels.parquet"
    rows = pa.table([pa.array([1]), pa.array([0]), pa.array([1])], names=["parcel", "late", "late"])
    pq.write_table(rows, path)
    with pytest.raises(CannotScaffoldError, match="two columns are called 'late'"):
        read(path)
