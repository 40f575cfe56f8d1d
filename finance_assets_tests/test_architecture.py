"""Conventions as tests: modules speak and stay small, nothing heavy loads early, no use case is
named outside its folders. What imports what is in test_architecture_imports.py.

That no file but its own names a use case does not make all of them alike: most tests of publish, gate,
champion history and Databricks run on the real data of one, through scenario.py, which some eighty
files of tests import. That one cannot be removed (`finance-assets remove` says so); who wants another
in its place changes scenario.py and the facts about its data in those tests. Every other goes with its
folders.
"""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

import finance_assets
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import all_use_cases

ROOT = Path(finance_assets.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))


def test_there_are_modules_to_look_at():
    assert len(MODULES) > 40


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_every_module_says_what_it_is_and_stays_small(module):
    text = module.read_text()
    assert ast.get_docstring(ast.parse(text)), "no module docstring"
    assert len(text.splitlines()) <= 250


def test_most_modules_are_read_in_one_look():
    lengths = [len(module.read_text().splitlines()) for module in MODULES]
    assert median(lengths) <= 110


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_functions_are_short_and_say_what_they_return(module):
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, node.name
            assert node.end_lineno - node.lineno < 45, node.name


@pytest.mark.parametrize(
    "module",
    [m for m in MODULES if m.parent.name == "tables" and m.stem != "__init__"],
    ids=lambda m: str(m.relative_to(ROOT)),
)
def test_a_file_of_a_use_case_declares_one_table_at_most(module):
    made = [
        node.func.id
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Entity", "Table"}
    ]
    assert len(made) <= 1


@pytest.mark.parametrize(
    "folder",
    ["lakehouse", "ml", "monitoring", "step", "model_life", "steps", "commands", "use_cases"],
)
def test_what_steps_are_made_of_does_not_know_dagster(folder):
    for module in (ROOT / folder).rglob("*.py"):
        assert "import dagster" not in module.read_text(), module


# Where what is in a dictionary is not known, and why that is right.
UNTYPED = {
    "bundle/": "YAML that people write: whether it has the right shape is what is asked",
    "cli/bundle.py": "hands that YAML on",
    "assets/event_log.py": "Dagster asks for it in these words",
}


def untyped(module: Path) -> list[str]:
    """Functions and fields of a module that take, give or hold a `dict[str, Any]`."""
    found = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef):
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            said = [*(one.annotation for one in given), node.returns]
        elif isinstance(node, ast.ClassDef | ast.Module):
            said = [part.annotation for part in node.body if isinstance(part, ast.AnnAssign)]
            said += [part.value for part in node.body if isinstance(part, ast.Assign)]
        else:
            continue
        if any(part is not None and "dict[str, Any]" in ast.unparse(part) for part in said):
            found.append(getattr(node, "name", "the module itself"))
    return found


def test_what_is_in_a_dictionary_is_said_wherever_one_is_handed_on():
    """A record, a TypedDict, `Json`, `Row`, `Parameters` or at least the type of the values."""
    for module in MODULES:
        name = module.relative_to(ROOT).as_posix()
        if not name.startswith(tuple(UNTYPED)):
            assert untyped(module) == [], name
    for place in UNTYPED:
        modules = [m for m in MODULES if m.relative_to(ROOT).as_posix().startswith(place)]
        assert any(map(untyped, modules)), f"{place} needs no exception any more"


def test_no_model_is_ever_pickled():
    for module in MODULES:
        names = {
            alias.name
            for node in ast.walk(ast.parse(module.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not names & {"pickle", "cloudpickle", "joblib", "dill"}, module


def test_the_code_location_loads_without_engine_or_model_libraries(tmp_path):
    code = (
        "import sys, json, finance_assets.definitions as d; d.defs.get_repository_def();"
        "print(json.dumps([m for m in ('pyspark', 'mlflow', 'lightgbm', 'xgboost', 'pysail', 'sklearn',"
        " 'pandas', 'deltalake', 'matplotlib', 'numpy', 'pyarrow', 'jinja2') if m in sys.modules]))"
    )
    environment = {**os.environ, "FINANCE_ASSETS_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_every_step_is_registered_once_and_reads_only_tables_that_exist():
    for use_case in all_use_cases().values():
        keys = [step.key for step in use_case.steps]
        assert len(keys) == len(set(keys))
        for position, step in enumerate(use_case.steps):
            assert {item.key for item in step.inputs} <= set(keys[:position])


CHECKOUT = ROOT.parent
# Where a use case may be named: its own folders, and the file that says which one tests run on.
# resources/ is rendered from the use cases; prose in README.md and docs/ is about them.
AT_HOME = ("finance_assets/use_cases/{}/", "finance_assets_tests/use_cases/{}/")
SCENARIO = "finance_assets_tests/scenario.py"
PLACES = (
    *("finance_assets/**/*", "finance_assets_tests/**/*", "notebooks/*", ".github/**/*"),
    *("Makefile", "databricks.yml", "pyproject.toml", ".env.example", "workspace.yaml", ".ci/*"),
)


def texts() -> dict[str, str]:
    """Every file that must not know a use case, by its path in the checkout."""
    files = {path for place in PLACES for path in CHECKOUT.glob(place) if path.is_file()}
    found = {}
    for path in files:
        if "__pycache__" not in path.parts:
            found[path.relative_to(CHECKOUT).as_posix()] = path.read_text(errors="ignore")
    return found


def words_of(use_case: UseCase) -> re.Pattern[str]:
    """What gives a use case away: its name, its tables however they are written, its files."""
    words = [re.escape(use_case.name)]
    for step in use_case.steps:
        layer, entity = step.key.split(".")
        words.append(rf"{layer}\W{{1,4}}{entity}|{layer}_{{1,2}}{entity}")
        if step.source is not None:
            words.append(re.escape(step.source.file_pattern.split("{")[0]))
    return re.compile("|".join(words))


def test_no_file_but_its_own_names_a_use_case():
    found = texts()
    assert len(found) > 200
    for use_case in all_use_cases().values():
        own = tuple(place.format(use_case.name) for place in AT_HOME)
        words = words_of(use_case)
        assert words.search(found[SCENARIO]) or len(all_use_cases()) > 1
        naming = [
            f"{name}: {words.search(text)[0]}"
            for name, text in sorted(found.items())
            if not name.startswith(own) and name != SCENARIO and words.search(text)
        ]
        assert naming == []


def test_every_contract_is_whole():
    for use_case in all_use_cases().values():
        for step in use_case.steps:
            contract = step.contract
            names = contract.column_names
            assert len(names) == len(set(names)), contract.table
            assert set(contract.key) <= set(names), contract.table
            assert contract.partition_column in names, contract.table
            assert all(column.description for column in contract.columns), contract.table


def test_declared_lineage_names_columns_that_exist():
    steps = {step.key: step for use_case in all_use_cases().values() for step in use_case.steps}
    for step in steps.values():
        upstream = {item.key for item in step.inputs}
        for column in step.contract.columns:
            for source in column.derived_from:
                table, name = source.rsplit(".", 1)
                assert name in steps[table].contract.column_names, source
                assert table in upstream, f"{step.key} does not read {table}"
