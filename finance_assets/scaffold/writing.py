"""Writing: a plan as the folder of a use case, from templates, formatted as the house formats."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from finance_assets.lakehouse.sources.csv import Csv
from finance_assets.lakehouse.sources.json_lines import JsonLines
from finance_assets.lakehouse.sources.parquet import ParquetFile
from finance_assets.ml.criterion import Criterion
from finance_assets.ml.tasks.binary import defaults as binary_defaults
from finance_assets.ml.tasks.mandatory import by_default
from finance_assets.ml.tasks.regression import defaults as regression_defaults
from finance_assets.scaffold.deliveries import write_deliveries
from finance_assets.scaffold.formats import Format, code_of
from finance_assets.scaffold.given import Given
from finance_assets.scaffold.layout import as_named, as_tuple, escaped, text, wrapped
from finance_assets.scaffold.plan import Plan, Role

NO_PROTECTED = "No column of the file says to which group a person belongs."
MODULES = {Csv: "csv", JsonLines: "json_lines", ParquetFile: "parquet"}


@dataclass(frozen=True)
class Written:
    """The files of a use case: its folder, and that of its tests."""

    folder: Path
    tests: Path


def write(plan: Plan, given: Given, folder: Path, tests: Path) -> Written:
    """Write code, deliveries, report and tests; the folders must not be there yet."""
    folder.mkdir()
    tests.mkdir(parents=True, exist_ok=True)
    render = _renderer(plan)
    files = {
        folder / "use_case.py": "use_case.py.j2",
        folder / "model.py": "model.py.j2",
        folder / "tables" / f"{plan.entity}.py": "entity.py.j2",
        folder / "tables" / "features.py": "features.py.j2",
        folder / "tables" / "labels.py": "labels.py.j2",
        folder / "NEW.md": "NEW.md.j2",
        tests / f"test_{plan.request.name}.py": "test_use_case.py.j2",
    }
    if plan.before:
        files[folder / "tables" / "before.py"] = "before.py.j2"
    (folder / "tables").mkdir()
    for path, template in files.items():
        path.write_text(render(template), encoding="utf-8")
    titles = {folder: plan.request.name, folder / "tables": f"Tables of {plan.request.name}"}
    for place, title in (*titles.items(), (tests, f"Tests of {plan.request.name}")):
        (place / "__init__.py").write_text(f'"""{title}."""\n', encoding="utf-8")
    write_deliveries(given, plan.split, folder / "samples", plan.request.name)
    _formatted(folder, tests)
    return Written(folder, tests)


def _formatted(*folders: Path) -> None:
    """Format and sort as the house does, where its formatter is installed."""
    if find_spec("ruff") is None:
        return
    rules = ["--select", "I", "--fix"]
    for command in (["check", *rules], ["format"]):
        options = ["--quiet", "--line-length", "100", "--target-version", "py311", "--isolated"]
        known = ["--config", 'lint.isort.known-first-party=["finance_assets"]']
        arguments: list[str | Path] = [
            *command,
            *options,
            *(known if command[0] == "check" else []),
            *folders,
        ]
        subprocess.run([sys.executable, "-m", "ruff", *arguments], check=False)


def _renderer(plan: Plan) -> Any:
    environment = Environment(
        loader=PackageLoader("finance_assets.scaffold"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    facts = {**_facts(plan), **_of_format(plan.format), **_of_model(plan), **_helpers()}
    return lambda template: environment.get_template(template).render(facts)


def _helpers() -> dict[str, object]:
    return {
        "text": text,
        "tuple": as_tuple,
        "sql": lambda statement, indent: escaped(wrapped(statement, indent)),
        "fsql": lambda statement, indent: (
            escaped(wrapped(statement, indent)).replace("{", "{{").replace("}", "}}")
        ),
        "comment": lambda reason: reason.replace("\n", " ")[:86],
        "cell": lambda value: value.replace("|", "\\|").replace("\n", " "),
        "as_named": as_named,
    }


def _facts(plan: Plan) -> dict[str, object]:
    request, outcome = plan.request, plan.outcome
    names = plan.split.names
    lag = request.label_lag
    label = request.label.strip()[:40]
    event = f"{label} is {outcome.positive[0][:40]}" if outcome.positive else label
    is_binary = outcome.task == "binary"
    return {
        "plan": plan,
        "name": request.name,
        "package": plan.package,
        "owner": request.owner or f"{request.name}@example.com",
        "title": f"{request.name.replace('_', ' ').capitalize()}: "
        + (
            f"in which rows will it be that {event}?" if is_binary else f"how much will {label} be?"
        ),
        "purpose": f"Foresee {'where ' + event if is_binary else label}. Say what is done with it.",
        "entity_constant": plan.entity.upper(),
        "entity_key": [name for name in plan.key if name != plan.partition],
        "first": names[0],
        "last": names[-1],
        "lag": lag,
        "past": max(lag, 1),
        "binary": is_binary,
        "label_description": f"Whether {event}; null while nobody knows" if is_binary else label,
        "target_type": "boolean" if is_binary else "double",
        "unit": label,
        "feature_names": [feature.name for feature in plan.features],
        "runs": list(_runs(plan)),
        "computed": any(not f.is_passed for f in plan.features),
        "taken": any(f.is_passed for f in plan.features),
        "rule_imports": ", ".join(
            [
                *(["RowRule"] if any(not rule.warns for rule in plan.rules) else []),
                *(["Severity", "TableRule"] if any(rule.warns for rule in plan.rules) else []),
            ]
        ),
        "shipped": plan.package.startswith("finance_assets."),
        "warnings": list(plan.warnings()),
        "tested": plan.tested,
    }


def _of_format(format_: Format) -> dict[str, object]:
    """How deliveries are written; `csv_options` is what the csv module is told beside the file."""
    delimiter = format_.delimiter if isinstance(format_, Csv) else ","
    return {
        "kind": format_.kind,
        "format": code_of(format_),
        "format_class": type(format_).__name__,
        "format_module": MODULES[type(format_)],
        "csv_options": "" if delimiter == "," else f", delimiter={json.dumps(delimiter)}",
    }


def _of_model(plan: Plan) -> dict[str, object]:
    is_binary = plan.outcome.task == "binary"
    defaults: Any = binary_defaults if is_binary else regression_defaults
    protected = plan.of[Role.protected]
    ignored = tuple(by_default())
    limits = [
        f"{c.about.lstrip('!').capitalize()}: {c.choice}, {c.reason}."
        for c in plan.decisions
        if c.about.startswith("!")
    ]
    return {
        "defaults": defaults,
        "costs": getattr(defaults, "COSTS", None),
        "protected": protected,
        "gate": [
            criterion_code(c, has_protected=bool(protected))
            for c in defaults.GATE.criteria
            if not isinstance(c, ignored)
        ],
        "params": json.dumps(defaults.PARAMS),
        "min_train": plan.least_training,
        "limitations": [
            "Written from one file, with the bounds of the task and not of the business.",
            *limits,
        ],
    }


def criterion_code(criterion: Criterion[Any, Any], *, has_protected: bool) -> str:
    """A criterion as a person writes it: what it must be told, and what is not as usual."""
    said = []
    for field in dataclasses.fields(criterion):
        value = getattr(criterion, field.name)
        if field.default is dataclasses.MISSING or value != field.default:
            said.append(f"{field.name}={value!r}")
    if criterion.name == "fairness" and not has_protected:
        said.append(f"why_none={json.dumps(NO_PROTECTED)}")
    return f"criteria.{type(criterion).__name__}({', '.join(said)})"


def _runs(plan: Plan) -> Iterator[dict[str, object]]:
    """Features in their order: those taken over together, those computed one by one."""
    taken: list[str] = []
    for feature in plan.features:
        if feature.is_passed:
            taken.append(feature.name)
            continue
        if taken:
            yield {"taken": True, "names": taken}
            taken = []
        yield {"taken": False, "feature": feature}
    if taken:
        yield {"taken": True, "names": taken}
