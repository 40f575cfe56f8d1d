"""Use cases side by side: in workers of one run, and in runs that share a home. Real processes."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from finance_assets.compute.runner import open_lakehouse
from finance_assets.model_life.chain import read_history
from finance_assets.settings import Settings
from finance_assets_tests.outside import MONTHS, write_package
from finance_assets_tests.scenario import clean_environment

pytestmark = pytest.mark.slow
ROOT, NAMES = Path(__file__).parents[2], ("calls", "texts")
RUN = """
import sys, typer
from finance_assets.cli import run
from finance_assets.cli.common import guarded
from finance_assets.use_cases import all_use_cases

app = typer.Typer(pretty_exceptions_enable=False)

@app.command()
def play(through: str, names: list[str]):
    chosen = {name: all_use_cases()[name] for name in names}
    guarded(lambda: run.run_use_cases(chosen, None if through == "-" else through))

if __name__ == "__main__":
    run.room = lambda: 2
    app()
"""
# What a transform does first, once, if a file of that name lies beside it.
TRAPS = """
    import os, pathlib, signal, time
    here = pathlib.Path(__file__).parent
    if (here / "killed").exists():
        (here / "killed").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    if (here / "endless").exists():
        (here / "pid").write_text(str(os.getpid()))
        time.sleep(600)
    if (here / "wrong").exists():
        raise KeyError("no such thing")
"""


@pytest.fixture
def place(tmp_path):
    """A folder with two small use cases, and a script that runs some of them."""
    for name in NAMES:
        written = write_package(tmp_path, f"outside_{name}", name) / "use_case.py"
        head = "def features(silver):\n"
        written.write_text(written.read_text().replace(head, f"{head}{TRAPS}"))
    (tmp_path / "play.py").write_text(RUN)
    return tmp_path


def started(place, *names, through="-", home="home") -> subprocess.Popen:
    """A run in a process of its own; its output comes when it has ended."""
    return subprocess.Popen(
        [sys.executable, place / "play.py", through, *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=place,
        env=clean_environment(
            FINANCE_ASSETS_HOME=str(place / home),
            FINANCE_ASSETS_USE_CASES=",".join(f"outside_{name}.cases" for name in NAMES),
            PYTHONPATH=f"{ROOT}:{place}",
            COLUMNS="200",
        ),
    )


def ended(process, code=0) -> str:
    """What a run said."""
    out, err = process.communicate(timeout=900)
    assert process.returncode == code, out + err
    assert "database is locked" not in out + err
    assert "Traceback" not in out + err
    return out + err


def trap(place, name, what) -> Path:
    """Lay a trap into the way of a use case."""
    file = place / f"outside_{name}" / "cases" / name / what
    file.touch()
    return file


def runs(place, home="home") -> dict[tuple[str, str], list[str]]:
    """How the Dagster runs of each job and partition ended."""
    found: dict[tuple[str, str], list[str]] = {}
    with dg.DagsterInstance.from_config(str(place / home / "dagster")) as instance:
        for run in instance.get_runs():
            at = run.job_name, run.tags.get("dagster/partition", "")
            found.setdefault(at, []).append(run.status.value)
    return found


def models(place, home="home") -> set[tuple[str, ...]]:
    """Name, version and digest of every registered model; every training ended well."""
    with sqlite3.connect(place / home / "mlflow" / "mlflow.db") as store:
        assert {row[0] for row in store.execute("select status from runs")} == {"FINISHED"}
        digests = "select name, version, value from model_version_tags where key = ?"
        return set(store.execute(digests, ["artifact_sha256"]))


def histories(place, home="home") -> dict[str, list]:
    """The champion history of each use case, which verifies."""
    lakehouse = open_lakehouse(Settings(home=place / home))
    found = {}
    for name in NAMES:
        history = read_history(lakehouse, name)
        assert history.problems == ()
        found[name] = [(event.event, event.model_version) for event in history.events]
    return found


def gone(pid: int) -> bool:
    """Whether a process has ended, within a minute."""
    for _ in range(300):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.2)
    return False


def trapped(file) -> int:
    """The process that went into an endless trap."""
    for _ in range(1500):
        if (pid := file.with_name("pid")).exists() and pid.read_text():
            return int(pid.read_text())
        time.sleep(0.2)
    raise AssertionError("nobody came")


def test_side_by_side_two_use_cases_give_what_they_give_alone(place):
    said = ended(started(place, *NAMES, through=MONTHS[2]))
    for name in NAMES:
        for month in MONTHS[:3]:
            assert f"{name}, sensor after {month}" in said
            assert f"{name} {month}" in said
            assert runs(place)[f"{name}_pipeline", month] == ["SUCCESS"]
    together, champions = models(place), histories(place)
    alone = [started(place, name, through=MONTHS[2], home="alone") for name in NAMES]
    for process in alone:
        ended(process)
    assert models(place, "alone") == together
    assert histories(place, "alone") == champions
    assert {event for events in champions.values() for event, _ in events} >= {"promoted"}


def test_runs_of_the_same_use_case_at_once_lose_nothing(place):
    both = [started(place, "calls", through=MONTHS[2]) for _ in range(2)]
    said = [process.communicate(timeout=900) for process in both]
    assert not any("database is locked" in out + err for out, err in said)
    # Who lost a race says so, and what it wanted is there.
    assert any(process.returncode == 0 for process in both), said
    for process, (_, err) in zip(both, said, strict=True):
        assert process.returncode == 0 or "remedy:" in err, err
    ended(started(place, "calls", through=MONTHS[2]))
    history = histories(place)["calls"]
    assert [event for event, _ in history].count("promoted") == len(history) >= 1
    assert not [s for found in runs(place).values() for s in found if s.startswith("START")]


def test_one_that_fails_or_is_killed_is_named_and_does_not_keep_the_other_from_it(place):
    trap(place, "calls", "killed")
    said = ended(started(place, *NAMES, through=MONTHS[0]), code=1)
    assert "calls failed" in said
    assert "ProcessLostError the process that ran calls is gone (signal 9, SIGKILL)" in said
    assert runs(place)["calls_pipeline", MONTHS[0]] == ["FAILURE"], "it is marked at once"
    assert runs(place)["texts_pipeline", MONTHS[0]] == ["SUCCESS"]
    trap(place, "texts", "wrong")
    said = ended(started(place, *NAMES, through=MONTHS[1]), code=1)
    assert "texts failed" in said
    assert "no such thing" in said
    assert "where:  features.texts_features, partition" in said
    assert runs(place)["calls_pipeline", MONTHS[1]] == ["SUCCESS"]


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9), (signal.SIGTERM, -15)]
)
def test_when_a_run_is_ended_its_workers_end_too_and_no_run_stays_started(place, sent, code):
    processes = []
    traps = [trap(place, name, "endless") for name in NAMES]
    run = started(place, *NAMES, through=MONTHS[0])
    processes = [trapped(file) for file in traps]
    run.send_signal(sent)
    run.communicate(timeout=120)
    assert run.returncode == code
    assert all(gone(pid) for pid in processes)
    assert set(map(tuple, runs(place).values())) == {("FAILURE",)}
    assert not list((place / "home" / "dagster" / "alive").iterdir())
