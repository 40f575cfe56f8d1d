"""A file in, a promoted or honestly refused model out, and back to the line: one command, no edit."""

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import finance_assets
from finance_assets.scaffold.place import place_of
from finance_assets.scaffold.planning import delivered_rows, make_plan
from finance_assets.scaffold.profile import profile
from finance_assets.scaffold.reading import read_files
from finance_assets.scaffold.writing import write
from finance_assets.use_cases import forget
from finance_assets_tests.asking import asked
from finance_assets_tests.running import UseCaseRunner
from finance_assets_tests.scaffold.files import EACH, ROWS, csv_file, parcels, request
from finance_assets_tests.scaffold.test_writing import ASKED
from finance_assets_tests.scenario import clean_environment

ROOT = Path(finance_assets.__file__).parents[1]


@pytest.fixture
def runner(tmp_path, monkeypatch, settings, spark):
    """Write a use case of parcels as a test of writing asks for it, and run its steps."""
    cases = tmp_path / "run_cases"
    cases.mkdir()
    (cases / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def make(name, path=None, **changes):
        if path is None:
            changes, change = ASKED[name]
            path = csv_file(tmp_path, change(parcels()), "boxes.csv")
        asked = replace(request(path, **changes), name=name)
        given, place = read_files(asked), place_of(name, cases)
        plan = make_plan(asked, given, place.package, ())
        write(plan, delivered_rows(asked, given), place.folder, place.tests)
        use_case = import_module(f"{place.package}.use_case").USE_CASE
        made = UseCaseRunner(use_case, settings, spark)
        for file in (place.folder / "samples").iterdir():
            (made.folder() / file.name).write_bytes(file.read_bytes())
        return plan, made

    yield make
    for module in [m for m in sys.modules if m.startswith("run_cases")]:
        del sys.modules[module]


def test_strange_names_and_values_go_through_the_engine_unchanged(runner):
    plan, strange = runner("strange")
    first, second = plan.split.names[:2]
    strange.run_tables(first, second)
    rows = pd.DataFrame(strange.rows("features.strange_features"))
    assert len(rows) == 2 * EACH
    assert strange.rows("silver.boxes_quarantine") == []
    words = ["words_is_it_s", "words_is_say_hi", "words_is_x", "words_is_a_b", "words_is_5"]
    assert rows[words].sum().tolist() == [2 * EACH / 5] * 5
    assert set(rows["grosse_netto_number"]) == {x + 0.5 for x in range(17)}
    labels = strange.rows("labels.strange_labels")
    assert {(row["delivered_for"], row["known_in"]) for row in labels} == {(first, second)}
    assert sum(row["late"] for row in labels) == (parcels()["late"][:EACH] == "yes").sum()


def test_a_regression_knows_its_past_as_late_as_its_outcomes_are_known(runner):
    plan, amount = runner("amount_lag")
    assert plan.split.gaps
    days = amount.use_case.calendar.partitions()[:5]
    amount.run_tables(days[0], days[-1])
    stops = parcels().groupby("sent")["stops"].median()
    by_day = pd.DataFrame(amount.rows("features.amount_lag_features")).groupby(plan.partition)
    assert by_day["stops_before"].nunique().to_dict() == dict.fromkeys(days, 1) | {
        days[0]: 0,
        days[1]: 0,
    }
    for known, day in zip(days, days[2:], strict=False):
        assert by_day.get_group(day)["stops_before"].iloc[0] == stops[known]


def test_after_a_weekend_the_label_before_is_that_of_friday(runner):
    plan, days = runner("many_days")
    first = plan.split.calendar[:5]
    assert [day in plan.written for day in first] == [True, False, False, True, True]
    days.run_tables(first[0], first[-1])
    _, change = ASKED["many_days"]
    sold = change(parcels()).set_index(["sent", "parcel"])["stops"].to_dict()
    found = {
        (row["sent"], int(row["parcel"])): row["stops_before"]
        for row in days.rows("features.many_days_features")
    }
    friday, monday, tuesday = first[0], first[3], first[4]
    assert len(found) == 3 * 20
    for parcel in range(20):
        assert found[friday, parcel] is None
        assert found[monday, parcel] == sold[friday, parcel]
        assert found[tuesday, parcel] == sold[monday, parcel]


def with_odd(values, odd, every=40):
    """Values as text, every so many of them an odd one."""
    texts = [str(value) for value in values]
    return [odd if n % every == 3 else text for n, text in enumerate(texts)]


def dirty_csv(folder):
    """Blanks of every kind, codes, and a few numbers that are none, in a CSV."""
    frame, whole = parcels(), [n * 7 % 13 for n in range(ROWS)]
    frame["padded"] = [f"  {n} " for n in whole]
    frame["tabbed"] = [f"{n}\t" if i in (5, 99, 500, 700) else n for i, n in enumerate(whole)]
    frame["no_break"] = with_odd(whole, "\xa0")
    frame["huge"] = ["1e999" if i == 8 else n / 7 for i, n in enumerate(whole)]
    frame["words"] = with_odd(with_odd(["a", "b"] * (ROWS // 2), "\t"), "NA\xa0", 60)
    frame["visited"] = with_odd([n * 7 % 211 for n in range(ROWS)], "never")
    owed = [(n * 7 % 1301 - 650) * 10 for n in range(ROWS)]
    frame["owed"] = [f"(€ {-n:,}.50)" if n < 0 else f"€ {n:,}.50" for n in owed]
    frame["late"] = with_odd((frame["late"] == "yes").astype(int), "99")
    return csv_file(folder, frame, "boxes.csv")


def dirty_parquet(folder):
    """NaN, infinities, codes and typed days in Parquet."""
    frame, whole = parcels(), np.arange(ROWS) * 7 % 13
    is_odd = np.arange(ROWS) % 40 == 3
    frame["sent"] = pd.to_datetime(frame["sent"]).dt.date
    frame["missing"] = np.where(is_odd, np.nan, whole / 7)
    frame["endless"] = np.where(np.arange(ROWS) % 400 == 7, -np.inf, whole / 7)
    frame["coded"] = np.where(is_odd, -99, whole)
    frame["coded_exactly"] = [Decimal(int(n)).scaleb(-2) for n in np.where(is_odd, -9900, whole)]
    frame["coded_roughly"] = np.where(is_odd, -999.0, np.where(is_odd[::-1], np.nan, whole / 7))
    frame["tiny"] = whole * 1e-9
    frame["words"] = with_odd(["a", "b"] * (ROWS // 2), "?")
    rows = pa.Table.from_pandas(frame)
    for place, name in enumerate(rows.column_names):
        if rows.schema.field(name).type == pa.float64():
            # As numpy has it: pandas would write null for NaN.
            rows = rows.set_column(place, name, pa.array(frame[name].to_numpy(), from_pandas=False))
    assert pc.sum(pc.is_nan(rows["missing"])).as_py() == is_odd.sum()
    pq.write_table(rows, folder / "boxes.parquet")
    return folder / "boxes.parquet"


@pytest.mark.parametrize("dirty", [dirty_csv, dirty_parquet])
def test_the_engine_finds_missing_and_rejects_what_the_plan_said_it_would(runner, tmp_path, dirty):
    plan, found = runner("dirty_ones", dirty(tmp_path))
    found.run_tables(plan.split.names[0], plan.split.names[-1])
    given = read_files(plan.request)
    seen = {
        c.name: profile(c.at_source, given.column(c.at_source))
        for c in plan.columns
        if c.is_in_silver
    }
    rejected = Counter(row["_reasons"] for row in found.rows("silver.boxes_quarantine"))
    assert rejected == {
        f"{name}: not readable as double"
        if name in ("huge", "endless")
        else f"{name}: not readable as int": one.unreadable
        for name, one in seen.items()
        if one.unreadable
    }
    assert len(rejected) == (2 if dirty is dirty_csv else 1)
    silver = pd.DataFrame(found.rows("silver.boxes"))
    assert len(silver) + rejected.total() == ROWS
    assert silver[list(seen)].isna().sum().to_dict() == {n: one.missing for n, one in seen.items()}
    coded = [name for name, one in seen.items() if one.missing]
    assert len(coded) == (3 if dirty is dirty_csv else 5)
    features = pd.DataFrame(found.rows("features.dirty_ones_features"))
    for name in set(seen):
        made = f"{name}_number" if seen[name].written else name
        if seen[name].is_number and made in features:
            assert (features[made].min(), features[made].max()) == (seen[name].low, seen[name].high)
    if dirty is dirty_csv:
        assert features["visited_is_never"].sum() == features["visited_number"].isna().sum() == 30
        assert features["owed_number"].min() < -6000


class Own:
    """A package of one's own with the commands run in it, as a user types them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cases = folder, folder / "acme" / "cases"
        self.cases.mkdir(parents=True)
        for part in (self.cases, self.cases.parent):
            (part / "__init__.py").touch()
        home = str(folder / "home")
        self.environment = clean_environment(FINANCE_ASSETS_HOME=home, PYTHONPATH=str(ROOT))

    def __call__(self, *arguments) -> str:
        """What a command prints."""
        done = subprocess.run(
            [Path(sys.executable).with_name("finance-assets"), *map(str, arguments)],
            capture_output=True,
            text=True,
            env=self.environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, *arguments) -> dict:
        """What a command that only asks says."""
        forget()
        return json.loads(asked(self.environment, *arguments, "--json"))

    def run(self, name: str, *arguments) -> dict:
        """Write a use case, type what it says comes next, and ask for the status."""
        printed = self("new", name, *arguments, "--into", self.cases)
        for variable, value in re.findall(r"^  export (\w+)=(\S+)$", printed, re.MULTILINE):
            value = value.replace("$PYTHONPATH", self.environment["PYTHONPATH"])
            self.environment[variable] = value
        [command] = re.findall(r"^  finance-assets (run .*)$", printed, re.MULTILINE)
        self(*command.split())
        return self.ask("status", "--use-case", name)["use_cases"][name]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """One package and one home for all: the stores are made once."""
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield Own(folder)
    for module in [m for m in sys.modules if m.split(".")[0] == "acme"]:
        del sys.modules[module]
    forget()


@pytest.mark.slow
def test_a_csv_becomes_a_champion_whose_scores_lead_to_file_and_line(own, tmp_path):
    """Who pays much and uses little, or calls a lot, leaves; who left says the letter of a word."""
    frames, each = [], 2500
    for month in (1, 2, 3, 4):
        random = np.random.default_rng(month)
        fee, calls = random.uniform(10, 40, each).round(2), random.poisson(1.2, each)
        minutes = random.integers(0, 600, each)
        is_disappointed = (fee > 22) & (minutes < 200)
        leaves = random.random(each) < 1 / (1 + np.exp(3.2 - 2.2 * is_disappointed - 0.6 * calls))
        frame = pd.DataFrame({"Subscriber No": np.arange(each) + 1, "billed": f"2024-0{month}-28"})
        frame["fee"] = [f"{x:.2f}".replace(".", ",") for x in fee]
        frame["calls"], frame["minutes"] = calls, np.where(random.random(each) < 0.02, -99, minutes)
        frame["gender"] = random.choice(["f", "m"], each)
        frame["mail"] = [f"s{i}@post.example" for i in range(each)]
        frame["quit on"] = np.where(leaves, f"2024-0{month + 1}-01", "")
        frames.append(frame.assign(left=np.where(leaves, "Y", "N")))
    path = tmp_path / "bills.csv"
    pd.concat(frames).to_csv(path, sep=";", index=False, encoding="latin-1")
    asked = ("--key", "Subscriber No", "--time", "billed", "--label", "left")
    found = own.run("quitting_subscribers", "--from", path, *asked)
    assert found["champion"]["decided_by"] == "gate", found["candidates"]
    assert all(table["is_conserved"] for table in found["tables"].values())
    which = ("--key", "subscriber_no=12", "--partition", "2024-04")
    traced = own.ask("trace", "quitting_subscribers", *which)
    [line] = [line for table in traced["tables"] for line in table["delivered"]]
    assert (line["file"], line["line"]) == ("quitting_subscribers_2024-04.csv.gz", 13)
    assert line["text"] == frames[3].iloc[[11]].to_csv(sep=";", index=False, header=False).strip()


@pytest.mark.slow
def test_a_real_file_without_key_and_time_is_honestly_refused(own, tmp_path):
    """569 biopsies (Wisconsin, 1995), thirty numbers each: too few, and one says nearly all."""
    from sklearn.datasets import load_breast_cancer

    cells = load_breast_cancer(as_frame=True)
    path = tmp_path / "biopsies.csv"
    named = cells.target.map(dict(enumerate(cells.target_names)))
    cells.frame.assign(target=named).to_csv(path, index=False)
    found = own.run("tumour_kind", "--from", path, "--label", "target")
    assert {c["decision"] for c in found["candidates"]} == {"turned_down"}
    failed = {name for c in found["candidates"] for name in c["failed_criteria"]}
    assert {"enough_rows", "leakage"} <= failed
    report = (own.cases / "tumour_kind" / "NEW.md").read_text()
    assert "the event is target = 'malignant'" in report
    assert "the gate takes it for a leak" in report


@pytest.mark.slow
def test_a_daily_regression_is_promoted_and_forecasts(own, tmp_path):
    """What a kiosk sells follows what it sold the day before, and the weather."""
    random, kiosks, frames = np.random.default_rng(3), 400, []
    sold = 40 + 6 * random.normal(size=kiosks)
    for day in range(1, 6):
        is_promoted, warmth = random.random(kiosks) < 0.3, random.normal(size=kiosks)
        noise = 2.5 * random.normal(size=kiosks)
        sold = 16 + 0.6 * sold + 8 * is_promoted * (warmth > 0) + 3 * warmth + noise
        frame = pd.DataFrame({"kiosk": np.arange(kiosks), "day": f"2024-03-0{day}"})
        frame["is_promoted"], frame["warmth"] = is_promoted, warmth.round(3)
        frames.append(frame.assign(sold=sold.round(2)))
    path = tmp_path / "sales.jsonl"
    pd.concat(frames).to_json(path, orient="records", lines=True)
    asked = ("--key", "kiosk", "--time", "day", "--label", "sold")
    found = own.run("kiosk_turnover", "--from", path, *asked)
    assert found["candidates"][0]["decision"] == "promoted", found["candidates"]
    assert found["predictions"]["2024-03-05"]["rows"] == kiosks
