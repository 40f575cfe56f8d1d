"""A run whose process was killed does not stay started, nor its training running."""

import os
import signal
import subprocess
import sys

import dagster as dg

from finance_assets.automation.runs import KILLED_TAG, end_left_behind
from finance_assets.compute.alive import held, left_behind
from finance_assets.compute.runner import open_registry
from finance_assets.settings import get_settings

# Starts a run of a job, as a training, and never ends it.
ENDLESS = """
import time, dagster as dg
from finance_assets.compute.runner import open_registry
from finance_assets.compute.alive import held
from finance_assets.assets.resources import EngineResource
from finance_assets.settings import get_settings

@dg.op(required_resource_keys={"engine"})
def train(context):
    open_registry(get_settings()).client.create_run("0", tags={"dagster_run_id": context.run_id})
    print(context.run_id, flush=True)
    time.sleep(600)

@dg.job(resource_defs={"engine": EngineResource()})
def endless():
    train()

with dg.DagsterInstance.get() as instance:
    endless.execute_in_process(instance=instance)
"""


# Starts a run that gets no further than to its first resource.
HARDLY_STARTED = """
import time, dagster as dg

@dg.resource
def slow(context):
    print(context.run_id, flush=True)
    time.sleep(600)

@dg.op(required_resource_keys={"slow"})
def train(): ...

@dg.job(resource_defs={"slow": slow})
def endless():
    train()

with dg.DagsterInstance.get() as instance:
    endless.execute_in_process(instance=instance)
"""


def test_a_run_that_is_killed_as_soon_as_it_started_does_not_stay_started(settings):
    child = subprocess.Popen(
        [sys.executable, "-c", HARDLY_STARTED], stdout=subprocess.PIPE, text=True
    )
    run_id = child.stdout.readline().strip()
    with dg.DagsterInstance.get() as instance:
        assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.STARTED
        assert end_left_behind(instance, settings) == [], "it is alive"
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert end_left_behind(instance, settings) == [run_id]
        assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.FAILURE


def test_a_killed_run_is_marked_as_failed_with_the_reason_and_its_training_as_killed(settings):
    child = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True)
    run_id = child.stdout.readline().strip()
    with dg.DagsterInstance.get() as instance:
        assert end_left_behind(instance, settings) == [], "it is alive"
        assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.STARTED
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert end_left_behind(instance, settings) == [run_id]
        run = instance.get_run_by_id(run_id)
        assert (run.status, run.tags[KILLED_TAG]) == (dg.DagsterRunStatus.FAILURE, "true")
        event = instance.get_records_for_run(run_id).records[-1].event_log_entry
        assert "the process of this run is gone" in event.user_message + str(event.dagster_event)
        assert end_left_behind(instance, settings) == []
    assert training_of(run_id, settings) == "KILLED"


def test_a_registry_that_does_not_answer_keeps_no_killed_run_started(settings, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True)
    run_id = child.stdout.readline().strip()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()

    def silent(*_):
        raise OSError("MLflow does not answer")

    with dg.DagsterInstance.get() as instance:
        with monkeypatch.context() as patch:
            patch.setattr("finance_assets.automation.runs.open_registry", silent)
            assert end_left_behind(instance, settings) == [run_id]
            assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.FAILURE
            assert end_left_behind(instance, settings) == [], "it is marked once"
        # Somebody who does not ask MLflow leaves the training to those who do.
        assert end_left_behind(instance, settings, with_trainings=False) == []
        assert training_of(run_id, settings) == "RUNNING"
        assert end_left_behind(instance, settings) == []
    assert training_of(run_id, settings) == "KILLED"
    assert list(left_behind(settings)) == []


def training_of(run_id, settings):
    client = open_registry(settings).client
    [training] = client.search_runs(["0"], f"tags.dagster_run_id = '{run_id}'")
    return training.info.status


def test_a_run_that_ended_leaves_nothing_and_one_that_works_is_left_alone(settings):
    with held(get_settings(), "r1"):
        with held(get_settings(), "r1"):
            assert list(left_behind(settings)) == []
        assert list(left_behind(settings)) == []
    assert list((settings.dagster_home / "alive").iterdir()) == []
