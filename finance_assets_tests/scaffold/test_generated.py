"""The tests that are written with a use case pass as they are, whatever the file was."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import finance_assets
from finance_assets.scaffold.place import place_of
from finance_assets.scaffold.planning import delivered_rows, make_plan
from finance_assets.scaffold.reading import read_files
from finance_assets.scaffold.writing import write
from finance_assets_tests.scaffold.files import EACH, MONTHS, csv_file, parcels, request
from finance_assets_tests.scenario import clean_environment

ROOT = Path(finance_assets.__file__).parents[1]


def json_lines(folder):
    """Objects with a list in them, of which the first half lacks a name."""
    frame = parcels().assign(tags=[["a"]] * (4 * EACH))
    files = [folder / "first.jsonl", folder / "second.jsonl"]
    frame[: 2 * EACH].drop(columns="stops").to_json(files[0], orient="records", lines=True)
    frame[2 * EACH :].to_json(files[1], orient="records", lines=True)
    return files


def parquet(folder):
    """Moments shortly before midnight, on a clock that is not UTC's."""
    late = pd.to_datetime(parcels()["sent"]) + pd.Timedelta("23:30:00")
    frame = parcels().assign(sent=late.dt.tz_localize("America/New_York"))
    frame.to_parquet(folder / "parcels.parquet")
    return [folder / "parcels.parquet"]


def counted(folder):
    """Moments that a machine counted, in milliseconds as floats."""
    sent = pd.to_datetime(parcels()["sent"]).astype("datetime64[ms]").astype("int64")
    parcels().assign(sent=sent.astype("float64")).to_parquet(folder / "parcels.parquet")
    return [folder / "parcels.parquet"]


def business_days(folder):
    """Days without those of weekends; the first is a Friday."""
    days = pd.bdate_range("2024-01-05", periods=12).strftime("%Y-%m-%d")
    rows = parcels(MONTHS * 3).assign(sent=np.repeat(days, EACH))
    # What came on one of the days came again, row for row.
    rows[2 * EACH : 3 * EACH] = rows[EACH : 2 * EACH].assign(sent=days[2])
    return [csv_file(folder, rows, "days.csv")]


CASES = {
    "from_csv": (lambda folder: [csv_file(folder, parcels(), sep=";")], {"label_lag": 1}),
    "from_json": (json_lines, {}),
    "from_parquet": (parquet, {}),
    "of_milliseconds": (counted, {}),
    "without_time": (lambda folder: [csv_file(folder, parcels())], {"time": None, "key": ()}),
    "of_business_days": (business_days, {}),
    "regression": (business_days, {"label": "weight"}),
}


@pytest.mark.slow
def test_they_pass_untouched(tmp_path):
    cases = tmp_path / "own_cases"
    cases.mkdir()
    (cases / "__init__.py").touch()
    for name, (files, changes) in CASES.items():
        asked = replace(request(*files(tmp_path), **changes), name=name)
        given, place = read_files(asked), place_of(name, cases)
        plan = make_plan(asked, given, place.package, ())
        write(plan, delivered_rows(asked, given), place.folder, place.tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(cases)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environment(PYTHONPATH=f"{tmp_path}:{ROOT}"),
    )
    assert done.returncode == 0, done.stdout[-5000:]
    [passed] = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) == 3 * len(CASES), done.stdout[-2000:]
