"""Conventions as tests: imports point one way, modules speak, nothing heavy loads early."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import finance_assets
from finance_assets.use_cases import ALL

ROOT = Path(finance_assets.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
# A part may import from those of a lower number, and from itself.
LAYERS = {
    "errors": 0,
    "declarations": 1,
    "settings": 1,
    "calendar": 1.5,
    "monitoring": 2,
    "lakehouse": 2,
    "ml": 3,
    "step": 4,
    "model_life": 5,
    "steps": 6,
    "commands": 7,
    "use_cases": 7,
    "compute": 8,
    "bundle": 9,
    "assets": 9,
    "automation": 10,
    "definitions": 11,
    "cli": 12,
}


def part(module: Path) -> str:
    return module.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_parts(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    ours = (name.split(".") for name in names if name.startswith("finance_assets."))
    return {parts[1] for parts in ours}


def test_there_are_modules_to_look_at():
    assert len(MODULES) > 40


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_imports_point_one_way(module):
    here = part(module)
    if here == "__init__":
        return
    for other in imported_parts(module) - {here}:
        assert LAYERS[other] < LAYERS[here], f"{here} imports {other}"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_every_module_says_what_it_is_and_stays_small(module):
    text = module.read_text()
    assert ast.get_docstring(ast.parse(text)), "no module docstring"
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_functions_are_short_and_say_what_they_return(module):
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, node.name
            assert node.end_lineno - node.lineno < 60, node.name


@pytest.mark.parametrize(
    "folder",
    ["lakehouse", "ml", "monitoring", "step", "model_life", "steps", "commands", "use_cases"],
)
def test_what_steps_are_made_of_does_not_know_dagster(folder):
    for module in (ROOT / folder).rglob("*.py"):
        assert "import dagster" not in module.read_text(), module


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
        "print(json.dumps([m for m in ('pyspark', 'mlflow', 'lightgbm', 'pysail', 'sklearn',"
        " 'pandas', 'deltalake', 'matplotlib') if m in sys.modules]))"
    )
    environment = {**os.environ, "FINANCE_ASSETS_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_every_step_is_registered_once_and_reads_only_tables_that_exist():
    for use_case in ALL.values():
        keys = [step.key for step in use_case.steps]
        assert len(keys) == len(set(keys))
        for position, step in enumerate(use_case.steps):
            assert {item.key for item in step.inputs} <= set(keys[:position])


def test_every_contract_is_whole():
    for use_case in ALL.values():
        for step in use_case.steps:
            contract = step.contract
            names = contract.column_names
            assert len(names) == len(set(names)), contract.table
            assert set(contract.key) <= set(names), contract.table
            assert contract.partition_column in names, contract.table
            assert all(column.description for column in contract.columns), contract.table


def test_declared_lineage_names_columns_that_exist():
    steps = {step.key: step for use_case in ALL.values() for step in use_case.steps}
    for step in steps.values():
        upstream = {item.key for item in step.inputs}
        for column in step.contract.columns:
            for source in column.derived_from:
                table, name = source.rsplit(".", 1)
                assert name in steps[table].contract.column_names, source
                assert table in upstream, f"{step.key} does not read {table}"
