"""What is written is code that loads, keeps the house's rules, and has its task's bounds."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import finance_assets
from finance_assets.lakehouse.sources.text import TextFile
from finance_assets.ml.tasks.binary import defaults as binary_defaults
from finance_assets.ml.tasks.regression import defaults as regression_defaults
from finance_assets.scaffold.layout import text, wrapped
from finance_assets.scaffold.place import place_of
from finance_assets.scaffold.planning import delivered_rows, make_plan
from finance_assets.scaffold.reading import read_files
from finance_assets.scaffold.request import CannotScaffoldError
from finance_assets.scaffold.writing import write
from finance_assets_tests.scaffold.files import EACH, ROWS, csv_file, parcels, request

ROOT = Path(finance_assets.__file__).parents[1]
STRANGE = {
    'it\'s "quoted" {and} braced': np.arange(ROWS) % 13,
    "back\\slash and\ttab": np.arange(ROWS) % 11 / 7,
    "a very long name " * 12: np.arange(ROWS) % 9,
    "Größe, „netto“": [f"{x % 17},5" for x in range(ROWS)],
    "words": np.array(["it's", 'say "hi"', "{x}", "a\\b", "€\u00a05"])[np.arange(ROWS) % 5],
    "select": np.arange(ROWS) % 4,
    "sex": np.where(np.arange(ROWS) % 2, "f", "m"),
}
LONG = "the share of all the parcels of the month"
# Names that what is made of other columns would have, and headers that are alike for long.
ALIKE = {
    f"{LONG} in %": [f"{x % 13}%" for x in range(ROWS)],
    f"{LONG} in € ": [f"€ {x % 11}" for x in range(ROWS)],
    f"{LONG} by word": np.array(["north", "south", "a very long name of a place far away"])[
        np.arange(ROWS) % 3
    ],
    f"{LONG} by other word": np.array(["north", "south", "a very long name of a place far off"])[
        np.arange(ROWS) % 3
    ],
    "minus weight": np.arange(ROWS) % 17,
    "weight_before": np.arange(ROWS) % 19,
    "late_is_bad": np.arange(ROWS) % 7,
    "region is north": np.arange(ROWS) % 5,
    "cost": [f"{x % 23}%" for x in range(ROWS)],
    "cost_number": np.arange(ROWS) % 29,
}
ASKED = {
    "monthly": ({}, lambda f: f),
    "strange": ({"label_lag": 1}, lambda f: f.assign(**STRANGE)),
    "other_words": ({}, lambda f: f.assign(late=f["late"].map({"yes": "it's {late}", "no": "ok"}))),
    "alike": (
        {},
        lambda f: f.assign(
            **ALIKE, weight=-f["weight"], late=f["late"].map({"yes": "bad", "no": "ok"})
        ),
    ),
    "alike_amount": ({"label": "weight"}, lambda f: f.assign(**ALIKE)),
    "no_time": ({"time": None, "key": ()}, lambda f: f),
    "amount": ({"label": "weight"}, lambda f: f),
    "amount_lag": (
        {
            "label": "stops",
            "task": "regression",
            "frequency": "daily",
            "key": ("parcel", "sent"),
            "label_lag": 2,
        },
        lambda f: f,
    ),
    "many_days": (
        {"label": "stops", "task": "regression", "frequency": "daily"},
        lambda f: f.assign(
            parcel=np.arange(ROWS) % 20,
            sent=np.repeat(pd.bdate_range("2024-01-05", periods=ROWS // 20).astype(str), 20),
        ),
    ),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A package of use cases, one for each way of asking, and the plans they were written from."""
    root = tmp_path_factory.mktemp("own")
    cases = root / "own_cases"
    cases.mkdir()
    (cases / "__init__.py").write_text('"""Use cases of our own."""\n')
    plans = {}
    for name, (changes, change) in ASKED.items():
        asked = request(csv_file(root, change(parcels()), f"{name}_file.csv"), **changes)
        asked = replace(asked, name=name)
        given, place = read_files(asked), place_of(name, cases)
        plans[name] = make_plan(asked, given, place.package, ())
        write(plans[name], delivered_rows(asked, given), place.folder, place.tests)
    sys.path.insert(0, str(root))
    yield root, plans
    sys.path.remove(str(root))
    for module in [m for m in sys.modules if m.startswith("own_cases")]:
        del sys.modules[module]


def loaded(name):
    return import_module(f"own_cases.{name}.use_case").USE_CASE


@pytest.mark.parametrize("name", ASKED)
def test_it_loads_and_declares_what_was_decided(written, name):
    _, plans = written
    use_case, plan = loaded(name), plans[name]
    assert (use_case.model.label_lag, use_case.model.naive) == (plan.request.label_lag, plan.naive)
    assert use_case.model.key == plan.key
    assert use_case.calendar.partitions()[0] == plan.split.names[0]
    assert (use_case.played_from or "") == plan.played_from
    source = next(step.source for step in use_case.steps if step.source)
    assert [c.delivered_name for c in source.columns] == [c.at_source for c in plan.columns]
    delivered = {
        p for p in use_case.calendar.partitions() if source.path(use_case.samples, p).exists()
    }
    assert delivered == set(plan.split.names)


@pytest.mark.parametrize("name", ["alike", "alike_amount"])
def test_no_two_columns_share_a_name_in_any_of_its_tables(written, name):
    _, plans = written
    plan = plans[name]
    columns = [column.name for column in plan.columns]
    made = [f.name for f in plan.features if not f.is_passed]
    targets = [plan.outcome.target] if plan.outcome.target not in columns else []
    names = [*columns, *made, *targets]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 40
    assert {f.name for f in plan.features if f.is_passed} <= set(columns)
    if name == "alike":
        assert (plan.naive, plan.outcome.target) == ("minus_weight_2", "late_is_bad_2")
        assert {"cost_number_2", "region_is_north_2"} <= set(made)
    else:
        assert plan.naive == "weight_before_2"


@pytest.mark.parametrize("name", ASKED)
def test_its_bounds_are_those_of_the_task_and_not_of_the_data(written, name):
    _, plans = written
    kind = binary_defaults if plans[name].outcome.task == "binary" else regression_defaults
    found = {c.name: c for c in loaded(name).model.gate.criteria}
    for criterion in kind.GATE.criteria:
        mine = found[criterion.name]
        if criterion.name == "fairness" and not loaded(name).model.protected:
            assert mine.why_none
            mine = replace(mine, why_none="")
        assert mine == criterion


def test_it_keeps_the_rules_of_style(written):
    root, _ = written
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", ROOT / "pyproject.toml", root],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_its_types_are_right(written, tmp_path):
    root, _ = written
    # What is known of the package already need not be found out again.
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", tmp_path, dirs_exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml",
         "--cache-dir", tmp_path, root / "own_cases"],
        capture_output=True,
        text=True,
        cwd=root,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


WAYS = {
    "wide": lambda folder, frame: csv_file(folder, frame, "wide.csv", encoding="utf-16", sep=";"),
    "lines": lambda folder, frame: csv_file(folder, with_line_ends(frame), "lines.csv"),
    "json": lambda folder, frame: json_file(folder, frame),
    "parquet": lambda folder, frame: parquet_file(folder, frame),
}


def with_line_ends(frame):
    """A value of several lines in the first rows of each month: half the lines are not half the
    records.
    """
    return frame.assign(note=np.where(np.arange(ROWS) % EACH < 100, 'a\nb\r\n"c"', "d"))


def json_file(folder, frame):
    frame.to_json(folder / "rows.jsonl", orient="records", lines=True)
    return folder / "rows.jsonl"


def parquet_file(folder, frame):
    frame.to_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


@pytest.mark.parametrize("way", WAYS)
def test_its_own_test_cuts_the_last_delivery_between_two_records(tmp_path, monkeypatch, way):
    cases = package(tmp_path / f"{way}_cases")
    asked = replace(request(WAYS[way](tmp_path, parcels())), name="cut_ones")
    given, place = read_files(asked), place_of("cut_ones", cases)
    plan = make_plan(asked, given, place.package, ())
    write(plan, delivered_rows(asked, given), place.folder, place.tests)
    monkeypatch.syspath_prepend(tmp_path)
    tested = import_module(f"{place.package}.tests.test_cut_ones")
    source = next(step.source for step in tested.USE_CASE.steps if step.source)
    assert tested.PARTITIONS[-1] > tested.AS_OF
    for is_cut in (False, True):
        settings = tested.home(tmp_path / f"home_{is_cut}", future_is_another=is_cut)
        for month in tested.PARTITIONS:
            path = source.path(settings.landing / "cut_ones", month)
            rows = delivered_by(source, path)
            wanted = EACH // 2 if is_cut and month > tested.AS_OF else EACH
            assert rows.num_rows == wanted
            assert rows.equals(delivered_by(source, place.folder / "samples" / path.name)[:wanted])


def test_a_typed_day_for_each_partition_makes_a_use_case_that_loads(tmp_path, monkeypatch):
    frame = parcels().assign(sent=lambda f: pd.to_datetime(f["sent"]).dt.date)
    asked = request(parquet_file(tmp_path, frame), frequency="daily")
    asked, given = replace(asked, name="typed_days"), read_files(asked)
    place = place_of("typed_days", package(tmp_path / "typed_cases"))
    plan = make_plan(asked, given, place.package, ())
    write(plan, delivered_rows(asked, given), place.folder, place.tests)
    monkeypatch.syspath_prepend(tmp_path)
    use_case = import_module(f"{place.package}.use_case").USE_CASE
    assert use_case.model.key == ("parcel", "delivered_for")
    assert use_case.calendar.partitions()[0] == min(frame["sent"]).isoformat()


def delivered_by(source, path):
    """The rows of a delivery, all of which must be records."""
    if path.suffix == ".parquet":
        return pq.read_table(path)
    parts = list(source.format.rows(source, TextFile(path, path, source.format.encoding, "us")))
    assert all(part.malformed.null_count == len(part) for part in parts)
    return pa.concat_tables([pa.table(part.columns, names=list(source.header)) for part in parts])


def test_the_report_tells_every_column_and_every_decision(written):
    root, plans = written
    for name, plan in plans.items():
        report = (root / "own_cases" / name / "NEW.md").read_text()
        rows = [line for line in report.splitlines() if line.startswith("|")]
        assert len(rows) == 4 + len(plan.decisions) + len(plan.columns)
        for warning in plan.warnings():
            assert warning in report


def test_texts_and_sql_are_cut_into_lines_without_a_change():
    for odd in ("no\u00a0break", "tab\tand\u2003wide", "grün 名前 \U0001f600"):
        assert json.loads(text(odd)) == odd
        assert text(odd)[1:-1].isprintable()
    long = 'it\'s a "long" text\twith {braces} and \\ ' * 9 + "x" * 200
    assert "".join(map(json.loads, text(long).splitlines())) == long
    statement = "CASE WHEN a IN ('two  blanks', 'it\\'s', 'c') THEN 1 ELSE 0 END " * 4
    lines = wrapped(statement, 8).splitlines()
    assert max(map(len, lines)) < 100
    assert " ".join(line.strip() for line in lines) == statement.strip()
    assert "'two  blanks'," in wrapped(statement, 8)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda p: p / "nowhere", "there is no such folder"),
        (lambda p: (p / "file").write_text("") and p / "file" or p / "file", "it is no folder"),
        (lambda p: (p / "plain").mkdir() or p / "plain", "the folder is no package"),
        (lambda p: package(p / "my-cases"), "'my-cases' is no name of a package"),
        (lambda p: package(package(p / "cases") / "taken").parent, "such a folder already"),
    ],
)
def test_a_folder_that_is_no_package_is_refused(tmp_path, make, what):
    with pytest.raises(CannotScaffoldError, match=what):
        place_of("taken", make(tmp_path))


def package(folder: Path) -> Path:
    folder.mkdir()
    (folder / "__init__.py").touch()
    return folder
