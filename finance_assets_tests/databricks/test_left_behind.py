"""Nothing paid for is left behind: whoever interrupts, fails, loses or deletes what and when."""

import os
import signal
import subprocess
import sys
import time
import uuid

import dagster as dg
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import SubmitTask

from finance_assets.assets.build import groupable
from finance_assets.assets.metadata import asset_key
from finance_assets.compute.databricks import followed, watch
from finance_assets.compute.databricks.client import RunClient
from finance_assets.compute.databricks.interrupts import INTERRUPTS, OneInterrupt
from finance_assets.compute.databricks.pipes import Person
from finance_assets.compute.databricks.work import of_steps
from finance_assets.definitions import build_defs
from finance_assets.settings import get_settings
from finance_assets_tests.databricks.acting import (
    GET,
    failure_of,
    materialize,
    rows,
    waited_for,
    worker,
)
from finance_assets_tests.databricks.faults import Fault
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    CALENDAR,
    PIPELINE,
    SILVER,
    USE_CASE,
    without_deliveries,
)

pytestmark = pytest.mark.slow
CANCEL = r"/jobs/runs/cancel$"


def status_of_the_only_run():
    with dg.DagsterInstance.from_config(str(get_settings().dagster_home)) as instance:
        [run] = instance.get_runs()
        return run.status


@pytest.mark.parametrize("signals", [1, 4])
def test_ctrl_c_in_a_terminal_cancels_the_remote_run(workspace, runs, tmp_path, signals):
    """The whole group gets it, and Dagster's parent forwards it to a child that has it already."""
    workspace.jobs.startup_seconds = 60.0
    workspace.front.plant(
        Fault("POST", CANCEL, "delay", 1, seconds=3), Fault("GET", GET, "delay", 2, seconds=1)
    )
    process = worker(tmp_path)
    [remote] = waited_for(lambda: runs(BRONZE))
    for _ in range(signals):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.4)
    process.wait(120)
    assert (remote.life, remote.result) == ("TERMINATED", "CANCELED")
    assert len(runs(BRONZE)) == 1
    assert status_of_the_only_run() is not dg.DagsterRunStatus.SUCCESS
    assert rows(BRONZE) == {}


def test_an_interrupt_between_two_results_meets_no_run_that_goes_on(
    workspace, instance, monkeypatch
):
    """Dagster keeps it until it asks for the next result, and then never asks."""
    monkeypatch.setenv("FINANCE_ASSETS_DATABRICKS_IS_GROUPED", "true")
    monkeypatch.setattr(watch, "READ_SECONDS", 0.0)
    workspace.jobs.cluster.flush_seconds = 0.0
    get_settings.cache_clear()
    run_id, active = str(uuid.uuid4()), []

    def interrupt(entry):
        if entry.dagster_event and entry.dagster_event.is_step_materialization:
            active.append(len(workspace.jobs.active))
            os.kill(os.getpid(), signal.SIGINT)

    instance.add_event_listener(run_id, interrupt)
    job = build_defs().resolve_job_def(PIPELINE)
    result = job.execute_in_process(
        instance=instance,
        partition_key=APRIL,
        run_id=run_id,
        raise_on_error=False,
        asset_selection=[asset_key(step.key) for step in groupable(USE_CASE.steps)],
    )
    assert not result.success
    assert active == [0]


def test_the_first_interrupt_counts_and_no_other():
    program = (
        "import os, signal\n"
        "from finance_assets.compute.databricks.interrupts import INTERRUPTS, OneInterrupt\n"
        "me = os.getpid()\n"
        # Who starts tests in the background has interrupts ignored, also by their children.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with OneInterrupt().block():\n"
        "    try:\n"
        "        os.kill(me, signal.SIGTERM)\n"
        "        raise SystemExit('the first one was not raised')\n"
        "    except INTERRUPTS:\n"
        "        [os.kill(me, signal.SIGINT) for _ in range(100)]\n"
        "        print('tidied up')\n"
        "try:\n"
        "    os.kill(me, signal.SIGINT)\n"
        "except KeyboardInterrupt:\n"
        "    print('as before')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["tidied up", "as before"], done.stderr


def test_a_thread_gets_no_signals_and_no_handler():
    import threading

    failed = []

    def enter():
        try:
            with OneInterrupt().block():
                pass
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert failed == []


@pytest.fixture
def impatient(monkeypatch):
    """A failed run is not waited for."""
    monkeypatch.setattr(followed, "END_SECONDS", 0.5)
    monkeypatch.setattr(watch, "READ_SECONDS", 0.5)


def test_a_step_that_failed_leaves_no_run_that_goes_on(workspace, instance, runs, impatient):
    workspace.jobs.cluster.linger_seconds, workspace.jobs.cluster.flush_seconds = 300.0, 0.0
    without_deliveries(get_settings().landing)
    result = materialize(instance, BRONZE)
    assert "DeliveryError" in failure_of(result).description
    [remote] = runs(BRONZE)
    assert (remote.life, remote.result) == ("TERMINATED", "CANCELED")


def test_serverless_does_not_retry_a_step_behind_our_back(workspace, instance, runs):
    without_deliveries(get_settings().landing)
    assert not materialize(instance, BRONZE).success
    [remote] = runs(BRONZE)
    [task] = remote.tasks.values()
    assert task.attempt == 0
    assert task.spec["disable_auto_optimization"] is True


def test_the_sdk_has_no_typed_field_for_it_yet():
    """When this fails, `runs/submit` can go through the SDK's typed fields again."""
    assert "disable_auto_optimization" not in SubmitTask.__dataclass_fields__


def test_a_task_that_is_retried_all_the_same_reports_from_the_start(
    workspace, instance, runs, monkeypatch
):
    """The first attempt dies in the middle of the group, with a part of its messages written."""
    monkeypatch.setenv("FINANCE_ASSETS_DATABRICKS_IS_GROUPED", "true")
    get_settings.cache_clear()
    workspace.jobs.own_retries, workspace.jobs.cluster.flush_seconds = 1, 0.0
    volume = workspace.jobs.cluster.volumes / "main/finance_assets/runs/runs"
    before = set(volume.rglob("*-*.json"))

    def written():
        return set(volume.rglob("1-*.json")) - before

    def die():
        waited_for(written)
        run = max(workspace.jobs.runs.values(), key=lambda run: run.run_id)
        [task] = run.tasks.values()
        workspace.jobs.cluster.kill(task.run_id)

    in_background(die)
    result = materialize(instance, BRONZE)
    assert result.success
    made = [str(e.asset_key) for e in result.get_asset_materialization_events()]
    assert len(made) == len(set(made)) == len(groupable(USE_CASE.steps))
    [folder] = {path.parent for path in written()}
    attempts = {path.name.split("-")[0] for path in folder.glob("*-*.json")}
    assert attempts == {"1", "2"}


def in_background(act):
    import threading

    threading.Thread(target=act, daemon=True).start()


def of_the_first_run():
    with dg.DagsterInstance.from_config(str(get_settings().dagster_home)) as instance:
        return instance.get_runs()[-1].run_id


def said(tmp_path):
    return (tmp_path / "worker.log").read_text()


def test_a_run_whose_last_message_is_lost_is_taken_over_once_and_then_made_anew(
    workspace, runs, tmp_path
):
    workspace.front.plant(Fault("GET", r"/1-\d+\.json$", "status", 1000, status=404))
    assert worker(tmp_path).wait(120) == 0
    assert f"the result of {BRONZE} is missing" in said(tmp_path)
    lost = workspace.jobs.token_of(runs(BRONZE)[0].run_id)
    workspace.front.faults.clear()
    workspace.front.plant(Fault("GET", rf"{lost}/1-\d+\.json$", "status", 1000, status=404))
    assert worker(tmp_path, of_the_first_run()).wait(120) == 0
    assert "the last message is still missing" in said(tmp_path)
    assert said(tmp_path).rstrip().endswith("SUCCESS"), said(tmp_path)[-2000:]
    assert len(runs(BRONZE)) == 2
    assert rows(BRONZE) == {APRIL: 300}


def test_the_token_of_a_run_that_was_deleted_is_given_up(workspace, runs, tmp_path):
    remote = left_by_a_killed_worker(workspace, runs, tmp_path)
    workspace.jobs.startup_seconds = 0.0
    waited_for(lambda: remote.life == "TERMINATED")
    WorkspaceClient().jobs.delete_run(remote.run_id)
    assert worker(tmp_path, of_the_first_run()).wait(120) == 0
    assert "its token is not taken" in said(tmp_path)
    assert said(tmp_path).rstrip().endswith("SUCCESS"), said(tmp_path)[-2000:]
    assert len(runs(BRONZE)) == 2


def test_a_result_that_dagster_refuses_leaves_no_run_that_goes_on(
    workspace, instance, runs, impatient
):
    """It is ended before the result is handed on, as Dagster then only closes the stream."""
    from finance_assets_tests.scenario import deliver, statements

    workspace.jobs.cluster.linger_seconds, workspace.jobs.cluster.flush_seconds = 300.0, 0.0
    deliver(get_settings().landing, APRIL, *statements(APRIL), "rub", "bish")
    assert not materialize(instance, BRONZE, SILVER).success
    [remote] = runs(SILVER)
    assert (remote.life, remote.result) == ("TERMINATED", "CANCELED")


def left_by_a_killed_worker(workspace, runs, tmp_path):
    """The run that a worker began and nobody watches any more; it is still starting."""
    workspace.jobs.startup_seconds = 600.0
    first = worker(tmp_path)
    [remote] = waited_for(lambda: runs(BRONZE))
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    return remote


def asked_again():
    """The step's results, as the killed worker's successor gets them."""
    settings, root = get_settings(), of_the_first_run()
    work = of_steps(settings, [USE_CASE.step(BRONZE)], CALENDAR.window(APRIL), root)
    return dict(RunClient(settings).stream(Person(root, lambda text: None), work))


def test_an_interrupt_before_a_run_is_watched_ends_the_one_that_was_taken_over(
    workspace, runs, tmp_path
):
    remote = left_by_a_killed_worker(workspace, runs, tmp_path)
    workspace.front.requests.clear()
    workspace.front.plant(Fault("PUT", r"context\.json$", "delay", 1, seconds=3))

    def interrupt():
        waited_for(lambda: any(path.endswith("json") for _, path in workspace.front.requests))
        os.kill(os.getpid(), signal.SIGINT)

    in_background(interrupt)
    with pytest.raises(INTERRUPTS):
        asked_again()
    assert (remote.life, remote.result) == ("TERMINATED", "CANCELED")
    assert len(runs(BRONZE)) == 1


def test_a_result_that_a_newer_successor_cannot_read_is_made_anew(workspace, runs, tmp_path):
    remote = left_by_a_killed_worker(workspace, runs, tmp_path)
    workspace.jobs.startup_seconds = 0.0
    waited_for(lambda: remote.life == "TERMINATED")
    token = workspace.jobs.token_of(remote.run_id)
    volume = workspace.jobs.cluster.volumes / "main/finance_assets/runs/runs"
    for file in volume.glob(f"{token}/1-*.json"):
        # An older version may have called a part of the result otherwise.
        file.write_text(file.read_text().replace("fingerprints", "prints"))
    assert asked_again()[BRONZE].publication
    assert len(runs(BRONZE)) == 2
