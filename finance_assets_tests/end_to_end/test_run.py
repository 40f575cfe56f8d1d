"""`finance-assets run` on the shipped data, as a user runs it: once, and once more.

What runs, the first status and a refusal have processes of their own, as a user's commands have.
"""

import gzip
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from finance_assets.assets.metadata import asset_key
from finance_assets_tests.asking import asked, invoked
from finance_assets_tests.end_to_end.figures import figures, without_bytes
from finance_assets_tests.scenario import (
    APRIL,
    MAY,
    NAME,
    RETRAINING,
    SAMPLES,
    SILVER,
    USE_CASE,
    clean_environment,
    deliver,
    deliver_sample,
    statements,
)

pytestmark = pytest.mark.slow
TESTS = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("finance-assets")
MONTHS = ["2005-04", "2005-05", "2005-06", "2005-07", "2005-08", "2005-09"]


def finance_assets(home, *arguments, **environment) -> subprocess.CompletedProcess:
    """The command in its own process, with its own home."""
    return subprocess.run(
        [COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=clean_environment(FINANCE_ASSETS_HOME=str(home), **environment),
        timeout=900,
    )


def said(home, *arguments) -> str:
    """What a command says that must succeed, in this process."""
    return asked({"FINANCE_ASSETS_HOME": str(home)}, *arguments)


def status(home) -> dict:
    """`status --json`, parsed."""
    return json.loads(said(home, "status", "--json"))["use_cases"][NAME]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which everything was run once."""
    home = tmp_path_factory.mktemp("home")
    done = finance_assets(home, "run", "--use-case", NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    (home / "run.log").write_text(done.stdout)
    (home / "run.err").write_text(done.stderr)
    return home


@pytest.fixture(scope="module")
def state(home):
    """What `status` said then."""
    done = finance_assets(home, "status", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["use_cases"][NAME]


def test_the_run_ends_with_a_summary_and_what_to_do_next(home):
    log = (home / "run.log").read_text()
    for words in (SILVER, "promoted", "predictions", "drift", "make dev"):
        assert words in log, words


def test_nothing_runs_through_the_progress_display(home):
    assert (home / "run.err").read_text() == ""
    assert "Created version" not in (home / "run.log").read_text()


def test_status_shows_six_partitions_and_conserves_every_row(state):
    assert state["partitions"] == MONTHS
    silver = state["tables"][SILVER]
    assert silver["delivered"] == 180_000
    assert silver["rows"] + silver["quarantined"] + silver["duplicates"] == 180_000
    for table, facts in state["tables"].items():
        assert facts["is_conserved"], table
        if not table.endswith("portfolio"):
            assert facts["rows"] == facts["published"], table


def test_status_reads_the_tables_without_libraries_that_take_long_to_import(home):
    code = (
        "import json, sys\n"
        "from finance_assets.cli.main import app\n"
        "app(['status', '--json'], standalone_mode=False)\n"
        "names = ('dagster', 'pandas', 'pyspark', 'mlflow', 'pysail', 'sklearn', 'xgboost')\n"
        "print(json.dumps([m for m in names if m in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=clean_environment(FINANCE_ASSETS_HOME=str(home)),
        check=True,
    )
    assert json.loads(done.stdout)["use_cases"][NAME]["champion"]
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_a_champion_was_promoted_and_scored_the_months_after_it(state):
    champion = state["champion"]
    assert champion["metrics"]["auc"] > 0.75
    after = [month for month in MONTHS if month > champion["as_of"]]
    assert "2005-09" in after
    for month in after:
        predictions = state["predictions"][month]
        assert predictions == {"rows": 30_000, "model_version": champion["version"]}


def test_models_predictions_and_verdicts_are_to_the_digit_what_is_recorded(home):
    """A change that means to change them says so by writing figures.json anew (figures.py)."""
    recorded = json.loads((TESTS / "use_cases" / NAME / "figures.json").read_text())
    found = figures(NAME, home)
    assert found["library"] == recorded["library"], "another version of it trains other models"
    if found["processor"] == recorded["processor"]:
        assert found == recorded
    assert without_bytes(found) == without_bytes(recorded)


def test_no_month_was_scored_by_a_model_from_its_future(state):
    as_of = {c["version"]: c["as_of"] for c in state["candidates"]}
    for month, predictions in state["predictions"].items():
        assert as_of[predictions["model_version"]] < month


def test_the_change_of_encoding_in_september_is_seen_and_held(state):
    drift = state["drift"]["2005-09"]
    assert (drift["verdict"], drift["action"]) == ("encoding_change", "hold")
    assert "pay_status" in drift["drifted"].split(",")


def test_every_month_has_a_verdict_also_those_before_there_was_a_champion(home, state):
    assert list(state["drift"]) == state["partitions"]
    assert state["not_measured"] == []
    before = [month for month in state["partitions"] if month not in state["predictions"]]
    verdicts = [state["drift"][month] for month in before]
    assert {(v["verdict"], v["action"]) for v in verdicts} == {("no_champion", "wait")}
    shown = said(home, "status")
    rows = [line.split("│")[1:4] for line in shown.splitlines() if line.startswith("│ ")]
    nobody = [row[0].strip() for row in rows if len(row) == 3 and row[2].strip() == "nobody"]
    assert nobody == before


def test_dagster_knows_what_the_run_materialised(home):
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        for step in USE_CASE.pipeline_steps:
            found = instance.get_materialized_partitions(asset_key(step.key))
            assert found == set(MONTHS), step.key


def test_drift_brought_about_the_retraining_that_was_promoted(home):
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name=RETRAINING))
        reasons = {run.tags["dagster/partition"]: run.tags["retraining_reason"] for run in runs}
        keys = [run.tags["dagster/run_key"] for run in runs]
    assert reasons["2005-06"] == "there is no champion yet"
    assert reasons["2005-08"].startswith("immature reference in 2005-08")
    assert reasons["2005-08"].endswith("since 2005-07")
    assert len(keys) == len(set(keys)) == 2


def test_the_champion_can_be_reproduced_to_the_byte(home):
    done = said(home, "reproduce", NAME, "champion")
    assert "reproduced: same model, same predictions, same metrics" in done


def test_a_prediction_is_traced_to_the_file_and_line_that_hold_the_accounts_row(home):
    key = ["--key", "account_id=123", "--partition", "2005-09"]
    tables = json.loads(said(home, "trace", NAME, *key, "--json"))["tables"]
    delivered = [row for table in tables if table["is_delivery"] for row in table["rows"]]
    lines = [(row["_source_file"], row["_source_line"]) for row in delivered]
    assert len(lines) == 3
    for file, number in lines:
        with gzip.open(SAMPLES / file, "rt") as stream:
            assert stream.read().splitlines()[number - 1].split(",")[0] == "123"
    shown = said(home, "trace", NAME, *key)
    assert all(f"{file}:{number}" in shown for file, number in lines)


def test_two_rollbacks_leave_a_history_that_reads_right(home, state):
    for reason in ("scores look odd", "it was the data"):
        said(home, "rollback", NAME, "--reason", reason)
    events = json.loads(said(home, "history", NAME, "--json"))["events"]
    assert [(e["event"], e["replaces"], e["model_version"]) for e in events] == [
        ("promoted", None, "1"),
        ("promoted", "1", "2"),
        ("rolled_back", "2", "1"),
        ("rolled_back", "1", "2"),
    ]
    assert [e["reason"] for e in events[2:]] == ["scores look odd", "it was the data"]
    assert all(e["effective_from"] == "2005-10" for e in events[2:])
    assert "compared with MLflow and Dagster" in said(home, "history", NAME, "--verify")
    after = status(home)
    for same in ("predictions", "tables"):
        assert after[same] == state[same]
    for same in ("version", "as_of", "metrics"):
        assert after["champion"][same] == state["champion"][same]


def test_the_model_card_can_be_read_from_the_command(home):
    assert said(home, "card", NAME, "champion").startswith(f"# Model card: {NAME} v2")


def test_every_mlflow_run_ended_finished(home):
    with sqlite3.connect(home / "mlflow" / "mlflow.db") as store:
        found = {row[0] for row in store.execute("select status from runs")}
    assert found == {"FINISHED"}


def test_a_second_run_changes_no_row_and_registers_no_version(home):
    before = status(home)
    done = finance_assets(home, "run", "--use-case", NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    assert status(home) == before
    with sqlite3.connect(home / "mlflow" / "mlflow.db") as store:
        [[versions]] = store.execute("select count(*) from model_versions").fetchall()
        [[runs]] = store.execute("select count(*) from runs").fetchall()
    assert versions == runs == len(before["candidates"])


def test_the_definitions_validate():
    done = subprocess.run(
        [
            Path(sys.executable).with_name("dagster"),
            "definitions",
            "validate",
            "-w",
            "workspace.yaml",
        ],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_a_run_can_stop_at_a_month_and_go_on_later(tmp_path):
    landing = tmp_path / "landing"
    landing.mkdir()
    deliver_sample(landing, 50, [APRIL])
    environment = {"FINANCE_ASSETS_LANDING": str(landing)}
    done = finance_assets(
        tmp_path / "home", "run", "--use-case", NAME, "--through", APRIL, **environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    state = status(tmp_path / "home")
    assert state["partitions"] == [APRIL]
    assert state["champion"] is None
    deliver(landing, MAY, *statements(MAY, 9), "x", "y", "z")
    broken = finance_assets(
        tmp_path / "home", "run", "--use-case", NAME, "--through", MAY, **environment
    )
    assert broken.returncode == 1
    assert f"{SILVER} is unchanged" in broken.stderr
    assert "partition 2005-05" in broken.stderr
    assert status(tmp_path / "home")["tables"][SILVER]["rows"] == 50


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--use-case", "nonsense"], ["no use case 'nonsense'", NAME]),
        (["--use-case", NAME, "--through", "1999-01"], ["1999-01", "2005-04 to 2005-09"]),
    ],
)
def test_a_wrong_argument_says_what_would_be_right(tmp_path, arguments, words):
    done = invoked({"FINANCE_ASSETS_HOME": str(tmp_path)}, "run", *arguments)
    assert done.exit_code == 1
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.output


def test_a_wrong_setting_says_what_would_be_right(tmp_path):
    done = finance_assets(tmp_path, "status", FINANCE_ASSETS_ENGINE="hive")
    assert done.returncode == 1
    assert "FINANCE_ASSETS_ENGINE" in done.stderr
    assert "hive" in done.stderr
    assert "Traceback" not in done.stderr
