"""What is said of files and folders of tests is said of some that there are."""

from pathlib import Path

from finance_assets_tests import conftest
from finance_assets_tests.distribution import TOGETHER

HERE = Path(__file__).parent


def test_files_that_go_together_are_there():
    assert [file for file in TOGETHER if not (HERE.parent / file).is_file()] == []


def test_long_folders_are_there():
    assert [name for name in conftest.LONG if not list((HERE / name).rglob("test_*.py"))] == []
