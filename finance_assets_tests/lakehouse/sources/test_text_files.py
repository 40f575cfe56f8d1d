"""Files of text in any encoding and packing; what cannot be read is said to be what it is."""

import bz2
import gzip
import random
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest

from finance_assets.calendar import Window
from finance_assets.compute.runner import run_step
from finance_assets.errors import DeclarationError, DeliveryError
from finance_assets.lakehouse.archive import DeliveryArchive
from finance_assets.lakehouse.sources import text, unpacking
from finance_assets.lakehouse.sources.bronze import bronze_contract
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.json_lines import JsonLines
from finance_assets.lakehouse.sources.source import Source, SourceColumn, columns_named
from finance_assets.lakehouse.sources.text import TextFile, blocks
from finance_assets_tests.lakehouse.sources.made_up import Refined, packed, parquet

HEADER = ("id", "name", "amount")
PLAIN = "id;name;amount\n1;Jürgen;2,5\n2;Zoë;3\n"
P = "2005-04"


def source(pattern: str = "things_{partition}.csv", **more) -> Source:
    return Source("the shop", pattern, columns_named(HEADER), Csv(";", **more))


def refined(**more) -> Refined:
    return Refined(source(**more), {"id": "bigint", "name": "string"}, key=("id",))


def refusal(runner, settings, content: bytes, **more) -> DeliveryError:
    """The error of a delivery, byte for byte as it is given; nothing of it is taken over."""
    things = refined(**more)
    things.path(settings, P).write_bytes(content)
    with pytest.raises(DeliveryError) as caught:
        things.run(runner, P)
    assert not runner.lakehouse.history(things.bronze.table).exists
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_every_encoding_and_packing_gives_the_same_rows(runner, settings, suffix, encoding):
    things = refined(pattern="things_{partition}.csv" + suffix, encoding=encoding)
    things.deliver(settings, P, PLAIN.encode(encoding))
    things.run(runner, P)
    rows = runner.rows(things.silver.table, "id")
    assert [(row["id"], row["name"]) for row in rows] == [(1, "Jürgen"), (2, "Zoë")]
    delivered = runner.rows(things.bronze.table, "_source_line")
    assert [(row["_source_line"], row["amount"]) for row in delivered] == [(2, "2,5"), (3, "3")]
    assert {row["_source_file"] for row in delivered} == {f"things_{P}.csv{suffix}"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "shift_jis"])
@pytest.mark.parametrize("compression", list(unpacking.Compression))
def test_lines_are_whole_and_counted_however_the_file_falls_into_chunks(
    tmp_path, monkeypatch, encoding, compression
):
    rnd = random.Random(1)
    content = "".join(
        "あÄ"[rnd.randint(0, encoding != "shift_jis")] * rnd.randint(0, 9) + "\n"
        for _ in range(500)
    )
    suffix = {v: k for k, v in unpacking.BY_SUFFIX.items()}.get(compression, "")
    path = tmp_path / f"x.csv{suffix}"
    path.write_bytes(packed(path.name, content.encode(encoding)))
    for size in (1, 3, 64, 1 << 20):
        monkeypatch.setattr(unpacking, "CHUNK", size)
        monkeypatch.setattr(unpacking, "PIECE", size)
        found, line = b"", 1
        for block in blocks(TextFile(path, path, encoding, "x")):
            assert block.line == line
            line += block.data.count(b"\n")
            found += block.data
        assert found.decode() == content


@pytest.mark.parametrize(
    ("content", "encoding", "line"),
    [
        (b"id;name;amount\n1;a;b\n2;\xff;c\n", "utf-8", 3),
        (b"id;name;amount\n1;a;b\n2;x;\xc3", "utf-8", 3),
        (b"id;name;amount\n1;\x81;b\n", "cp1252", 2),
        ("id;name;amount\n1;a;b\n2;x;y".encode("utf-16-le")[:-1], "utf-16-le", 3),
    ],
)
def test_a_byte_that_the_encoding_has_not_names_its_line(runner, settings, content, encoding, line):
    error = refusal(runner, settings, content, encoding=encoding)
    assert f"is not {encoding.upper()}" in error.what
    assert error.where.endswith(f"line {line}")


@pytest.mark.parametrize(
    ("pattern", "content", "words"),
    [
        ("x_{partition}.csv.gz", PLAIN.encode(), "the file is plain text, not gzip"),
        ("x_{partition}.csv.zst", gzip.compress(PLAIN.encode()), "the file is gzip, not zstd"),
        ("x_{partition}.csv", gzip.compress(PLAIN.encode()), "the file is gzip, not text"),
        ("x_{partition}.csv", parquet(id=[1]), "the file is Parquet, not text"),
        ("x_{partition}.csv.gz", parquet(id=[1]), "the file is Parquet, not gzip"),
        ("x_{partition}.csv.gz", gzip.compress(parquet(id=[1])), "is Parquet, not text"),
        ("x_{partition}.csv.gz", gzip.compress(gzip.compress(b"a")), "is gzip, not text"),
        ("x_{partition}.csv", bz2.compress(b""), "the file is bzip2, not text"),
        ("x_{partition}.csv", bz2.compress(PLAIN.encode()), "the file is bzip2, not text"),
        ("x_{partition}.csv", b"%PDF-1.4\nrest", "the file is a PDF, not text"),
        ("x_{partition}.csv", b"SQLite format 3\0rest", "an SQLite database"),
        ("x_{partition}.csv", b"PK\x03\x04rest", "a zip archive (as .zip and .xlsx are)"),
        ("x_{partition}.csv", PLAIN.encode("utf-16"), "the file is UTF-16 and not UTF-8"),
        ("x_{partition}.csv", PLAIN.encode("utf-16-le"), "the file is UTF-16 and not UTF-8"),
        ("x_{partition}.csv", PLAIN.encode("utf-16-be"), "the file is UTF-16 and not UTF-8"),
        ("x_{partition}.csv.gz", gzip.compress(PLAIN.encode("utf-8-sig")), "mark (BOM)"),
        ("x_{partition}.csv", PLAIN.replace(";", ",").encode(), "separated by ',', not by ';'"),
        ("x_{partition}.csv", PLAIN.replace(";", "\t").encode(), r"separated by '\t', not by ';'"),
        ("x_{partition}.csv", b"1;J;2\n2;K;3\n", "the header is missing"),
        ("x_{partition}.csv", b"id;name;amount;id\n1;a;b;1\n", "names a column twice"),
        ("x_{partition}.csv", b"", "the delivery is empty"),
        ("x_{partition}.csv", b"id;name;amount\n", "no rows"),
        ("x_{partition}.csv", b"id;name;amount\n\n\r\n\n", "no rows"),
        ("x_{partition}.csv.zst", packed("x.zst", PLAIN.encode() * 999)[:-9], "cut short"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_message_knows_what_the_file_is(runner, settings, pattern, content, words):
    error = refusal(runner, settings, content, pattern=pattern)
    assert words in error.what
    assert pattern.format(partition=P) in error.where


@pytest.mark.parametrize("name", ["ORCAMENTO", "ORCID", "PAR1", "BZh91", "%PDF"])
def test_a_text_that_begins_as_something_packed_does_is_a_text(runner, settings, name):
    columns = (SourceColumn("id", at_source=name), SourceColumn("name"))
    things = Refined(
        Source("the shop", "things_{partition}.csv.gz", columns, Csv(";", encoding="latin-1")),
        {"id": "bigint", "name": "string"},
        key=("id",),
    )
    things.deliver(settings, P, f"{name};name\n1;J\xfcrgen\n".encode("latin-1"))
    things.run(runner, P)
    assert [row["name"] for row in runner.rows(things.silver.table)] == ["J\xfcrgen"]


def test_the_message_for_a_wrong_encoding_says_what_to_declare(runner, settings):
    error = refusal(runner, settings, PLAIN.encode("utf-8-sig"))
    assert "encoding='utf-8-sig'" in error.remedy


def test_personal_data_in_the_place_of_a_header_stays_out_of_the_message(runner, settings):
    error = refusal(runner, settings, b"1;Jones;2\n2;K;3\n")
    assert "Jones" not in str(error)


def test_a_line_that_never_ends_is_not_read_into_memory(runner, settings, monkeypatch):
    monkeypatch.setattr(text, "MAX_LINE", 1 << 20)
    error = refusal(runner, settings, b"id;name;amount\n1;a;b\n" + b"x" * (8 << 20))
    assert "does not end within 1 MiB" in error.what
    assert error.where.endswith("line 3")


@pytest.mark.parametrize(
    "there", ["things_2005-04.csv", "THINGS_2005-04.CSV.GZ", "things_2005-04.parquet"]
)
def test_a_file_under_another_extension_is_named_when_the_expected_one_is_missing(
    runner, settings, there
):
    things = refined(pattern="things_{partition}.csv.gz")
    things.path(settings, P).with_name(there).write_bytes(b"x")
    things.path(settings, P).with_name("things_2005-05.csv").write_bytes(b"x")
    with pytest.raises(DeliveryError, match="missing") as caught:
        things.run(runner, P)
    assert there in caught.value.remedy
    assert "things_2005-05" not in caught.value.remedy


def test_a_file_in_the_folder_above_is_told_to_belong_into_the_use_cases_own(runner, settings):
    things = refined()
    (settings.landing / things.path(settings, P).name).write_bytes(PLAIN.encode())
    with pytest.raises(DeliveryError, match="missing") as caught:
        things.run(runner, P)
    assert f"move it to {settings.landing / 'made_up'}/" in caught.value.remedy


def test_a_record_of_several_lines_is_found_again_in_the_kept_file(runner, settings):
    things = refined(pattern="things_{partition}.csv.zst", is_multiline=True)
    rows = "".join(f'{n};"a\r\n""{n}""\n";{n}\n' for n in range(2, 99))
    things.deliver(settings, P, "id;name;amount\n1;x\n" + rows + '"never;closed;x\n')
    things.run(runner, P)
    history = runner.lakehouse.history(things.bronze.table)
    copy = DeliveryArchive(settings.archive_root).place(history.deliveries()[P].sha256)
    stored = {row["_source_line"]: row for row in history.rows()}
    assert len(stored) == 99
    texts = things.source.format.texts(things.source, copy, set(stored))
    assert texts[2] == "1;x"
    assert texts[6] == '3;"a\r\n""3""\n";3'
    assert stored[6]["name"] == 'a\r\n"3"\n'
    assert all(things.source.format.shows(things.source, texts[n], stored[n]) for n in stored)
    assert not things.source.format.shows(things.source, texts[6], stored[3])


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path, monkeypatch):
    """24 MiB of text in blocks of 256 KiB; every tenth line is odd."""
    monkeypatch.setattr(unpacking, "CHUNK", 256 << 10)
    path = tmp_path / "big.csv.zst"
    rows = ("1;a plain line with some text in it;2\n" * 9 + '1;"x;2\n') * 999
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(b"id;name;amount\n")
        for _ in range((24 << 20) // len(rows) + 1):
            stream.write(rows.encode())
    things = refined(pattern="big{partition}.csv.zst")
    count = peak = 0
    tracemalloc.start()
    try:
        for some in things.source.format.rows(things.source, TextFile(path, path, "utf-8", "x")):
            count += len(some)
            peak = max(peak, pa.total_allocated_bytes())
        peak += tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count > 600_000
    assert peak < 8 << 20, peak


def test_line_ends_in_quoted_values_are_noticed_where_they_are_not_declared(settings, spark):
    things, told = refined(), []
    things.deliver(settings, P, 'id;name;amount\n1;"two\nlines";x\n2;"a"b;x\n3;b;y\n')
    run_step(
        things.steps[0],
        Window(P, P),
        settings=settings,
        session=lambda: spark,
        run_id="test",
        report=told.append,
    )
    [note] = [text for text in told if "is_multiline" in text]
    assert note.startswith("things_2005-04.csv: 1 malformed line(s)")


def test_a_file_without_a_header_is_read_by_position(runner, settings):
    things = refined(has_header=False)
    things.deliver(settings, P, PLAIN.split("\n", 1)[1])
    things.run(runner, P)
    assert [row["_source_line"] for row in runner.rows(things.bronze.table)] == [1, 2]


UNKEPT = {
    "an encoding that nobody knows": (
        lambda: Csv(encoding="klingon"),
        "Csv, encoding: 'klingon' is no known encoding",
    ),
    "one of JSON": (
        lambda: JsonLines(encoding="klingon"),
        "JsonLines, encoding: 'klingon' is no known encoding",
    ),
    "one file for all partitions": (
        lambda: source("things.csv"),
        "source 'things.csv', file_pattern: the file's name does not depend on the partition",
    ),
    "no columns": (
        lambda: bronze_contract(Source("x", "{partition}"), "bronze.x", "As it came."),
        "source '{partition}', columns: no column is declared",
    ),
    "a name twice": (
        lambda: Source("x", "{partition}", columns_named(("a", "a"))),
        "columns: two columns have the name 'a'",
    ),
    "a name of our own": (
        lambda: Source("x", "{partition}", columns_named(("_a",))),
        "columns: '_a' is no name of a delivered column",
    ),
    "a type in text": (
        lambda: Source("x", "{partition}", (SourceColumn("a", type="int"),)),
        "type of a: is int, but the format delivers text",
    ),
}


@pytest.mark.parametrize(("declare", "said"), UNKEPT.values(), ids=UNKEPT)
def test_a_source_that_no_delivery_could_keep_is_refused_in_the_file_that_declares_it(
    declare, said
):
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert said in caught.value.what
    assert Path(__file__).name in caught.value.where
    assert caught.value.remedy.strip()


def test_every_mistake_in_a_source_and_its_format_is_named_at_once():
    with pytest.raises(DeclarationError) as caught:
        Source("x", "all.csv", (SourceColumn("_a", type="int"), SourceColumn("b", type="int")))
    assert caught.value.what.count("source 'all.csv', ") == 4
    with pytest.raises(DeclarationError) as caught:
        Csv("||", quote="§", encoding="klingon")
    assert [part.partition(":")[0] for part in caught.value.what.split("; ")] == [
        *("Csv, encoding", "Csv, delimiter", "Csv, quote")
    ]
