"""The vectorised parser reads every text as Python's csv module does, strictly, line by line."""

import csv
import io
import random

import pytest

from finance_assets.errors import DeclarationError
from finance_assets.lakehouse.sources import csv_parser
from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.csv_dialect import Dialect
from finance_assets.lakehouse.sources.csv_parser import Parser
from finance_assets.lakehouse.sources.text import Block

RFC = Dialect(is_multiline=True)
Row = tuple[int, tuple[str | None, ...], str | None]


def parsed(text: str, width: int, dialect: Dialect, block: int = 1 << 20) -> list[Row]:
    """Line, fields and malformed line of every row, with the text cut into blocks."""
    data, blocks, line, begin = text.encode(), [], 1, 0
    while begin < len(data):
        end = data.find(b"\n", begin + block) + 1 or len(data)
        blocks.append(Block(line, data[begin:end]))
        line += data.count(b"\n", begin, end)
        begin = end
    found = []
    for part in Parser(dialect, tuple(f"c{i}" for i in range(width))).parts(iter(blocks), False):
        columns = [column.to_pylist() for column in part.rows.columns]
        fields = list(zip(*columns, strict=True))
        lines, malformed = part.rows.lines.tolist(), part.rows.malformed.to_pylist()
        found += list(zip(lines, fields, malformed, strict=True))
    return found


def expected(text: str, width: int, dialect: Dialect) -> list[Row]:
    """The same by Python's csv module, one record after the other."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    found, at = [], 0
    while at < len(lines):
        line, taken = lines[at].rstrip("\r\n"), 1
        if not line:
            at += 1
            continue
        fields, _ = record([line], dialect)
        if fields is None and dialect.is_multiline:
            fields, taken = record(lines[at:], dialect)
        if fields is None or len(fields) != width:
            found.append((at + 1, (None,) * width, line))
            taken = 1
        else:
            found.append((at + 1, tuple(fields), None))
        at += taken
    return found


def record(lines: list[str], dialect: Dialect) -> tuple[list[str] | None, int]:
    quote = dialect.quote
    if quote is None or quote not in lines[0]:
        return lines[0].rstrip("\r\n").split(dialect.delimiter), 1
    reader = csv.reader(iter(lines), delimiter=dialect.delimiter, quotechar=quote, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error:
        return None, 1


def random_text(rnd: random.Random, dialect: Dialect, width: int) -> str:
    """Noise of special characters, or well-written CSV with a few bytes damaged."""
    quote = dialect.quote or '"'
    special = [dialect.delimiter, quote, "\n", "\r\n", "\r", "a", "é", " ", "1", "\0"]
    if rnd.random() < 0.4:
        weights = [rnd.randint(0, 6) for _ in special]
        return "".join(rnd.choices(special, [w + 1e-9 for w in weights], k=rnd.randint(0, 120)))
    text = io.StringIO()
    quoting = rnd.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
    ends = rnd.choice(["\n", "\r\n"])
    writer = csv.writer(
        text, delimiter=dialect.delimiter, quotechar=quote, quoting=quoting, lineterminator=ends
    )
    for _ in range(rnd.randint(1, 15)):
        fields = width if rnd.random() < 0.9 else rnd.randint(1, 5)
        writer.writerow(["".join(rnd.choices(special, k=rnd.randint(0, 4))) for _ in range(fields)])
    damaged = list(text.getvalue())
    for _ in range(rnd.choice([0, 0, 1, 3])):
        damaged[rnd.randrange(len(damaged))] = rnd.choice(["", *special])
    return "".join(damaged)


@pytest.mark.parametrize("seed", range(8))
def test_dirty_text_is_read_as_the_csv_module_reads_it_however_it_is_cut_into_blocks(seed):
    rnd = random.Random(seed)
    for _ in range(60):
        dialect = Dialect(
            delimiter=rnd.choice(",;\t|"),
            quote=rnd.choice(['"', '"', "'", None]),
            is_multiline=rnd.random() < 0.7,
        )
        width = rnd.randint(1, 4)
        text = random_text(rnd, dialect, width)
        wanted = expected(text, width, dialect)
        for block in (1, 7, 30, 1 << 20):
            assert parsed(text, width, dialect, block) == wanted, (text, width, dialect, block)


@pytest.mark.parametrize("seed", range(4))
def test_well_written_csv_is_read_as_a_whole_file_is_by_the_csv_module(seed):
    """Not line by line: the module reads the file, and tells where each record ended."""
    rnd = random.Random(seed)
    characters = [",", '"', "\n", "\r\n", "a", "é", " ", "1"]
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL if seed % 2 else csv.QUOTE_MINIMAL)
    for _ in range(400):
        writer.writerow(["".join(rnd.choices(characters, k=rnd.randint(1, 6))) for _ in range(3)])
    reader, wanted, line = csv.reader(io.StringIO(text.getvalue(), newline="")), [], 1
    for fields in reader:
        wanted.append((line, tuple(fields), None))
        line = reader.line_num + 1
    # The module counts a lone carriage return and what follows it as lines; none is written here.
    assert parsed(text.getvalue(), 3, RFC, 100) == wanted


def test_a_quoted_line_end_makes_one_row_with_the_number_of_its_first_line():
    text = '1,"two\nlines",x\n2,plain,y\n3,"a\r\n\r\nb",z\n4,,\n'
    assert parsed(text, 3, RFC) == [
        (1, ("1", "two\nlines", "x"), None),
        (3, ("2", "plain", "y"), None),
        (4, ("3", "a\r\n\r\nb", "z"), None),
        (7, ("4", "", ""), None),
    ]


def test_a_line_is_a_row_unless_the_source_says_otherwise():
    """Two stray quotes would make one value of all the lines between them."""
    text = '"1,b,c\n' + "2,b,c\n" * 3 + '3",b,c\n'
    assert [line for line, _, bad in parsed(text, 3, Dialect()) if bad is None] == [2, 3, 4, 5]
    assert [line for line, _, bad in parsed(text, 3, RFC) if bad is None] == [1]


def test_a_quote_that_is_never_closed_costs_one_line_and_not_the_rest_of_the_file():
    rows = "".join(f"{i},b,c\n" for i in range(1000))
    found = parsed('x,"oh no,c\n' + rows, 3, RFC, 50)
    assert found[0] == (1, (None,) * 3, 'x,"oh no,c')
    assert [row[1] for row in found[1:]] == [(str(i), "b", "c") for i in range(1000)]


def test_a_quote_that_is_closed_too_late_swallows_no_good_row():
    text = '1,"oh no,c\n2,b,c\n3,b,c\n4,b",c,d\n5,b,c\n'
    assert [(line, bad) for line, _, bad in parsed(text, 3, RFC)] == [
        (1, '1,"oh no,c'),
        (2, None),
        (3, None),
        (4, '4,b",c,d'),
        (5, None),
    ]


def test_a_record_is_sought_no_further_than_its_limit(monkeypatch):
    monkeypatch.setattr(csv_parser, "MAX_RECORD", 20)
    text = f'1,"{"x" * 10}\n{"y" * 10}\n"\n2,b\n'
    assert [line for line, fields, _ in parsed(text, 2, RFC, 5) if fields[0]] == [4]
    monkeypatch.setattr(csv_parser, "MAX_RECORD", 200)
    assert [line for line, fields, _ in parsed(text, 2, RFC, 5) if fields[0]] == [1, 4]


def test_an_escape_makes_the_next_character_ordinary():
    dialect = Dialect(escape="\\")
    assert parsed('1,a\\,b\n2,"a\\"b"\n3,c\n', 2, dialect) == [
        (1, ("1", "a,b"), None),
        (2, ("2", 'a"b'), None),
        (3, ("3", "c"), None),
    ]


def test_without_a_quote_no_character_is_special():
    assert parsed('"1","a\n', 2, Dialect(quote=None)) == [(1, ('"1"', '"a'), None)]


@pytest.mark.parametrize(
    "marks", [{"delimiter": "||"}, {"delimiter": "§"}, {"quote": ","}, {"escape": "n"}]
)
def test_characters_that_could_not_be_told_apart_are_refused_when_they_are_declared(marks):
    with pytest.raises(DeclarationError, match="Csv"):
        Csv(**marks)
