"""The stand-in itself, asked with the real databricks-sdk: does it behave as documented?"""

import io
import time

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    AlreadyExists,
    NotFound,
    ResourceAlreadyExists,
    Unauthenticated,
)
from databricks.sdk.service.compute import Environment
from databricks.sdk.service.jobs import (
    JobEnvironment,
    PythonWheelTask,
    RunIf,
    SparkPythonTask,
    SubmitTask,
    Task,
    TaskDependency,
)

from finance_assets_tests.databricks.faults import Fault

pytestmark = pytest.mark.slow


@pytest.fixture
def client(workspace):
    """The real client, on the stand-in."""
    return WorkspaceClient()


@pytest.fixture
def script(workspace):
    """Put a Python file into the workspace; a task that runs it."""

    def put(name, source, key="script", **more):
        path = workspace.jobs.cluster.local(f"/Shared/{name}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        task = {"task_key": key, "existing_cluster_id": "0101-abc", **more}
        return task | {"spark_python_task": SparkPythonTask(python_file=f"/Shared/{name}.py")}

    return put


def ended(client, run_id):
    """The run, once it is over."""
    while True:
        run = client.jobs.get_run(run_id)
        if run.state.life_cycle_state.value in ("TERMINATED", "SKIPPED", "INTERNAL_ERROR"):
            return run
        time.sleep(0.05)


def submitted(client, *tasks, **more):
    waiter = client.jobs.submit(run_name="test", tasks=[SubmitTask(**t) for t in tasks], **more)
    return waiter.bind()["run_id"]


def test_a_python_file_runs_on_the_session_that_it_finds(client, script):
    source = (
        "from pyspark.sql import SparkSession\n"
        "print(SparkSession.builder.getOrCreate().range(7).count())\n"
    )
    run = ended(client, submitted(client, script("count", source)))
    assert run.state.result_state.value == "SUCCESS"
    assert client.jobs.get_run_output(run.tasks[0].run_id).logs.strip() == "7"


def test_the_same_token_is_the_same_run_and_another_is_another(client, script):
    task = script("quick", "print(1)")
    first = submitted(client, task, idempotency_token="a" * 40)
    assert submitted(client, task, idempotency_token="a" * 40) == first
    assert submitted(client, task, idempotency_token="b" * 40) != first


def test_a_failing_task_leaves_its_error_and_trace(client, script):
    run = ended(client, submitted(client, script("bad", "raise ValueError('no such thing')")))
    assert run.state.result_state.value == "FAILED"
    output = client.jobs.get_run_output(run.tasks[0].run_id)
    assert output.error == "ValueError: no such thing"
    assert "Traceback (most recent call last)" in output.error_trace


def test_cancel_really_kills(client, script, workspace, tmp_path):
    mark = tmp_path / "alive"
    source = (
        f"import time\nfor i in range(600):\n    open({str(mark)!r}, 'w').write(str(i))\n"
        "    time.sleep(0.1)\n"
    )
    run_id = submitted(client, script("long", source))
    while not mark.exists():
        time.sleep(0.05)
    client.jobs.cancel_run(run_id)
    assert ended(client, run_id).state.result_state.value == "CANCELED"
    seen = mark.read_text()
    time.sleep(0.5)
    assert mark.read_text() == seen


def test_a_task_that_takes_too_long_is_stopped(client, script):
    task = script("slow", "import time; time.sleep(60)", timeout_seconds=1)
    assert ended(client, submitted(client, task)).state.result_state.value == "TIMEDOUT"


def test_a_job_runs_its_tasks_in_order_and_skips_what_a_failure_cuts_off(client, script):
    tasks = [
        Task(**script("ok", "print(1)", "first")),
        Task(
            **script("bad", "raise SystemExit(3)", "second"),
            depends_on=[TaskDependency("first")],
            max_retries=1,
        ),
        Task(**script("ok", "print(1)", "third"), depends_on=[TaskDependency("second")]),
        Task(
            **script("ok", "print(1)", "always"),
            depends_on=[TaskDependency("second")],
            run_if=RunIf.ALL_DONE,
        ),
    ]
    job_id = client.jobs.create(name="ordered", tasks=tasks).job_id
    assert client.jobs.get(job_id).settings.name == "ordered"
    assert job_id in [job.job_id for job in client.jobs.list()]
    run = ended(client, client.jobs.run_now(job_id).bind()["run_id"])
    states = {t.task_key: (t.state.result_state.value, t.attempt_number) for t in run.tasks}
    assert states == {
        "first": ("SUCCESS", 0),
        "second": ("FAILED", 1),
        "third": ("UPSTREAM_FAILED", 0),
        "always": ("SUCCESS", 0),
    }
    client.jobs.delete(job_id)
    with pytest.raises(Exception, match="does not exist"):
        client.jobs.run_now(job_id)


def test_what_the_api_would_refuse_is_refused(client, script):
    wheel = SubmitTask(
        task_key="w",
        environment_key="none",
        python_wheel_task=PythonWheelTask(package_name="p", entry_point="e"),
    )
    with pytest.raises(Exception, match="no environment none"):
        client.jobs.submit(run_name="x", tasks=[wheel])
    task = SubmitTask(**script("ok", "print(1)"))
    with pytest.raises(Exception, match="unique keys"):
        client.jobs.submit(run_name="x", tasks=[task, task])
    with pytest.raises(Exception, match="too long"):
        client.jobs.submit(run_name="x", tasks=[task], idempotency_token="x" * 65)
    with pytest.raises(NotFound):
        client.jobs.get_run(1)


def test_files_lie_on_volumes_as_they_were_sent(client):
    folder = "/Volumes/main/finance_assets/runs/files"
    client.files.create_directory(folder)
    client.files.upload(f"{folder}/a.txt", io.BytesIO(b"hello"))
    assert client.files.download(f"{folder}/a.txt").contents.read() == b"hello"
    assert client.files.get_metadata(f"{folder}/a.txt").content_length == 5
    assert [e.name for e in client.files.list_directory_contents(folder)] == ["a.txt"]
    with pytest.raises(AlreadyExists):
        client.files.upload(f"{folder}/a.txt", io.BytesIO(b"again"), overwrite=False)
    client.files.delete(f"{folder}/a.txt")
    with pytest.raises(NotFound):
        client.files.get_metadata(f"{folder}/a.txt")


def test_who_one_is_and_that_one_has_to_be_somebody(client, monkeypatch):
    assert client.current_user.me().user_name == "somebody@example.com"
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapiwrong")
    with pytest.raises(Unauthenticated):
        WorkspaceClient().current_user.me()


def test_secrets_schemas_volumes_and_clusters_answer(client):
    client.secrets.put_secret("scope", "key", string_value="value")
    assert client.secrets.get_secret("scope", "key").value == "dmFsdWU="
    client.schemas.create(name="silver", catalog_name="main")
    assert client.schemas.get("main.silver").name == "silver"
    with pytest.raises(ResourceAlreadyExists):
        client.schemas.create(name="silver", catalog_name="main")
    client.schemas.delete("main.silver")
    with pytest.raises(NotFound):
        client.schemas.get("main.silver")
    assert client.clusters.get("0101-abc").state.value == "RUNNING"


def test_planted_faults_happen_as_often_as_planted(client, workspace):
    workspace.front.plant(Fault("GET", "/scim/", "status", 1, status=503))
    workspace.front.requests.clear()
    assert client.current_user.me().user_name
    assert len([r for r in workspace.front.requests if "/scim/" in r[1]]) == 2


def test_a_wheel_task_without_its_wheel_fails(client):
    environment = JobEnvironment(
        "e", spec=Environment(environment_version="4", dependencies=["/Volumes/none.whl"])
    )
    task = SubmitTask(
        task_key="w",
        environment_key="e",
        python_wheel_task=PythonWheelTask(package_name="p", entry_point="e"),
    )
    run_id = client.jobs.submit(run_name="x", tasks=[task], environments=[environment])
    assert ended(client, run_id.bind()["run_id"]).state.result_state.value == "FAILED"


def test_a_volume_refuses_times_that_are_set_from_outside(client, script):
    source = (
        "import os\nplace = '/Volumes/main/finance_assets/runs/times'\n"
        "open(place, 'w').close()\nos.utime(place)\n"
    )
    run = ended(client, submitted(client, script("times", source)))
    assert "not permitted" in client.jobs.get_run_output(run.tasks[0].run_id).error
