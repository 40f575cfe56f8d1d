"""Dagster's runs and the bundle's job are one description: they differ where it is declared."""

import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from finance_assets.bundle.render import render_compute, render_job, target_compute
from finance_assets.bundle.variables import read_file
from finance_assets.compute.databricks.payload import build_wheel, locked
from finance_assets.compute.databricks.tasks import (
    JOBS_ALONE,
    TASKS_OF_JOBS,
    compute_of,
    one_time_run,
    task_key,
)
from finance_assets.compute.databricks.work import of_steps
from finance_assets.errors import SettingsError
from finance_assets.settings import DatabricksSettings, Settings, Shape
from finance_assets_tests.scenario import APRIL, CALENDAR, USE_CASE, clean_environment

ROOT = Path(__file__).parents[2]
STEPS = {step.key: step for step in USE_CASE.steps}
# Where values are the settings' on one side, and the bundle's variables on the other.
VALUES = {"libraries", "existing_cluster_id", "new_cluster", "parameters"}


FULL = Settings(
    catalog="main",
    schema_prefix="dev_",
    landing="/landing",
    archive="/archive",
    archive_days=9,
    mlflow_registry_uri="databricks-uc",
    mlflow_experiment_prefix="/x/",
    mlflow_model_prefix="main.x.",
    use_cases="somebodys.own",
    last_partitions="somebodys=2005-10",
)


def sides(step, shape):
    """A step as it is submitted, and as it is rendered: (run, task), (job, task)."""
    databricks = DatabricksSettings(shape=shape, cluster_id="0101-abc", policy_id="policy-1")
    work = of_steps(FULL, [step], CALENDAR.window(APRIL), "run")
    run = one_time_run(
        work.name,
        work.task,
        compute_of(databricks, "/Volumes/x/finance_assets-0.1.0+c1-py3-none-any.whl"),
    )
    bundle = read_file(ROOT / "databricks.yml")
    bundle["variables"]["shape"]["default"] = shape
    bundle["variables"]["policy_id"]["default"] = "policy-1"
    where = render_compute(USE_CASE, target_compute(bundle, "prod"))
    job = render_job(USE_CASE)
    tasks, places = (
        {task["task_key"]: task for task in tasks} for tasks in (job["tasks"], where.pop("tasks"))
    )
    key = task_key([step])
    return (run, run["tasks"][0]), ({**job, **where}, {**tasks[key], **places[key]})


def shaped(value):
    """Only the fields of a value, not what is in them."""
    if isinstance(value, dict):
        return {key: shaped(part) for key, part in value.items()}
    return [shaped(part) for part in value] if isinstance(value, list) else None


def told(parameters):
    """Options of a command line; of settings also their names. Values are where they come from."""
    pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
    return [(o, v.partition("=")[0]) if o == "--set" else (o, "") for o, v in pairs]


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("key", STEPS)
def test_a_step_is_the_same_task_for_dagster_and_in_the_bundle(key, shape):
    (_, submitted), (_, rendered) = sides(STEPS[key], shape)
    only = {"new_cluster"} if shape is Shape.job_cluster else set()
    assert set(submitted) - set(rendered) == only
    assert set(rendered) - set(submitted) <= TASKS_OF_JOBS
    for name in set(submitted) - VALUES - {"python_wheel_task"}:
        assert submitted[name] == rendered[name], name
    for name in set(submitted) & VALUES - only:
        assert shaped(submitted[name]) == shaped(rendered[name]), name
    ours, theirs = submitted["python_wheel_task"], rendered["python_wheel_task"]
    assert {k: v for k, v in ours.items() if k not in VALUES} == {
        k: v for k, v in theirs.items() if k not in VALUES
    }
    mine, its = told(ours["parameters"]), told(theirs["parameters"])
    # A range is asked for by Dagster, which sent a wheel; which partition is due, the job finds out.
    only = {("--last", ""), ("--wheel", "")}
    assert [o for o in mine if o not in only] == [o for o in its if o != ("--triggered", "")]
    assert dict(zip(*[iter(ours["parameters"])] * 2, strict=True))["--step"] == key


@pytest.mark.parametrize("shape", list(Shape))
def test_the_runs_differ_in_what_a_one_time_run_cannot_say(shape):
    (submitted, task), (rendered, _) = sides(USE_CASE.steps[0], shape)
    assert set(submitted) - {"run_name"} == {"tasks", "environments", "queue"}
    assert set(rendered) - set(submitted) - {"name"} <= JOBS_ALONE
    assert submitted["queue"] == rendered["queue"]
    assert shaped(submitted["environments"]) == shaped(rendered.get("environments", []))
    if shape is Shape.job_cluster:
        [shared] = rendered["job_clusters"]
        assert shaped(task["new_cluster"]) == shaped(shared["new_cluster"])
        assert task["new_cluster"]["custom_tags"] == shared["new_cluster"]["custom_tags"]


def test_the_wheel_asks_for_the_libraries_that_were_tested_and_for_no_range():
    with zipfile.ZipFile(build_wheel()) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        told = Parser().parsestr(archive.read(name).decode())
    asked = [Requirement(text) for text in told.get_all("Requires-Dist") if "extra" not in text]
    here = [one for one in asked if one.marker is None or one.marker.evaluate()]
    assert {one.name: str(one.specifier) for one in here} == {
        one.name: f"=={version(one.name)}" for one in here
    }
    decisive = {"xgboost-cpu", "lightgbm", "scikit-learn", "mlflow", "pandas", "pyarrow", "numpy"}
    assert {*decisive, "deltalake"} <= {one.name for one in here}


def test_a_dependency_that_is_not_locked_is_refused():
    with pytest.raises(SettingsError, match="^pandas is not locked"):
        locked(["numpy>=1", "pandas>=2,<3"], "numpy==2.0 ; python_version < '3'\n# pandas==2\n")


BUILD = """
import sys
import tempfile
from multiprocessing import get_context
from multiprocessing.util import get_temp_dir
from pathlib import Path
from finance_assets.compute.databricks.payload import build_wheel
if __name__ == "__main__":
    if sys.argv[1] == "spawned":
        # As Dagster does it for each run; whoever spawns it may have had temporary files before.
        before = get_temp_dir()
        process = get_context("spawn").Process(target=build_wheel)
        process.start()
        process.join()
        assert process.exitcode == 0
        assert list(Path(tempfile.gettempdir()).iterdir()) == [Path(before)]
        assert list(Path(before).iterdir()) == []
    else:
        assert build_wheel().exists()
"""


@pytest.mark.parametrize("how", ["itself", "spawned"])
def test_a_process_leaves_no_wheel_behind(tmp_path, how):
    temporary, script = tmp_path / "temporary", tmp_path / "build.py"
    temporary.mkdir()
    script.write_text(BUILD)
    environment = clean_environment(TMPDIR=str(temporary))
    subprocess.run([sys.executable, str(script), how], env=environment, check=True, timeout=300)
    assert list(temporary.iterdir()) == []
