"""Files that are nearly what they should be: read and told, or refused with cause and remedy."""

import gzip
import io
import json
import struct
import tarfile
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.scaffold.reading import read_files
from finance_assets.scaffold.request import CannotScaffoldError
from finance_assets_tests.scaffold.files import (
    ROWS,
    column,
    csv_file,
    parcels,
    planned,
    request,
)

GERMAN = {"north": "nörd", "south": "südlich", "east": "öst"}
LINES = parcels().to_csv(index=False).splitlines()


def read(path, content):
    """What is read of a file with some content: bytes, or lines."""
    data = content if isinstance(content, bytes) else "\n".join([*content, ""]).encode()
    path.write_bytes(data)
    return read_files(request(path))


def noted(given):
    """What deserves a look in how a file was read."""
    return "; ".join(f"{note.choice}: {note.reason}" for note in given.notes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "parcels.csv"


def german(encoding):
    frame = parcels().assign(region=lambda f: f["region"].map(GERMAN))
    return frame.to_csv(index=False).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("note", [False, True])
def test_one_broken_byte_costs_its_line_and_no_letter_of_another(path, encoding, note):
    broken = b'1201,2024-04-11,3.1,"M\xc3nchen",3,no\n'
    if note:
        broken = broken.replace(b"nchen", b"n,\nchen")
    given = read(path, german(encoding) + broken)
    assert given.read_as[0].encoding == encoding
    assert set(given.column("region").to_pylist()) == set(GERMAN.values())
    assert (given.rows.num_rows, given.malformed) == (ROWS, 1)
    assert "1 lines of parcels.csv are not UTF-8" in noted(given)
    assert any("are not UTF-8" in told for told in planned(path).warnings())


def test_an_object_with_a_broken_byte_is_no_record(path):
    frame = parcels().assign(region=lambda f: f["region"].map(GERMAN))
    data = frame.to_json(orient="records", lines=True, force_ascii=False).encode()
    given = read(path, data.replace("nörd".encode(), b"n\xc3rd", 1))
    assert (given.rows.num_rows, given.malformed) == (ROWS - 1, 1)
    assert set(given.column("region").to_pylist()) == set(GERMAN.values())


def test_a_file_of_two_encodings_is_refused_and_not_read_as_a_third(path):
    good, other = german("utf-8"), german("cp1252").split(b"\n", 1)[1]
    with pytest.raises(CannotScaffoldError, match="lines of parcels.csv are not UTF-8"):
        read(path, good + other[: len(other) // 2])


def test_a_guessed_encoding_shows_how_a_word_is_read(path):
    given = read(path, german("cp1252"))
    assert given.read_as[0].encoding == "cp1252"
    assert "read as cp1252, which is a guess: " in noted(given)
    assert any(f"guess: {word!r}" in noted(given) for word in GERMAN.values())


def test_a_guessed_encoding_without_odd_letters_shows_a_sign(path):
    paid = parcels().assign(paid=[f"{n}£" for n in range(ROWS)])
    given = read(path, paid.to_csv(index=False).encode("cp1252"))
    assert "which is a guess: '0£'" in noted(given)
    assert read(path, german("utf-8")).notes == ()


@pytest.mark.parametrize(
    ("offset", "value", "what", "remedy"),
    [
        (6, 1, "the archive is encrypted", "with its password"),
        (8, 9, r"cannot unpack \(Deflate64\)", "7z x parcels.zip"),
        (8, 77, r"cannot unpack \(method 77\)", "7z x parcels.zip"),
    ],
)
def test_an_archive_that_python_cannot_unpack_is_refused_by_its_cause(
    tmp_path, offset, value, what, remedy
):
    packed = tmp_path / "parcels.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("parcels.csv", "\n".join(LINES))
    data = bytearray(packed.read_bytes())
    # The same field in the header of the file, and two bytes further in the directory.
    for at in (offset, data.rindex(b"PK\x01\x02") + offset + 2):
        data[at : at + 2] = struct.pack("<H", value)
    with pytest.raises(CannotScaffoldError, match=what) as refused:
        read(packed, bytes(data))
    assert remedy in refused.value.remedy
    assert refused.value.where == f"{packed}: parcels.csv"


def test_a_file_that_was_packed_twice_is_unpacked_twice(tmp_path):
    packed = tmp_path / "parcels.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("README", "Parcels of the depot.")
        archive.writestr("parcels.csv.gz", gzip.compress("\n".join([*LINES, ""]).encode()))
    assert read(packed, packed.read_bytes()).rows.num_rows == ROWS


def test_a_tar_is_called_one_under_the_name_that_the_person_gave(tmp_path):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        archive.add(csv_file(tmp_path, parcels()), "parcels.csv")
    packed = tmp_path / "parcels.tar.gz"
    with pytest.raises(CannotScaffoldError, match="it is a tar archive") as refused:
        read(packed, gzip.compress(held.getvalue()))
    assert refused.value.where == str(packed)
    assert "tar -xf parcels.tar.gz" in refused.value.remedy


def test_a_refusal_of_packed_content_names_the_file_and_no_copy_of_it(tmp_path):
    packed = tmp_path / "parcels.csv.gz"
    for content in (b"parcel,sent\n1,2\n", b"parcel,sent,late\n", b"\0\1\2", b'[{"parcel": 1}]'):
        with pytest.raises(CannotScaffoldError) as refused:
            read(packed, gzip.compress(content))
        assert refused.value.where.startswith(str(packed))


def test_a_folder_of_files_is_refused_with_how_to_name_them(tmp_path):
    for number in range(2):
        csv_file(tmp_path, parcels(), f"part-{number}.csv")
    with pytest.raises(CannotScaffoldError, match="it is a folder of 2 files") as refused:
        read_files(request(tmp_path))
    assert f"--from {tmp_path}/part-0.csv --from" in refused.value.remedy


def test_empty_columns_without_a_name_are_left_out_and_told(path):
    given = read(path, [f"{line},," for line in LINES])
    assert given.header == tuple(parcels().columns)
    assert "2 empty columns without a name: left out" in noted(given)
    indexed = [f"{i or ''},{line}," for i, line in enumerate(LINES)]
    assert read(path, indexed).header == ("", *parcels().columns)
    with pytest.raises(CannotScaffoldError, match="2 columns have values and no name"):
        read(path, [f"{line},{i or ''}" for i, line in enumerate(indexed)])


def test_a_header_that_is_there_again_is_no_record(path):
    given = read(path, [*LINES[:700], LINES[0], *LINES[700:], f"\ufeff{LINES[0]}"])
    assert given.rows.num_rows == ROWS
    assert "2 lines repeat the header: left out" in noted(given)


def test_single_quotes_are_quotes_and_the_source_is_told_so(path):
    lines = [",".join(f"'{value}'" for value in line.split(",")) for line in LINES]
    given = read(path, [line.replace("'north'", "'north, far'") for line in lines])
    assert given.read_as == (Csv(quote="'"),)
    assert set(given.column("region").to_pylist()) == {"north, far", "south", "east"}
    assert any('quote="\'"' in one.reason for one in planned(path).decisions)


def test_row_names_before_a_blank_have_no_name_and_are_read(path):
    lines = ['"" ' + LINES[0].replace(",", " ")]
    lines += [f'"{i}" ' + line.replace(",", " ") for i, line in enumerate(LINES[1:])]
    assert read(path, lines).header == ("", *parcels().columns)


REFUSED = {
    "a comma ends each line": (
        [LINES[0], *(f"{line}," for line in LINES[1:])],
        "7 fields, and its header 6: they end in ','",
        "sed '1s/$/,/' parcels.csv",
    ),
    "row names of R": (
        [LINES[0], *(f"{i},{line}" for i, line in enumerate(LINES[1:]))],
        "7 fields, and its header 6: the first one has no name",
        "sed '1s/^/row,/' parcels.csv",
    ),
    "blanks before quotes": (
        [", ".join(f'"{value}"' for value in line.split(",")) for line in LINES],
        "blanks stand between the delimiter and the quotes",
        "sed -E",
    ),
    "columns aligned by blanks": (
        ["".join(f"{value:14}" for value in line.split(",")) for line in LINES],
        "aligned by several blanks",
        "sed -E",
    ),
    "a line end in a name": (
        [LINES[0].replace("weight", '"weight\n(kg)"'), *LINES[1:]],
        "the header takes several lines: the name 'weight",
        "a header is one line",
    ),
    "a line end in the first name": (
        ['"no\n(all)",' + LINES[0], *(f"{i},{line}" for i, line in enumerate(LINES[1:]))],
        "the header takes several lines: the name 'no",
        "a header is one line",
    ),
    "carriage returns": (
        "\r".join([*LINES, ""]).encode(),
        "end with a carriage return",
        r"tr '\r' '\n' < parcels.csv",
    ),
    "a list of JSON": (
        parcels().to_json(orient="records").encode(),
        "it is a list of JSON",
        "jq -c '.[]' parcels.csv",
    ),
    "a list of JSON, an object a line": (
        ["[" + ",\n".join(json.dumps(row) for row in parcels().to_dict("records")) + "]"],
        "it is a list of JSON",
        "jq -c '.[]' parcels.csv",
    ),
    "objects of several lines": (
        [json.dumps(row, indent=2) for row in parcels().head(9).to_dict("records")],
        "objects take several lines each",
        "jq -c '.' parcels.csv",
    ),
    "JSON by columns": (
        parcels().to_json(orient="columns").encode(),
        "JSON by columns, and not by records",
        "orient='records', lines=True",
    ),
    "hundreds of other columns": (
        [",".join(f"c{i}" for i in range(500))],
        "there is no column 'parcel', 'late', 'sent'",
        "c29, and 470 more",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_source_could_read_is_refused_with_its_cause_and_remedy(path, case):
    content, what, remedy = REFUSED[case]
    with pytest.raises(CannotScaffoldError) as refused:
        read(path, content)
    assert what in refused.value.what
    assert remedy in refused.value.remedy
    assert refused.value.where.startswith(str(path))


@pytest.mark.parametrize(
    "name", ["[parcel]", "{parcel}", "PAR1 parcel", "BZh parcel", '"{parcel}"']
)
def test_a_name_at_the_beginning_of_a_file_makes_no_other_format_of_it(path, name):
    path.write_text("\n".join([LINES[0].replace("parcel", name), *LINES[1:], ""]))
    given = read_files(request(path, key=(name.strip('"'),)))
    assert given.read_as == (Csv(),)
    assert given.rows.num_rows == ROWS


def test_text_of_any_type_of_arrow_is_text(tmp_path):
    rows = pa.Table.from_pandas(parcels(), preserve_index=False)
    at = rows.schema.get_field_index("region")
    for kind in (pa.large_string(), pa.string_view()):
        words = rows.column("region").cast(kind)
        pq.write_table(rows.set_column(at, "region", words), tmp_path / "parcels.parquet")
        found = column(planned(tmp_path / "parcels.parquet"), "region")
        assert (found.delivered_type, found.type) == ("string", "string")


def test_a_time_zone_that_nobody_knows_is_refused_by_its_name(tmp_path):
    path = tmp_path / "parcels.parquet"
    rows = pa.Table.from_pandas(parcels())
    at = rows.column_names.index("sent")
    days = pa.array(pd.to_datetime(parcels()["sent"]).dt.tz_localize("UTC"))
    odd = days.cast(pa.timestamp("us", tz="Eastern Standard Time"))
    pq.write_table(rows.set_column(at, "sent", odd), path)
    with pytest.raises(CannotScaffoldError, match="Eastern Standard Time") as refused:
        read_files(request(path))
    assert "America/New_York" in refused.value.remedy
