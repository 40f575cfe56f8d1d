"""Every command about a model's life on the stand-in: as a task of one run, by whoever asks."""

import os
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial

import dagster as dg
import pytest

from finance_assets.assets.history_check import build_history_check
from finance_assets.assets.resources import EngineResource
from finance_assets.compute.databricks.rights import ROLES
from finance_assets.settings import get_settings
from finance_assets_tests.databricks.acting import waited_for
from finance_assets_tests.databricks.catalog import ME
from finance_assets_tests.databricks.faults import Fault
from finance_assets_tests.databricks.governing import (
    ADA,
    Said,
    asked,
    asked_json,
    govern,
    lenient_wheel,
    refused,
)
from finance_assets_tests.databricks.server import Workspace
from finance_assets_tests.model_life.models import DRIFT, PREDICTIONS
from finance_assets_tests.scenario import (
    JULY,
    NAME,
    USE_CASE,
    deliver_sample,
)
from finance_assets_tests.two_sides import OF_ENGINES, Side, contracts_of

pytestmark = [
    pytest.mark.slow,
]
ACCOUNTS = 2000
CATALOG = pytest.param("catalog", marks=[pytest.mark.jvm])
# Every test runs on both kinds of tables, but those for which it makes no difference.
IN_FOLDERS = pytest.mark.parametrize("deployment", ["folders"], indirect=True, scope="module")
IN_CATALOG = pytest.mark.parametrize("deployment", [CATALOG], indirect=True, scope="module")
INTACT = build_history_check(USE_CASE)
APPLICATION = "0f4b7a52-6d53-4d0e-9a0c-3d1f5f3f8a11"
FOLDER = f"/Users/{ME}/finance_assets/prod/"
TRACE = ("trace", NAME, "--key", "account_id=1", "--partition", JULY)


NAMES = {
    "FINANCE_ASSETS_CATALOG": "spark_catalog",
    "FINANCE_ASSETS_SCHEMA_PREFIX": "governed_",
}


@dataclass(frozen=True)
class Deployment:
    """A deployment of this module's own, as somebody finds it once models were governed there.

    `environment`: of who acts as ME; `said`: what the checks said; `rows`: of its tables then.
    """

    workspace: Workspace
    environment: dict[str, str]
    said: list[Said]
    rows: dict[str, list[str]]


@contextmanager
def in_force(environment):
    """Settings of a deployment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


def deployed(workspace, root, names) -> dict[str, str]:
    """The environment of a new deployment; acts as ME unless a test says otherwise."""
    for name in ("landing", "storage"):
        (root / name).mkdir()
    deliver_sample(root / "landing", ACCOUNTS)
    workspace.reset()
    # As the bundle declares it: nobody else sees runs in the folder of who trains.
    workspace.api.experiments.share(f"{FOLDER}{NAME}", ADA, ROLES["approvers"].experiments)
    return workspace.environment(
        FINANCE_ASSETS_HOME=str(root / "home"),
        FINANCE_ASSETS_LANDING=str(root / "landing"),
        FINANCE_ASSETS_DATABRICKS_STORAGE=str(root / "storage"),
        FINANCE_ASSETS_DATABRICKS_WHEEL=str(lenient_wheel(root)),
        FINANCE_ASSETS_MLFLOW_EXPERIMENT_PREFIX=FOLDER,
        FINANCE_ASSETS_MLFLOW_MODEL_PREFIX="main.governed.",
        FINANCE_ASSETS_GIT_SHA="test",
        **names,
    )


def approved(workspace) -> None:
    """ADA approves v1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_TOKEN", workspace.token_of(ADA))
        said = asked("approve", NAME, "1", "--reason", "it ranks well")
    assert f"approved: champion of {NAME} is v1 from 2005-07 on" in said
    assert "failed" not in said
    assert f"by {ADA}" in said


@pytest.fixture(scope="module")
def deployments(request, tmp_path_factory):
    """Both deployments by name, each made when it is first asked for.

    ME trained v1 there, which ADA approved, and v2, which is held.
    """

    @cache
    def made(name: str) -> Deployment:
        root = tmp_path_factory.mktemp("governed")
        if name == "folders":
            workspace = request.getfixturevalue("shared_workspace")
            side = Side(root / "storage", root, "", OF_ENGINES)
            environment = deployed(workspace, root, dict.fromkeys(NAMES, ""))
        else:
            workspace = request.getfixturevalue("catalog_workspace")
            side = Side(workspace.root / "warehouse", root, ".db", OF_ENGINES, "governed_")
            environment = deployed(workspace, root, NAMES)
        with in_force(environment):
            said = govern(partial(approved, workspace))
        rows = {c.table: side.rows(c) for c in contracts_of(USE_CASE)}
        return Deployment(workspace, environment, said, rows)

    return made


@pytest.fixture(scope="module", params=["folders", CATALOG])
def deployment(request, deployments):
    """A workspace whose tables lie in folders, and one whose tables have names."""
    found = deployments(request.param)
    with in_force(found.environment):
        yield found


@pytest.fixture(scope="module")
def governed(deployment):
    """The workspace in which that happened."""
    return deployment.workspace


@pytest.fixture
def workspace(governed):
    """The workspace without habits; nothing of this test goes on after it."""
    governed.reset()
    get_settings.cache_clear()
    yield governed
    left = governed.settled()
    governed.kill()
    assert left == [], "runs go on after the test"


@pytest.fixture
def acting_as(workspace, monkeypatch):
    """Log in as somebody else."""

    def log_in(user):
        monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token_of(user))

    return log_in


@pytest.fixture
def new_runs(workspace):
    """Runs since the test began."""
    before = set(workspace.jobs.runs)
    return lambda: [run for run in workspace.jobs.runs.values() if run.run_id not in before]


@IN_CATALOG
def test_tables_of_a_catalog_equal_those_in_folders(deployment, deployments):
    """On the JVM against the embedded engine: every table, model and check, a champion, its
    predictions and what monitoring says of them included. That those in folders equal what is made
    without Databricks: test_main_pipeline.py.
    """
    folders = deployments("folders")
    assert deployment.said == folders.said
    for table, rows in folders.rows.items():
        assert deployment.rows[table] == rows, table
    assert folders.rows[PREDICTIONS]
    assert folders.rows[DRIFT]


def test_status_is_one_task_that_trains_nothing(workspace, new_runs):
    state = asked_json("status", "--use-case", NAME)["use_cases"][NAME]
    assert (state["champion"]["version"], state["champion"]["decided_by"]) == ("1", ADA)
    assert [c["decision"] for c in state["candidates"]] == ["held", "held"]
    assert state["predictions"][JULY] == {"rows": 2000, "model_version": "1"}
    [run] = new_runs()
    [task] = run.tasks.values()
    assert task.spec["disable_auto_optimization"] is True
    assert task.spec["timeout_seconds"] <= 3600


def test_the_history_lists_what_happened(workspace):
    found = asked_json("history", NAME)
    assert [(e["event"], e["model_version"], e["decided_by"]) for e in found["events"]] == [
        ("approved", "1", ADA)
    ]
    assert {d["trained_by"] for d in found["decisions"]} == {ME}
    assert found["problems"] == []


@IN_FOLDERS
def test_what_is_shown_to_people_is_that_too(workspace):
    """What tasks answer is the same where tables have names; it is shown by this process."""
    assert "champion v1 as of 2005-06" in asked("status", "--use-case", NAME)
    assert "it ranks well" in " ".join(asked("history", NAME).split())
    assert "compared with MLflow and Dagster" in asked("history", NAME, "--verify")
    assert "Rests on" in asked(*TRACE)


def test_dagsters_check_of_the_history_is_one_task_too(workspace, new_runs):
    check = dg.define_asset_job("check", dg.AssetSelection.checks(*INTACT.check_keys))
    defs = dg.Definitions(
        asset_checks=[INTACT], jobs=[check], resources={"engine": EngineResource()}
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("check").execute_in_process(instance=instance)
    [found] = result.get_asset_check_evaluations()
    assert (found.passed, found.description) == (True, "nothing is wrong")
    assert len(new_runs()) == 1


def test_a_prediction_is_traced_to_the_delivered_lines(workspace):
    found = asked_json(*TRACE)
    assert found["prediction"]["model_version"] == "1"
    assert [e["decided_by"] for e in found["events"]] == [ADA]
    lines = [line for table in found["tables"] for line in table["delivered"]]
    assert lines
    assert all(line["text"] and not line["problem"] for line in lines)


def test_a_card_and_a_reproduction_come_from_the_workspaces_registry(workspace):
    assert f"approved by {ADA}" in asked("card", NAME, "champion")
    assert "reproduced: same model" in asked("reproduce", NAME, "v1")


@IN_FOLDERS
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["approve", NAME, "2", "--reason", "mine"], f"{ME} trained this version and cannot"),
        (["approve", NAME, "1", "--reason", "again"], "it became champion already"),
        (["rollback", NAME, "--reason", "x", "--expect", "7"], "the champion is v1 now, not v7"),
        (["card", NAME, "9"], "has no such version"),
        ([*TRACE[:-1], "2005-09' OR '1'='1"], "no partition of the calendar"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_an_error_comes_back_as_it_would_have_been_here(workspace, new_runs, arguments, words):
    said = refused(*arguments)
    assert words in said
    assert "on Databricks, https://stand-in/#job/" in said
    assert said.startswith(("ModelError", "SettingsError", "GoneError", "submitted"))
    [run] = new_runs()
    assert run.result == "FAILED"


@IN_FOLDERS
def test_nobody_approves_as_somebody_else(workspace, acting_as):
    acting_as(ADA)
    workspace.token_of("grace@example.com")
    workspace.jobs.run_as = "grace@example.com"
    said = refused("approve", NAME, "2", "--reason", "well")
    assert f"{ADA} submitted this run, but it acts as grace@example.com" in said
    assert len(asked_json("history", NAME)["events"]) == 1


@IN_FOLDERS
def test_a_service_principal_approves_nothing(workspace, acting_as):
    acting_as(APPLICATION)
    assert "people approve" in refused("approve", NAME, "2", "--reason", "well")


@IN_FOLDERS
def test_who_is_in_no_group_is_told_what_right_is_missing(workspace, acting_as):
    acting_as("eve@example.com")
    said = refused("reproduce", NAME, "v1")
    assert f"eve@example.com does not have Read on {FOLDER}{NAME}" in said
    assert "you lack the right" in said


@IN_FOLDERS
def test_a_reader_of_the_experiment_reproduces_a_version(workspace, acting_as):
    workspace.api.experiments.share(f"{FOLDER}{NAME}", "rob@example.com", "CAN_READ")
    acting_as("rob@example.com")
    assert "reproduced: same model" in asked("reproduce", NAME, "v1")


@IN_FOLDERS
def test_whoever_cannot_hear_what_became_of_a_change_is_told_where_to_look(workspace):
    workspace.front.plant(Fault("GET", r"/1-\d+\.json$", "status", 1000, status=404))
    said = refused("rollback", NAME, "--reason", "x", "--to", "1")
    assert "ended as FAILED" in said
    assert "see `finance-assets history` first: the change may have been recorded" in said


@IN_FOLDERS
def test_an_interrupted_command_leaves_no_run_and_says_so(workspace, new_runs):
    workspace.jobs.startup_seconds = 60.0

    def interrupt():
        waited_for(new_runs)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    assert "interrupted; its run was cancelled" in refused("status")
    [run] = new_runs()
    assert (run.life, run.result) == ("TERMINATED", "CANCELED")


@IN_FOLDERS
def test_without_a_login_nothing_is_started(workspace, monkeypatch, new_runs):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert "log in as yourself" in refused("history", NAME)
    assert new_runs() == []


def test_a_second_person_approves_and_a_rollback_takes_it_back(workspace, acting_as):
    """The last test of this module, as it changes the champion."""
    reason = "{{job.id}} is no reference; nor is «it's good»"
    acting_as(ADA)
    assert "v2 from 2005-08 on (before: v1), by ada" in asked(
        "approve", NAME, "2", "--reason", reason, "--expect", "1"
    )
    acting_as(ME)
    assert f"rolled back: champion of {NAME} is v1" in asked(
        "rollback", NAME, "--reason", "odd", "--expect", "2"
    )
    found = asked_json("history", NAME)["events"]
    assert [(e["event"], e["model_version"], e["decided_by"]) for e in found] == [
        ("approved", "1", ADA),
        ("approved", "2", ADA),
        ("rolled_back", "1", ME),
    ]
    assert found[1]["reason"] == reason
    assert "compared with MLflow and Dagster" in asked("history", NAME, "--verify")
