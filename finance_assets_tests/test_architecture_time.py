"""Time belongs to the calendar: nothing else computes with partitions, names or dates."""

import ast
import re
from collections.abc import Iterator

import pytest

from finance_assets_tests.test_architecture import MODULES, ROOT

CALENDAR = ROOT / "calendar"
USE_CASES = ROOT / "use_cases"
OTHERS = [module for module in MODULES if CALENDAR not in module.parents]
# A moment that is recorded is no arithmetic; a use case declares its days of grace.
RECORDED = {"UTC", "datetime"}
LIBRARIES = {"calendar", "dateutil", "croniter", "zoneinfo", "arrow", "pendulum"}
METHODS = {
    *("strftime", "strptime", "fromisoformat", "fromordinal", "toordinal", "isocalendar"),
    *("isoweekday", "weekday", "monthrange", "relativedelta", "timedelta", "DateOffset"),
    *("date_range", "period_range", "to_period", "shift_month"),
}
CUTS = {(None, 4), (None, 7), (None, 10), (5, 7), (8, 10)}
TEXTS = {
    "a pattern of dates": re.compile(r"\\d\{4\}|\[0-9\]\{4\}"),
    "a format of dates": re.compile(r"%[YmdGV]|yyyy-MM"),
    "a cron expression": re.compile(
        r"^([\d*?/,-]+ ){4,6}([\d*?/,-]+|[A-Z]{3})$"
        r"|^@(annually|yearly|monthly|weekly|daily|midnight|hourly)$"
    ),
    "arithmetic of the engine": re.compile(
        r"\b(add_months|months_between|date_add|date_sub|dateadd|datediff|date_trunc|last_day"
        r"|next_day|to_date|date_format|make_date)\b",
        re.IGNORECASE,
    ),
    "the name of a partition": re.compile(r"^\d{4}-\d{2}(-\d{2})?$"),
    "words for the next partition": re.compile(r"previous_month|next_month|months? later"),
    "how a partition is written": re.compile("YYYY-MM"),
}
# What a use case says of its own data, and the bounds of its calendar.
IN_USE_CASES = {
    "the name of a partition",
    "how a partition is written",
    "words for the next partition",
}


def docstrings(tree: ast.AST) -> set[int]:
    """The nodes that are documentation."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, kinds)]
    return {id(b[0].value) for b in bodies if b and isinstance(b[0], ast.Expr)}


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (a.name for a in node.names if a.name.partition(".")[0] in LIBRARIES)
    if isinstance(node, ast.ImportFrom) and node.module:
        if node.module.partition(".")[0] in LIBRARIES:
            yield node.module
        if node.module == "datetime":
            yield from {a.name for a in node.names} - RECORDED


def constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None if node is None else node


def found_in(text: str, is_use_case: bool = False) -> list[str]:
    """What a module has of time, with its line."""
    tree, found = ast.parse(text), []
    documentation = docstrings(tree)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        what = [f"import of {n}" for n in imported(node) if not (is_use_case and n == "timedelta")]
        if isinstance(node, ast.Call):
            called = node.func
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name in METHODS and not (is_use_case and name == "timedelta"):
                what.append(f"call of {name}")
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            cut = (constant(node.slice.lower), constant(node.slice.upper))
            what += [f"cut of a date {cut}"] if cut in CUTS else []
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation:
            hits = [kind for kind, pattern in TEXTS.items() if pattern.search(node.value)]
            what += [k for k in hits if not (is_use_case and k in IN_USE_CASES)]
        found += [f"line {line}: {w}" for w in what]
    return found


@pytest.mark.parametrize("module", OTHERS, ids=lambda m: str(m.relative_to(ROOT)))
def test_nothing_but_the_calendar_computes_with_time(module):
    assert found_in(module.read_text(), USE_CASES in module.parents) == []


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import timedelta",
        "from dateutil.relativedelta import relativedelta",
        "import calendar",
        "month = triggered[:7]",
        "year = partition[:4]",
        "month = int(partition[5:7])",
        "re.fullmatch(r'\\d{4}-\\d{2}', first)",
        "day.strftime('%Y-%m')",
        "datetime.fromisoformat(text)",
        "{'quartz_cron_expression': '0 0 6 3 * ?'}",
        "cron_schedule = '0 6 * * 1'",
        "cron_schedule = '@weekly'",
        "rows.selectExpr('add_months(m, 1)')",
        "DEFAULT = 'previous_month'",
        "reason = 'the outcomes come a month later'",
        "first = '2005-04'",
        "help = 'Last partition, YYYY-MM.'",
        "pd.date_range(first, last, freq='MS')",
    ],
)
def test_what_would_be_found_elsewhere(code):
    assert found_in(code) != []


def test_windows_are_made_by_their_calendar():
    """But for single partitions of journals and records, of which nothing has to be computed."""
    alone = {
        "lakehouse/integrity.py",
        "lakehouse/journal.py",
        "compute/runner.py",
    }
    makers = {
        str(module.relative_to(ROOT))
        for module in OTHERS
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Window"
    }
    assert makers == alone
