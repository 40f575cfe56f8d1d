"""One graph, three runners: the bundle's job, the notebooks, and Dagster make the same tables.

Of the shipped use case with a lenient gate, which so few rows pass: there is a champion, and what it
predicts is compared, too.
"""

import base64
import time
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import JobSettings
from databricks.sdk.service.workspace import ImportFormat, Language

from finance_assets.bundle.render import FLOW
from finance_assets.bundle.variables import load_bundle, resolve
from finance_assets.model_life.decision_log import decision_contract
from finance_assets.settings import Settings, get_settings
from finance_assets_tests.databricks.governing import lenient_steps, lenient_wheel
from finance_assets_tests.running import with_mlflow
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    DRIFT,
    JUNE,
    MAY,
    PIPELINE,
    PREDICTIONS,
    SILVER,
    USE_CASE,
    Runner,
    deliver_sample,
    task_of,
)
from finance_assets_tests.two_sides import Side

pytestmark = [
    pytest.mark.slow,
]
ROOT = Path(__file__).parents[2]
MONTHS = [APRIL, MAY, JUNE, "2005-07"]
ACCOUNTS = 2000
MODEL_STEPS = USE_CASE.model_steps
# Where nobody has installed another wheel of this version.
CLUSTER = "0101-main-pipeline"


@pytest.fixture
def delivered(workspace):
    """The landing folder with enough accounts for a model."""
    deliver_sample(get_settings().landing, ACCOUNTS)
    return workspace


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """What a team has in its own copy."""
    return lenient_wheel(tmp_path_factory.mktemp("wheel"), "")


@pytest.fixture(scope="module")
def here(tmp_path_factory, spark, mlflow_store):
    """The same months by the steps themselves: monthly steps, then those of the model."""
    home, landing = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("landing")
    deliver_sample(landing, ACCOUNTS)
    settings = Settings(home=home, landing=landing, git_sha="test")
    with_mlflow(settings, mlflow_store)
    runner, steps = Runner(settings, spark), lenient_steps()
    for month in MONTHS:
        for step in USE_CASE.steps:
            if month >= JUNE or step not in MODEL_STEPS:
                runner.run(step.key, month, step=steps.get(step.key))
    return Side(settings.lakehouse_root, settings.dagster_home)


def assert_same(ours: Side, theirs: Side) -> None:
    for step in USE_CASE.steps:
        # An empty table: a month that no model could be trained as of.
        assert theirs.rows(step.contract) == ours.rows(step.contract), step.key
    assert len(ours.rows(decision_contract(USE_CASE.model))) == 2
    assert len(ours.rows(USE_CASE.step(PREDICTIONS).contract)) == ACCOUNTS
    assert ours.rows(USE_CASE.step(DRIFT).contract)


def deployed(client: WorkspaceClient, wheel: Path, storage: str, *only: str) -> int:
    """What `databricks bundle deploy` does with the job: wheel to the workspace, job created.

    `only`: the tasks of these steps; all by default.
    """
    target = f"/Volumes/main/finance_assets/runs/{wheel.name}"
    with wheel.open("rb") as content:
        client.files.upload(target, content, overwrite=True)
    record = resolve(load_bundle(ROOT), "dev")["resources"]["jobs"][PIPELINE]
    record["environments"][0]["spec"]["dependencies"] = [target]
    kept = {task_of(key) for key in only} or {task["task_key"] for task in record["tasks"]}
    record["tasks"] = [task for task in record["tasks"] if task["task_key"] in kept]
    settings = get_settings()
    for task in record["tasks"]:
        # The values that the workspace has in this test; names and shape stay the bundle's.
        given = task["python_wheel_task"]["parameters"]
        values = {
            "storage": storage,
            # The stand-in's engine knows no Unity Catalog: its tables lie in folders.
            "catalog": "",
            "schema_prefix": "",
            "landing": str(settings.landing),
            "git_sha": "test",
            "env": "dev",
            "mlflow_model_prefix": f"main.{Path(storage).parent.name.replace('-', '_')}.",
        }
        for name, value in values.items():
            [at] = [i for i, part in enumerate(given) if part.startswith(f"{name}=")]
            given[at] = f"{name}={value}"
    job = JobSettings.from_dict(record)
    return client.jobs.create(
        name=job.name, tasks=job.tasks, parameters=job.parameters, environments=job.environments
    ).job_id


def flow_of(client: WorkspaceClient, job_id: int) -> int:
    """What `databricks bundle deploy` does with the flow, after the job that it runs.

    Without the other use cases: a flow runs their jobs the same way, and each takes minutes.
    """
    record = load_bundle(ROOT)["resources"]["jobs"][FLOW]
    [task] = [task for task in record["tasks"] if task["task_key"] == PIPELINE]
    record["tasks"] = [task]
    assert task["run_job_task"]["job_id"] == f"${{resources.jobs.{PIPELINE}.id}}"
    task["run_job_task"]["job_id"] = job_id
    job = JobSettings.from_dict(record)
    return client.jobs.create(name=job.name, tasks=job.tasks, parameters=job.parameters).job_id


def test_the_bundles_flow_makes_the_tables_that_dagster_makes(here, wheel, delivered, tmp_path):
    client = WorkspaceClient()
    storage = tmp_path / "job"
    storage.mkdir()
    flow = flow_of(client, deployed(client, wheel, str(storage)))
    for month in MONTHS:
        run = client.jobs.run_now(flow, job_parameters={"partition": month}).bind()["run_id"]
        state = watched(client, run)
        assert state.result_state.value == "SUCCESS", outputs(client, run)
    assert_same(here, Side(storage, tmp_path))
    skipped = [
        t
        for r in delivered.jobs.runs.values()
        for t in r.tasks.values()
        if "skipped: as of" in delivered.jobs.cluster.output(t.run_id)[0]
    ]
    assert len(skipped) >= 6, "three model steps in each of two months"


def watched(client, run_id):
    """Wait for a run."""
    while True:
        state = client.jobs.get_run(run_id).state
        if state.life_cycle_state.value in ("TERMINATED", "SKIPPED", "INTERNAL_ERROR"):
            return state
        time.sleep(0.2)


def outputs(client, run_id) -> str:
    """What the failed tasks say."""
    tasks = client.jobs.get_run(run_id).tasks
    found = [(t.task_key, client.jobs.get_run_output(t.run_id)) for t in tasks]
    return "\n".join(f"{key}: {o.error}\n{o.error_trace}" for key, o in found if o.error)


def test_a_retried_task_succeeds_when_the_trouble_passes(wheel, delivered, tmp_path):
    """And what depends on it runs then."""
    client = WorkspaceClient()
    storage = tmp_path / "job"
    storage.write_text("in the way")
    job_id = deployed(client, wheel, str(storage), BRONZE, SILVER)
    run = client.jobs.run_now(job_id, job_parameters={"partition": APRIL}).bind()["run_id"]
    first = delivered.jobs.runs[run].tasks[task_of(BRONZE)]
    while first.attempt == 0:
        time.sleep(0.05)
    storage.unlink()
    storage.mkdir()
    assert watched(client, run).result_state.value == "SUCCESS", outputs(client, run)


def test_the_notebooks_run_in_a_workspace_and_make_the_same_tables(
    here, wheel, delivered, tmp_path
):
    client = WorkspaceClient()
    delivered.jobs.compute.clusters.add(CLUSTER)
    storage = tmp_path / "notebooks"
    storage.mkdir()
    client.workspace.mkdirs("/Shared/finance_assets")
    names = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))
    assert names == [
        "01_ingest_bronze",
        "02_transform_silver_gold",
        "03_train_mlflow",
        "04_batch_scoring",
    ]
    for name in names:
        source = (ROOT / "notebooks" / f"{name}.py").read_bytes()
        client.workspace.import_(
            f"/Shared/finance_assets/{name}",
            content=base64.b64encode(source).decode(),
            format=ImportFormat.SOURCE,
            language=Language.PYTHON,
        )
    target = f"/Volumes/main/finance_assets/runs/{wheel.name}"
    with wheel.open("rb") as content:
        client.files.upload(target, content, overwrite=True)
    settings = "\n".join(
        (
            f"storage={storage}",
            f"landing={get_settings().landing}",
            "git_sha=test",
            "mlflow_tracking_uri=databricks",
            "mlflow_registry_uri=databricks-uc",
            "mlflow_experiment_prefix=/Shared/finance_assets/",
            "mlflow_model_prefix=main.notebooks.",
        )
    )
    for month in MONTHS:
        for name in names:
            if name == "03_train_mlflow" and month < JUNE:
                continue
            run_notebook(client, name, month, settings, target)
        # As in the job: the month is scored by the champion in force, decided before it.
    assert_same(here, Side(storage, tmp_path))


def run_notebook(client, name, month, settings, wheel):
    """Submit a notebook and wait for it."""
    from databricks.sdk.service.compute import Library
    from databricks.sdk.service.jobs import NotebookTask, SubmitTask

    task = SubmitTask(
        task_key=name,
        notebook_task=NotebookTask(
            notebook_path=f"/Shared/finance_assets/{name}",
            base_parameters={"partition": month, "settings": settings},
        ),
        existing_cluster_id=CLUSTER,
        libraries=[Library(whl=wheel)],
    )
    run = client.jobs.submit(run_name=name, tasks=[task]).bind()["run_id"]
    assert watched(client, run).result_state.value == "SUCCESS", outputs(client, run)
