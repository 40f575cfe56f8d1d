"""What is read from a text is read once for all processes, and never wrongly for it."""

import os
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version

import pytest

from finance_assets import declarations, parse_cache
from finance_assets.declarations import read_sql
from finance_assets.step import origins, scopes, select
from finance_assets.step.origins import Origin
from finance_assets.step.select import Select
from finance_assets_tests.scenario import clean_environment

INPUTS = {"visits": ("customer", "day", "spent"), "people": ("customer", "age")}
QUERY = "SELECT v.customer, spent * age AS x FROM visits v JOIN people p ON v.customer = p.customer"


@dataclass(frozen=True)
class Answer:
    """What a text may say."""

    words: tuple[str, ...]
    found: frozenset[tuple[str, int]]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty cache folder of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "finance_assets"


def asked(question="q", library="sqlglot", code="ours"):
    """The answer, and how often it had to be found."""
    times = []

    def find():
        times.append(1)
        return Answer(("a", "b"), frozenset({("x", 1), ("y", 2)}))

    return parse_cache.cached(Answer, question, library, code, find), len(times)


def test_an_answer_is_found_once_and_stays_what_it_was():
    first, found = asked()
    again, found_again = asked()
    assert (found, found_again) == (1, 0)
    assert again == first == Answer(("a", "b"), frozenset({("x", 1), ("y", 2)}))


def test_another_question_library_or_code_is_another_answer():
    asked()
    assert asked("another")[1] == 1
    assert asked(library="numpy")[1] == 1
    assert asked(code="others'")[1] == 1
    assert asked()[1] == 0


def test_texts_that_look_alike_are_other_questions():
    alike = ["\U0001f600", "\ud83d\ude00", "é", "e\u0301"]
    assert [asked(text)[1] for text in alike] == [1] * len(alike)


def test_code_is_what_was_imported_whatever_its_file_says_since(tmp_path):
    file = tmp_path / "code_of_a_parser.py"
    text = "from finance_assets.parse_cache import digest_of\nDIGEST = digest_of(__file__)\n"
    file.write_text(text)
    module = runpy.run_path(str(file))
    asked(code=module["DIGEST"])
    file.write_text(f"{text}# otherwise\n")
    assert asked(code=module["DIGEST"])[1] == 0
    assert asked(code=runpy.run_path(str(file))["DIGEST"])[1] == 1


def test_who_parses_names_its_own_code():
    assert parse_cache.digest_of(declarations.__file__) == declarations.PARSER_DIGEST
    parsers = (select.__file__, origins.__file__, scopes.__file__)
    assert parse_cache.digest_of(*parsers) == select.PARSER_DIGEST


def test_a_text_that_cannot_be_written_is_read_each_time():
    read_sql.cache_clear()
    assert read_sql("`a\ud800` = 1").columns == {"a\ud800"}


def test_answers_of_another_kind_are_not_mistaken():
    @dataclass(frozen=True)
    class Other:
        words: tuple[str, ...]

    asked()
    assert parse_cache.cached(Other, "q", "sqlglot", "ours", lambda: Other(())) == Other(())


def test_another_version_of_the_library_finds_it_anew(monkeypatch):
    asked()
    monkeypatch.setattr(parse_cache, "_version", lambda name: version(name) + "1")
    assert asked()[1] == 1


WRONG = [b"", b"{", b'{"words": 1, "found": []}', b'{"words": ["1"], "found": [["x", "1"]]}', b"[]"]


@pytest.mark.parametrize("content", [*WRONG, b"\xff\x00"])
def test_a_file_that_is_no_answer_is_found_again_and_mended(folder, content):
    asked()
    [file] = folder.iterdir()
    file.write_bytes(content)
    assert asked()[1] == 1
    assert asked()[1] == 0


def test_where_nothing_can_be_kept_it_is_found_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [asked()[1], asked()[1]] == [1, 1]
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    assert [asked()[1], asked()[1]] == [1, 1]


def test_where_it_cannot_be_told_who_finds_it_nothing_is_kept(folder):
    assert [asked(library="no-such-library")[1] for _ in range(2)] == [1, 1]
    unreadable = parse_cache.digest_of(__file__, "package.zip/code.py")
    assert [asked(code=unreadable)[1] for _ in range(2)] == [1, 1]
    assert not folder.exists()


def test_a_folder_in_its_place_leaves_nothing_lying_about(folder):
    asked()
    [file] = folder.iterdir()
    file.unlink()
    file.mkdir()
    assert [asked()[1], asked()[1]] == [1, 1]
    assert [*folder.iterdir()] == [file]


def test_a_place_that_depends_on_where_one_stands_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    asked()
    assert len(list((tmp_path / "home" / ".cache" / "finance_assets").iterdir())) == 1


def test_whoever_has_no_home_has_no_cache(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(parse_cache.Path, "home", homeless)
    assert [asked()[1], asked()[1]] == [1, 1]


def test_what_went_wrong_is_not_kept():
    with pytest.raises(ZeroDivisionError):
        parse_cache.cached(Answer, "q", "sqlglot", "ours", lambda: 1 / 0)
    assert asked()[1] == 1


def test_the_oldest_go_when_there_are_many(folder, monkeypatch):
    monkeypatch.setattr(parse_cache, "MAX_FILES", 4)
    (folder / "another's").mkdir(parents=True)
    for number in range(4):
        asked(str(number))
        parse_cache._prune.cache_clear()
        for file in folder.iterdir():
            os.utime(file, (file.stat().st_mtime - 10,) * 2)
    asked("5")
    assert len(list(folder.iterdir())) == 4
    assert [asked(q)[1] for q in ("2", "3", "5")] == [0, 0, 0]
    assert asked("0")[1] == 1


def test_many_at_once_find_the_same(folder):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: asked(str(n % 3))[0], range(60)))
    assert set(found) == {found[0]}
    assert len(list(folder.iterdir())) == 3


def test_a_select_says_the_same_when_it_is_kept():
    first, again = Select(QUERY, INPUTS), Select(QUERY, INPUTS)
    said = (first.template, first.origins, first.unread)
    assert (again.template, again.origins, again.unread) == said
    assert list(again.origins) == ["customer", "x"]
    assert again.origins["customer"] == Origin(
        frozenset({("visits", "customer")}), ("visits", "customer")
    )
    assert again.origins["x"].plain is None


def test_the_same_text_over_other_columns_is_read_again():
    assert "age" in Select("SELECT * FROM people", INPUTS).origins
    other = Select("SELECT * FROM people", {"people": ("customer", "height")})
    assert list(other.origins) == ["customer", "height"]


def test_a_text_that_was_refused_is_refused_again():
    for _ in range(2):
        with pytest.raises(ValueError, match="wage"):
            Select("SELECT wage FROM people", INPUTS).origins  # noqa: B018
        with pytest.raises(ValueError, match="Required keyword"):
            read_sql("sum(")


def test_a_second_process_needs_no_parser(tmp_path):
    code = (
        "import sys, finance_assets.definitions as d; d.defs.get_repository_def();"
        "print('sqlglot' in sys.modules, 'numpy' in sys.modules, 'pyarrow' in sys.modules)"
    )
    environment = clean_environment(FINANCE_ASSETS_HOME=str(tmp_path / "home"))
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    assert said == [["True", "False", "False"], ["False", "False", "False"]]


def test_conditions_are_kept_by_the_code_that_reads_them(folder):
    read_sql.cache_clear()
    condition = read_sql("sum(spent) > 0 AND age > 1")
    read_sql.cache_clear()
    assert read_sql("sum(spent) > 0 AND age > 1") == condition
    assert condition.plain == {"age"}
    assert len(list(folder.iterdir())) == 1
