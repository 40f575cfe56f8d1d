"""Imports point one way: between the parts of the package, and between the modules of a part.

Imports inside functions count as any other: they only hide a circle until something is called.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from finance_assets_tests.test_architecture import MODULES, ROOT

# A part may import from those of a lower number, and from itself.
LAYERS = {
    "errors": 0,
    "codec": 0,
    "garbage": 0,
    "parse_cache": 0.5,
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
    "scaffold": 7,
    "compute": 8,
    "bundle": 9,
    "assets": 9,
    "automation": 10,
    "definitions": 11,
    "cli": 12,
}


def name_of(module: Path) -> str:
    return ".".join(module.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(module): module for module in MODULES}


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def nodes(tree: ast.AST, with_types: bool) -> Iterator[ast.AST]:
    """All that is in it, wherever; without `with_types` not what only a type checker imports."""
    for node in ast.iter_child_nodes(tree):
        if with_types or not is_for_types(node):
            yield node
            yield from nodes(node, with_types)


def imported(text: str, with_types: bool = True) -> set[str]:
    """The modules of the package that a text imports, at its top or in a function."""
    found = set()
    for node in nodes(ast.parse(text), with_types):
        if isinstance(node, ast.ImportFrom) and node.module:
            # `from a.b import c` means the module a.b.c if there is one, else a name in a.b.
            whole = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in NAMES else node.module for name in whole}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(NAMES)


def part(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("name", NAMES)
def test_imports_point_one_way(name):
    here = part(name)
    for other in {part(other) for other in imported(NAMES[name].read_text())} - {here, ""}:
        assert here and LAYERS[other] < LAYERS[here], f"{here} imports {other}"


def test_no_modules_import_each_other_in_a_circle():
    graph = {
        name: imported(module.read_text(), with_types=False) - {name}
        for name, module in NAMES.items()
    }
    assert sum(map(len, graph.values())) > 1000
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from finance_assets import codec", "finance_assets.codec"),
        ("from finance_assets.ml import gate", "finance_assets.ml.gate"),
        ("from finance_assets.ml.gate import Gate", "finance_assets.ml.gate"),
        ("import finance_assets.ml.gate as gate", "finance_assets.ml.gate"),
        ("def f():\n    from finance_assets import codec", "finance_assets.codec"),
        (
            "if 1:\n  try:\n    from finance_assets import codec\n  finally: 1",
            "finance_assets.codec",
        ),
    ],
)
def test_an_import_is_seen_however_it_is_written(text, found):
    assert imported(text, with_types=False) == {found}


def test_what_only_a_type_checker_imports_makes_no_circle_but_points_one_way():
    text = "if TYPE_CHECKING:\n    from finance_assets import codec"
    assert imported(text, with_types=False) == set()
    assert imported(text) == {"finance_assets.codec"}
