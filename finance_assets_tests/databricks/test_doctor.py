"""The doctor finds what would fail later, says what to do, and starts and leaves nothing."""

import json

import pytest
from typer.testing import CliRunner

from finance_assets.bundle.storage import layers_of
from finance_assets.cli.main import app
from finance_assets.compute.databricks.rights import ROLES, VOLUMES
from finance_assets.compute.runner import open_registry
from finance_assets.settings import get_settings
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.databricks.faults import Fault

pytestmark = pytest.mark.slow
VOLUME = "/Volumes/main/finance_assets"


@pytest.fixture
def prepared(workspace, monkeypatch):
    """Settings as the page "From Dagster" gives them, in a workspace that is prepared for them."""
    for name, value in {
        "CATALOG": "main",
        "DATABRICKS_STORAGE": f"{VOLUME}/staging",
        "DATABRICKS_API_LIMIT_SECONDS": "2",
        "LANDING": f"{VOLUME}/landing",
        "MLFLOW_TRACKING_URI": "databricks",
    }.items():
        monkeypatch.setenv(f"FINANCE_ASSETS_{name}", value)
    return workspace


def examined(*more):
    """The findings that the command prints, and whether it was content."""
    get_settings.cache_clear()
    done = CliRunner().invoke(app, ["databricks", "doctor", "--json", *more])
    return json.loads(done.stdout), done.exit_code == 0


def test_a_prepared_workspace_is_well_and_nothing_is_started_or_left(prepared):
    volumes = prepared.jobs.cluster.volumes
    findings, is_content = examined()
    assert is_content, [f for f in findings if not f["is_well"]]
    assert len(findings) == 12
    assert prepared.jobs.jobs == {}
    assert not [r for r in prepared.front.requests if "/runs/" in r[1] and "/jobs/" in r[1]]
    assert list(volumes.rglob("doctor-*")) == []


@pytest.mark.parametrize("shape", ["job_cluster", "existing_cluster"])
def test_other_shapes_are_well_where_their_clusters_are(prepared, monkeypatch, shape):
    monkeypatch.setenv("FINANCE_ASSETS_DATABRICKS_SHAPE", shape)
    monkeypatch.setenv("FINANCE_ASSETS_DATABRICKS_CLUSTER_ID", "0101-abc")
    monkeypatch.setenv("FINANCE_ASSETS_DATABRICKS_POLICY_ID", "policy-1")
    assert examined()[1]


def setting(**values):
    """A wrong setting."""

    def plant(workspace, monkeypatch):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return plant


def ours(**values):
    return setting(**{f"FINANCE_ASSETS_{name}": value for name, value in values.items()})


def taken_away(kind, name, *, right=None):
    """An object that is not there, or a right that is not given."""

    def plant(workspace, monkeypatch):
        workspace.api.catalog.known(kind).pop(name, None)
        if right:
            workspace.api.catalog.granted["main"].discard(right)

    return plant


def somebody_elses_schema(workspace, monkeypatch):
    workspace.api.catalog.known("schemas")["main.silver"] = {
        "name": "silver",
        "catalog_name": "main",
        "full_name": "main.silver",
        "owner": "others",
    }


def read_only(workspace, monkeypatch):
    workspace.api.catalog.read_only.add("main.finance_assets.staging")


def a_clock_that_is_wrong(workspace, monkeypatch):
    late = {"date": "Mon, 01 Jan 2001 00:00:00 GMT"}
    workspace.front.plant(Fault("GET", "/scim/", "headers", 10, headers=late))


def a_file_in_the_way(workspace, monkeypatch):
    path = workspace.jobs.cluster.local("/Shared/in_the_way")
    path.write_text("a file")
    monkeypatch.setenv("FINANCE_ASSETS_MLFLOW_EXPERIMENT_PREFIX", "/Shared/in_the_way/")


def no_serverless(workspace, monkeypatch):
    workspace.jobs.compute.is_serverless_enabled = False


JOB_CLUSTER = {"DATABRICKS_SHAPE": "job_cluster"}
FAULTS = {
    "tables in a volume": (ours(CATALOG=""), "settings", "cannot lie in a volume"),
    "a token that is none": (
        setting(DATABRICKS_TOKEN="dapiwrong"),
        "authentication",
        "nobody is let in",
    ),
    "a clock that is wrong": (a_clock_that_is_wrong, "clock", "from the workspace's"),
    "no such catalog": (ours(CATALOG="nowhere"), "catalog", "there is no catalog nowhere"),
    "a catalog that may not be used": (
        taken_away("catalogs", "none", right="USE_CATALOG"),
        "catalog",
        "USE CATALOG",
    ),
    "a schema that nobody may make": (
        taken_away("schemas", "main.silver", right="CREATE_SCHEMA"),
        "schemas",
        "does not exist, and we may not make it",
    ),
    "a schema without rights": (somebody_elses_schema, "schemas", "CREATE TABLE"),
    "no such volume": (
        taken_away("volumes", "main.finance_assets.runs"),
        "volumes",
        "there is no volume main.finance_assets.runs",
    ),
    "a path that names no volume": (
        ours(DATABRICKS_VOLUME="/Volumes/main/runs"),
        "volumes",
        "names no volume",
    ),
    "a volume that cannot be written to": (read_only, "write access", "cannot be written to"),
    "experiments outside of any folder": (
        ours(MLFLOW_EXPERIMENT_PREFIX="finance_assets/"),
        "experiments",
        "is no folder of the workspace",
    ),
    "experiments in a folder that may not be made": (
        ours(MLFLOW_EXPERIMENT_PREFIX="/Finance/assets/"),
        "experiments",
        "/Finance/assets cannot be made",
    ),
    "a file where the experiments' folder should be": (
        a_file_in_the_way,
        "experiments",
        "cannot be made",
    ),
    "models with too short a name": (
        ours(MLFLOW_MODEL_PREFIX="finance_assets."),
        "model registry",
        "three names",
    ),
    "models in no schema": (
        ours(MLFLOW_MODEL_PREFIX="main.models."),
        "model registry",
        "there is no schema main.models",
    ),
    "no such cluster": (
        ours(DATABRICKS_SHAPE="existing_cluster", DATABRICKS_CLUSTER_ID="0101-gone"),
        "compute",
        "0101-gone cannot be used",
    ),
    "no cluster named": (
        ours(DATABRICKS_SHAPE="existing_cluster"),
        "compute",
        "names no cluster",
    ),
    "no such machines": (
        ours(**JOB_CLUSTER, DATABRICKS_NODE_TYPE_ID="z9.huge"),
        "compute",
        "no machines of type z9.huge",
    ),
    "no such runtime": (
        ours(**JOB_CLUSTER, DATABRICKS_SPARK_VERSION="1.0"),
        "compute",
        "there is no runtime 1.0",
    ),
    "no such policy": (
        ours(**JOB_CLUSTER, DATABRICKS_POLICY_ID="policy-9"),
        "compute",
        "policy-9 cannot be used",
    ),
    "a workspace without serverless": (no_serverless, "job", "Serverless compute is not enabled"),
    "an environment that does not exist": (
        ours(DATABRICKS_ENVIRONMENT_VERSION="99"),
        "job",
        "unknown environment version",
    ),
    "a wheel that is not there": (
        ours(DATABRICKS_WHEEL="/nowhere/x.whl"),
        "wheel",
        "there is no file /nowhere/x.whl",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_with_a_remedy(prepared, monkeypatch, name):
    plant, check, words = FAULTS[name]
    plant(prepared, monkeypatch)
    findings, is_content = examined()
    assert not is_content
    [found] = [f for f in findings if f["check"] == check]
    assert not found["is_well"], findings
    assert words in found["text"]
    assert found["remedy"]


def test_the_table_names_what_is_amiss(prepared, monkeypatch):
    read_only(prepared, monkeypatch)
    get_settings.cache_clear()
    done = CliRunner().invoke(app, ["databricks", "doctor"])
    assert done.exit_code == 1
    assert "amiss" in done.stdout
    assert "GRANT READ VOLUME" in done.stdout


@pytest.fixture
def deployed_by_others(prepared):
    """Layers and experiments of a service principal, with what the bundle grants to a role."""

    def deploy(role):
        catalog = prepared.api.catalog
        for layer in layers_of(all_use_cases().values()):
            name = f"main.{layer}"
            catalog.known("schemas")[name] = {"name": layer, "full_name": name, "owner": "others"}
            catalog.granted[name] = set(ROLES[role].on_layer(layer))
        home = catalog.known("schemas")["main.finance_assets"]
        home["owner"] = "others"
        catalog.granted["main.finance_assets"] = set(ROLES[role].home)
        everything = {f"main.finance_assets.{name}" for name in VOLUMES}
        catalog.read_only |= everything - {
            f"main.finance_assets.{name}" for name in ROLES[role].writes
        }
        get_settings.cache_clear()
        for use_case in all_use_cases().values():
            open_registry(get_settings()).ensure_experiment(use_case.name)
        return catalog

    return deploy


OWN = {"orchestrator": ("runs", "staging"), "readers": ("questions",) * 2}
OWN["approvers"] = ("approvals",) * 2


def at_own_places(monkeypatch, role):
    """The volumes that the documentation has a role set."""
    for setting, volume in zip(("VOLUME", "STORAGE"), OWN[role], strict=True):
        monkeypatch.setenv(
            f"FINANCE_ASSETS_DATABRICKS_{setting}", f"/Volumes/main/finance_assets/{volume}"
        )


@pytest.mark.parametrize("role", list(OWN))
def test_each_role_is_content_with_what_the_bundle_grants_it(deployed_by_others, monkeypatch, role):
    deployed_by_others(role)
    at_own_places(monkeypatch, role)
    findings, is_content = examined("--role", role)
    assert is_content, [f for f in findings if not f["is_well"]]


def test_who_stages_where_others_do_is_told_of_the_volume_of_their_role(deployed_by_others):
    deployed_by_others("readers")
    findings, _ = examined("--role", "readers")
    [found] = [f for f in findings if not f["is_well"]]
    assert found["check"] == "write access"
    assert found["remedy"].endswith("your role's volume, questions")


def test_an_approver_who_may_only_read_is_told_what_is_missing(deployed_by_others, monkeypatch):
    catalog = deployed_by_others("approvers")
    at_own_places(monkeypatch, "approvers")
    catalog.granted["main.models"] = set(ROLES["readers"].on_layer("models"))
    findings, _ = examined("--role", "approvers")
    [found] = [f for f in findings if not f["is_well"]]
    assert found["remedy"] == "GRANT MODIFY ON SCHEMA main.models TO `<principal>`"


def test_a_person_is_told_of_experiments_that_they_may_not_see(deployed_by_others, monkeypatch):
    deployed_by_others("readers")
    at_own_places(monkeypatch, "readers")
    monkeypatch.setenv("FINANCE_ASSETS_MLFLOW_EXPERIMENT_PREFIX", "/Users/trainer/finance_assets/")
    findings, _ = examined("--role", "readers")
    [found] = [f for f in findings if not f["is_well"]]
    assert "there is no experiment /Users/trainer/finance_assets/" in found["text"]
    assert "group of your role" in found["remedy"]


def test_a_role_that_there_is_not_is_refused(prepared):
    [*_, found], is_content = examined("--role", "kings")
    assert not is_content
    assert "orchestrator, readers, approvers" in found["remedy"]
