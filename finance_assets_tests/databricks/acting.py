"""Acting: what tests of steps on the stand-in do, wait for, and look at."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import dagster as dg
import pytest

from finance_assets.assets.metadata import asset_key
from finance_assets.definitions import build_defs
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.settings import get_settings
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.scenario import APRIL, clean_environment

ROOT = Path(__file__).parents[2]
SUBMIT, GET = r"/jobs/runs/submit$", r"/jobs/runs/get$"


def materialize(instance, *keys, partition=APRIL):
    """Materialise assets as a person would from the UI."""
    # The other use cases' would be built and not looked at.
    of_keys = {n: u for n, u in all_use_cases().items() if set(keys) & {s.key for s in u.steps}}
    defs = build_defs(use_cases=of_keys)
    assets = [defs.resolve_assets_def(asset_key(key)) for key in keys]
    return dg.materialize(assets, instance=instance, partition_key=partition, raise_on_error=False)


def runs_of(workspace, name):
    """The workspace's runs of a step since the test began."""
    return [run for run in workspace.jobs.runs.values() if run.name.startswith(f"{name} ")]


def failure_of(result):
    """Description and metadata of the failed step."""
    [event] = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data
    return data.user_failure_data or pytest.fail(str(data.error))


def rows(key):
    """Rows of a table in the workspace's storage."""
    layer, entity = key.split(".")
    root = Path(os.environ["FINANCE_ASSETS_DATABRICKS_STORAGE"])
    return FolderTable(key, root / layer / entity).row_counts()


def waited_for(condition, seconds=60):
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen")


EXECUTE = """
import sys
import dagster as dg
from finance_assets.definitions import build_defs
from finance_assets.settings import get_settings
from finance_assets_tests.scenario import APRIL, BRONZE, PIPELINE, node

settings = get_settings()
settings.prepare_home()


def job():
    return build_defs().resolve_job_def(PIPELINE)


if __name__ == "__main__":
    parent = sys.argv[1] if len(sys.argv) > 1 else None
    with dg.DagsterInstance.get() as instance:
        options = None
        if parent:
            run = instance.get_run_by_id(parent)
            instance.report_run_failed(run)
            options = dg.ReexecutionOptions(parent, [node(BRONZE)])
        result = dg.execute_job(
            dg.reconstructable(job),
            instance=instance,
            tags={"dagster/partition": APRIL},
            reexecution_options=options,
            asset_selection=None if parent else [dg.AssetKey(BRONZE.split("."))],
        )
        print("SUCCESS" if result.success else "FAILED", flush=True)
"""


def worker(tmp_path, *arguments):
    """A Dagster run in processes of its own."""
    script = tmp_path / "worker.py"
    script.write_text(EXECUTE)
    ours = ("FINANCE_ASSETS_", "DATABRICKS_")
    environment = {k: v for k, v in os.environ.items() if k.startswith(ours)}
    log = (tmp_path / "worker.log").open("a")
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        env=clean_environment(
            **environment,
            DAGSTER_HOME=str(get_settings().dagster_home),
            PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}",
        ),
        stdout=log,
        stderr=log,
        start_new_session=True,
        cwd=tmp_path,
    )


def interrupted(instance, after):
    """Cancel the Dagster run of this process, as the UI does, when something is so."""

    def wait_and_kill():
        waited_for(after)
        instance.report_run_canceling(instance.get_runs()[0])
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait_and_kill, daemon=True)
    thread.start()
    return thread
