"""The same steps on the JVM: every table of credit_default equals that of the embedded engine."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from finance_assets.lakehouse.history import TableHistory
from finance_assets.use_cases.credit_default.use_case import USE_CASE
from finance_assets_tests.scenario import JULY, clean_environment, deliver_sample

# Run in a process of its own: a process can hold one kind of Spark session only.
PLAY = """
import sys
import dagster as dg
from finance_assets.cli.play import Progress, play_partition
from finance_assets.definitions import defs
from finance_assets.settings import get_settings
from finance_assets.use_cases import ALL

get_settings().prepare_home()
use_case = ALL["credit_default"]
said = lambda *words: None
with dg.DagsterInstance.ephemeral() as instance:
    for month in use_case.calendar.through(sys.argv[1]):
        play_partition(defs, instance, use_case, month, Progress(said, said))
"""

IN_CI = bool(os.environ.get("CI"))


def java_version() -> int:
    """Major version of the Java on the PATH, 0 without one."""
    if shutil.which("java") is None:
        return 0
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found.group(1)) if found else 0


needs_java = pytest.mark.skipif(
    not IN_CI and java_version() < 17, reason="engine=spark needs Java 17 or newer on the PATH"
)


def play(home, landing, engine: str, **more: str) -> None:
    """Take the use case through its months on an engine."""
    run_code(PLAY, home, landing, engine, **more)


def run_code(code: str, home, landing, engine: str, **more: str) -> subprocess.CompletedProcess:
    """Run Python code in a process of its own, on an engine."""
    done = subprocess.run(
        [sys.executable, "-c", code, JULY],
        capture_output=True,
        text=True,
        timeout=1200,
        env=clean_environment(
            FINANCE_ASSETS_HOME=str(home),
            FINANCE_ASSETS_LANDING=str(landing),
            FINANCE_ASSETS_ENGINE=engine,
            FINANCE_ASSETS_GIT_SHA="test",
            **more,
        ),
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return done


def rows(home, step) -> list[str]:
    """The stored rows without clock readings and ids of runs and commits, in a fixed order."""
    volatile = {c.name for c in step.contract.columns if c.is_volatile}
    skipped = volatile | {"run_id", "fingerprint", "dataset_version", "data_version"}
    skipped |= {"gate_report", "decision_id", "recorded_at"}
    layer, entity = step.key.split(".")
    # Tables of the session's catalog lie in its warehouse.
    folders = (
        home / "lakehouse" / layer / entity,
        home / "spark-warehouse" / f"{layer}.db" / entity,
    )
    [folder] = [folder for folder in folders if (folder / "_delta_log").is_dir()]
    stored = TableHistory(step.key, folder).rows()
    kept = ({k: v for k, v in sorted(row.items()) if k not in skipped} for row in stored)
    return sorted(json.dumps(row, default=str) for row in kept)


DISTRIBUTED = """
import json, sys
from dataclasses import replace
from finance_assets.compute.runner import open_registry
from finance_assets.compute.sessions import open_session
from finance_assets.settings import get_settings
from finance_assets.use_cases.credit_default.use_case import CALENDAR, MODEL
from finance_assets_tests.ml.evidence import EASY_GATE
from finance_assets_tests.scenario import APRIL, JULY, JUNE, Runner
from finance_assets_tests.model_life.models import DECISION, NAME, PREDICTIONS, run_model_steps

settings = get_settings()
settings.prepare_home()
runner = Runner(settings, open_session(settings))
params = {"max_depth": 4, "learning_rate": 0.1}
spec = replace(MODEL, gate=EASY_GATE, family="xgboost", params=params, rounds=40, search=None)
runner.run_tables(APRIL, JULY)
run_model_steps(runner, JUNE, spec)
runner.run(PREDICTIONS, JULY)
[row] = runner.rows(DECISION, "1")
scored = runner.rows(PREDICTIONS)
print("RESULT" + json.dumps({
    "decision": row["outcome"],
    "report": row["gate_report"],
    "tags": open_registry(settings).version(NAME, "1").tags,
    "rows": len(scored),
    "explained": sum(r["reason_1"] is not None for r in scored),
    "high": sum(r["band"] == "high" for r in scored),
}))
"""


@needs_java
@pytest.mark.slow
@pytest.mark.jvm
def test_the_distributed_trainer_gives_a_model_that_lives_like_any_other(tmp_path):
    landing = tmp_path / "landing"
    landing.mkdir()
    deliver_sample(landing, 3000)
    done = run_code(DISTRIBUTED, tmp_path / "home", landing, "spark")
    [line] = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    result = json.loads(line.removeprefix("RESULT"))
    verdicts = {v["name"]: v for v in json.loads(result["report"])["verdicts"]}
    assert result["tags"]["model_family"] == "xgboost"
    assert verdicts["artifact"]["is_passed"], verdicts["artifact"]["observed"]
    assert verdicts["discrimination"]["is_passed"], verdicts["discrimination"]["observed"]
    assert result["decision"] == "promoted", result["report"]
    assert result["rows"] == 3000
    assert result["explained"] == result["high"] > 0


def test_the_distributed_trainer_says_what_it_needs_where_it_cannot_run(runner, settings):
    from dataclasses import replace

    from finance_assets.errors import ModelError
    from finance_assets_tests.model_life.models import CANDIDATE, run_model_steps
    from finance_assets_tests.scenario import APRIL, JUNE

    deliver_sample(settings.landing, 500)
    runner.run_tables(APRIL, JUNE)
    with pytest.raises(ModelError, match="FINANCE_ASSETS_ENGINE=spark"):
        spec = replace(USE_CASE.model, family="xgboost", params={}, search=None)
        run_model_steps(runner, JUNE, spec, (CANDIDATE,))


@needs_java
@pytest.mark.slow
@pytest.mark.jvm
def test_tables_of_a_catalog_on_the_jvm_equal_those_in_folders_on_the_embedded_engine(tmp_path):
    assert java_version() >= 17, "CI must have Java 17 or newer"
    landing = tmp_path / "landing"
    landing.mkdir()
    # Enough for the first candidate to be promoted, and so for predictions to compare.
    deliver_sample(landing, 12000)
    play(tmp_path / "sail", landing, "sail")
    # As on Databricks: tables of a catalog, asked for by name.
    play(tmp_path / "spark", landing, "spark", FINANCE_ASSETS_CATALOG="spark_catalog")
    compared = 0
    for step in USE_CASE.steps:
        embedded = rows(tmp_path / "sail", step)
        assert rows(tmp_path / "spark", step) == embedded, step.key
        compared += len(embedded)
    assert compared > 150_000
    predictions = USE_CASE.step("predictions.credit_default")
    assert len(rows(tmp_path / "spark", predictions)) == 12000
    assert not (tmp_path / "spark" / "lakehouse" / "silver").exists()
