"""What is said of files and folders of tests is said of some that there are."""

import re
from pathlib import Path

from finance_assets_tests import conftest
from finance_assets_tests.distribution import BY_NAME, TOGETHER

HERE = Path(__file__).parent


def test_files_that_go_together_are_there():
    assert [file for file in TOGETHER if not (HERE.parent / file).is_file()] == []


def test_long_folders_and_files_are_there():
    def tests(name):
        return [HERE / name] if name.endswith(".py") else list((HERE / name).rglob("test_*.py"))

    found = {name: [path for path in tests(name) if path.is_file()] for name in conftest.LONG}
    assert [name for name, files in found.items() if not files] == []


def test_whoever_asks_for_the_warm_jvm_shares_it_and_is_marked():
    asking = re.compile(r"^def \w+\([^)]*\bjvm\b", re.MULTILINE)
    texts = {path: path.read_text() for path in HERE.rglob("test_*.py")}
    found = [path for path, text in texts.items() if asking.search(text)]
    assert len(found) > 4
    for path in found:
        group = TOGETHER.get(path.relative_to(HERE.parent).as_posix(), BY_NAME.get(path.name))
        assert group == "a warm JVM", path.name
        assert "@pytest.mark.jvm" in texts[path], path.name
