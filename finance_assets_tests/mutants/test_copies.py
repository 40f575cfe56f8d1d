"""A fault counts as noticed only by tests that pass without it, in a project of a few lines."""

import pytest

from finance_assets_tests.mutants.copies import Copies, Copy
from finance_assets_tests.mutants.mutant import Mutant

SUM = "def total(a, b):\n    return a + b\n"
FILES = {
    "finance_assets/__init__.py": '"""A package."""\n',
    "finance_assets/sums.py": SUM,
    "finance_assets_tests/__init__.py": "",
    "finance_assets_tests/test_sums.py": "from finance_assets.sums import total\n\n\n"
    "def test_a_total():\n    assert total(2, 2) == 4\n",
    "finance_assets_tests/test_red.py": "def test_red():\n    assert False\n",
    "finance_assets_tests/test_not_loading.py": "import nothing_of_this_name\n",
    "finance_assets_tests/test_empty.py": "",
}


@pytest.fixture
def project(tmp_path):
    """A project with a function and tests of it: good ones, a red one, some that do not load."""
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def mutant(after, tests="test_sums.py"):
    return Mutant("sums.py", "a + b", after, tests)


def test_a_fault_is_noticed_if_what_passed_does_not_pass_with_it(project):
    copy = Copy(project)
    copy.require_sound("test_sums.py")
    assert copy.notices(mutant("a - b")), "another result"
    assert copy.notices(mutant("a +")), "it does not even load"
    assert not copy.notices(mutant("a * b")), "the same result"
    assert (project / "finance_assets/sums.py").read_text() == SUM


@pytest.mark.parametrize("tests", ["test_red.py", "test_not_loading.py", "test_empty.py"])
def test_tests_that_do_not_pass_without_any_fault_are_refused(project, tests):
    with pytest.raises(ValueError, match=f"{tests}: red without any fault"):
        Copy(project).require_sound(tests)


def test_side_by_side_each_fault_has_a_copy_to_itself(project, tmp_path):
    copies = Copies.made(project, tmp_path / "copies", 2)
    wanted = [mutant("a - b"), mutant("a * b")]
    found = {one.after: is_killed for one, is_killed in copies.each(wanted, Copy.notices)}
    assert found == {"a - b": True, "a * b": False}
    assert (project / "finance_assets/sums.py").read_text() == SUM
