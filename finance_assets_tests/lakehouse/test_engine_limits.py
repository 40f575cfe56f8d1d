"""What an engine does a hundred times slower than the same in other words stays out of steps.

Measured with Sail 0.7.2 and 840,000 rows: a window takes 2 to 38 s, `count(distinct a, b)` 5 to
23 s. Joins and group-bys say the same in less than a second.
"""

import ast
import re
from pathlib import Path

import pytest

import finance_assets

ROOT = Path(finance_assets.__file__).parent
SLOW = re.compile(r"\bOVER\s*\(|\)\s*(?i:over)\s*\(|(?i:count\(\s*distinct\b)")
# Days of a table that has a row a day are few.
NUMBERED_DAYS = re.compile(r"row_number\(\) OVER \(ORDER BY \w+_day\)")
SLOW_CALLS = {"over", "countDistinct", "count_distinct", "dropDuplicates"}
MODULES = [
    path
    for folder in ("lakehouse", "monitoring", "steps", "use_cases")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def slow_expressions(text: str) -> list[str]:
    """The slow expressions in SQL strings and calls; docstrings may speak of them."""
    tree = ast.parse(text)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = NUMBERED_DAYS.sub("", node.value)
            if id(node) not in docstrings and SLOW.search(said):
                found.append(node.value)
        elif isinstance(node, ast.Attribute) and node.attr in SLOW_CALLS:
            found.append(node.attr)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_step_asks_for_windows_or_distinct_counts(module):
    assert slow_expressions(module.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        'f"sum(x) OVER (PARTITION BY {key})"',
        'query = "row_number() OVER (ORDER BY account_id)"',
        'f"count(distinct {key})"',
        'rows.dropDuplicates(["a"])',
        'F.max("x").over(window)',
    ],
)
def test_the_search_finds_what_it_is_for(text):
    assert slow_expressions(text)
    assert not slow_expressions('"""count(distinct a, b) is slow."""\n"count(*)"')
