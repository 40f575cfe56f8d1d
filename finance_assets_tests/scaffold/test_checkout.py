"""In a checkout: a new use case leaves the project's own tests passing, and removed it leaves no trace."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import finance_assets
from finance_assets_tests.scaffold.files import csv_file, parcels
from finance_assets_tests.scenario import NAME, clean_environment

ROOT = Path(finance_assets.__file__).parents[1]
# What lies in a checkout beside the project itself.
BESIDE = (
    *(".git", ".venv", ".finance_assets", "__pycache__", ".*_cache", "build", "dist"),
    *("*.egg-info", "spark-warehouse", "metastore_db"),
)
# What compares the checkout with its use cases.
OWN_TESTS = (
    "test_architecture.py::test_no_file_but_its_own_names_a_use_case",
    "test_architecture.py::test_every_contract_is_whole",
    "cli/test_dictionary.py",
    "cli/test_cost.py",
    "bundle/test_check.py::test_the_committed_files_are_the_ones_the_steps_render_to",
    "bundle/test_check.py::test_the_committed_bundle_has_no_problem_for_any_target",
    "assets/test_graph.py::test_the_assets_of_a_use_case_are_those_in_its_snapshot",
    "use_cases/test_discovery.py::test_every_folder_with_a_use_case_is_found_in_the_order_of_names",
    "use_cases/box_delays/test_box_delays.py::test_it_loads_with_the_bounds_of_its_task",
)
ASKED = ("--key", "parcel", "--time", "sent", "--label", "late")
# Collects every test there is, and runs the ones that are named.
COLLECT_ALL = """
import sys
import pytest

class Chosen:
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        chosen = {name: [i for i in items if i.nodeid.startswith(name)] for name in sys.argv[1:]}
        assert all(chosen.values()), [name for name, found in chosen.items() if not found]
        kept = [item for found in chosen.values() for item in found]
        items[:] = kept

sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "finance_assets_tests"], [Chosen()]))
"""
# Commands in one process: what each came to.
COMMANDS = """
import json, sys
from typer.testing import CliRunner
from finance_assets.cli.main import app
done = [CliRunner().invoke(app, command) for command in json.loads(sys.argv[1])]
print(json.dumps([(one.exit_code, one.stderr, repr(one.exception)) for one in done]))
"""


class Checkout:
    """A copy of the project, with commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*BESIDE))
        # These tests name the use cases that they make up.
        shutil.rmtree(folder / "finance_assets_tests" / "scaffold")
        home = str(folder.parent / "home")
        self.environment = clean_environment(PYTHONPATH=str(folder), FINANCE_ASSETS_HOME=home)

    def __call__(self, *command, typed: str = "") -> subprocess.CompletedProcess:
        """Run a module of Python."""
        return self.python("-m", *command, typed=typed)

    def python(self, *arguments, typed: str = "") -> subprocess.CompletedProcess:
        """Run Python."""
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            input=typed,
        )

    def content(self) -> dict[str, str]:
        """The digest of every file."""
        files = (p for p in self.folder.rglob("*") if p.is_file() and not _is_cached(p))
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _is_cached(path: Path) -> bool:
    """Whether tools made it in passing: linters, tests, the interpreter."""
    return "_cache" in str(path) or "__pycache__" in path.parts


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy in which nothing is stale; that the project's is not, its own tests say."""
    made = Checkout(tmp_path_factory.mktemp("copy") / "project")
    rendered = made(COMMAND, "render")
    assert rendered.returncode == 0, rendered.stderr
    assert "nothing was stale" in made(COMMAND, "render").stdout
    return made


COMMAND, SHIPPED = "finance_assets.cli.main", "finance_assets/use_cases/*/use_case.py"


@pytest.mark.slow
def test_a_new_use_case_keeps_the_tests_passing_and_removed_leaves_no_trace(checkout, tmp_path):
    before = checkout.content()
    boxes = csv_file(tmp_path, parcels(each=400), "boxes.csv")
    written = checkout(COMMAND, "new", "box_delays", "--from", boxes, *ASKED)
    assert written.returncode == 0, written.stderr
    assert "finance-assets run --use-case box_delays" in written.stdout
    places = [f"finance_assets_tests/{test}" for test in OWN_TESTS]
    tests = checkout("pytest", "-q", "-p", "no:cacheprovider", *places)
    assert tests.returncode == 0, tests.stdout[-3000:]
    for command in (("check", "."), ("format", "--check", ".")):
        style = checkout("ruff", *command, "--no-cache")
        assert style.returncode == 0, style.stdout
    again = checkout(COMMAND, "new", "box_delays", "--from", boxes, *ASKED)
    assert "there is such a use case already" in again.stderr
    kept = checkout.content()
    assert checkout(COMMAND, "remove", "box_delays", typed="n\n").returncode == 1
    assert checkout.content() == kept
    removed = checkout(COMMAND, "remove", "box_delays", "--yes")
    assert removed.returncode == 0, removed.stderr
    assert "tables and models stay" in removed.stdout
    assert checkout.content() == before


@pytest.mark.slow
def test_with_all_shipped_use_cases_removed_but_one_the_tests_of_the_project_pass(tmp_path):
    """Every test can be collected, and those that look at all use cases pass."""
    project = Checkout(tmp_path / "project")
    shipped = sorted(p.parent.name for p in project.folder.glob(SHIPPED))
    for name in shipped:
        done = project(COMMAND, "remove", name, "--yes")
        assert done.returncode == (1 if name == NAME else 0), done.stderr
    assert [p.parent.name for p in project.folder.glob(SHIPPED)] == [NAME]
    places = [f"finance_assets_tests/{test}" for test in OWN_TESTS if "box_delays" not in test]
    tests = project.python("-c", COLLECT_ALL, *places)
    assert tests.returncode == 0, tests.stdout[-3000:] + tests.stderr[-3000:]


REFUSED = {
    ("remove", "nothing", "--yes"): "there is no use case 'nothing'",
    ("remove", NAME, "--yes"): "the tests of the framework run on",
    ("new", "window", "--from", "BOXES", *ASKED): "means something else",
    ("new", "partition", "--from", "BOXES", *ASKED): "means something else",
    ("new", "champion", "--from", "BOXES", *ASKED): "'champion' stands in",
    ("new", "box_delays", "--from", "NOWHERE", *ASKED): "there is no such file",
    ("new", "box_delays", "--from", "BOXES", *ASKED, "--into", "nowhere"): "no such folder",
}


@pytest.fixture(scope="module")
def refused(checkout, tmp_path_factory):
    """What each of these commands came to; none of them wrote anything."""
    before = checkout.content()
    boxes = str(csv_file(tmp_path_factory.mktemp("boxes"), parcels(), "boxes.csv"))
    commands = [[boxes if part == "BOXES" else part for part in command] for command in REFUSED]
    done = checkout.python("-c", COMMANDS, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    assert checkout.content() == before
    return dict(zip(REFUSED, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(("command", "what"), REFUSED.items())
def test_what_cannot_be_done_is_refused_and_nothing_is_written(refused, command, what):
    code, said, error = refused[command]
    assert (code, error) == (1, "SystemExit(1)")
    assert what in " ".join(said.split())
