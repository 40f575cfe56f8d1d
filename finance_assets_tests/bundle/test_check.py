"""The committed bundle is current and whole, and the check finds what is planted into it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from finance_assets.bundle.check import check_bundle
from finance_assets.bundle.render import JOB, render, shape_of, task_key
from finance_assets.bundle.variables import load_bundle, resolve
from finance_assets.cli.bundle import JOB_FILE
from finance_assets.settings import Shape
from finance_assets.use_cases.credit_default.use_case import USE_CASE

ROOT = Path(__file__).parents[2]
TARGETS = ("dev", "staging", "prod")


@pytest.fixture
def checkout(tmp_path):
    """The bundle's files, to be broken."""
    for name in ("databricks.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "resources", tmp_path / "resources")
    return tmp_path


def test_the_committed_job_is_the_one_the_steps_render_to():
    """After a wanted change: `finance-assets bundle render`."""
    assert (ROOT / JOB_FILE).read_text() == render(USE_CASE)


def test_the_committed_bundle_has_no_problem_for_any_target():
    assert check_bundle(ROOT, USE_CASE) == {name: [] for name in ("files", *TARGETS)}


def test_every_step_is_a_task_that_gets_the_partition():
    job = resolve(load_bundle(ROOT), "dev")["resources"]["jobs"][JOB]
    tasks = {task["task_key"]: task for task in job["tasks"]}
    assert set(tasks) == {task_key(step) for step in USE_CASE.steps}
    for task in tasks.values():
        assert "{{job.parameters.partition}}" in task["python_wheel_task"]["parameters"]


def test_a_failed_gate_stops_promotion_but_not_scoring_and_monitoring():
    job = resolve(load_bundle(ROOT), "prod")["resources"]["jobs"][JOB]
    needs = {t["task_key"]: [d["task_key"] for d in t.get("depends_on", [])] for t in job["tasks"]}

    def upstream(key: str) -> set[str]:
        return set(needs[key]) | {k for needed in needs[key] for k in upstream(needed)}

    champion = "models_credit_default_decision"
    assert upstream(champion) > {"models_credit_default_evaluation"}
    assert champion not in upstream("monitoring_credit_default_drift")
    assert "predictions_credit_default" in upstream("monitoring_credit_default_drift")


def test_targets_differ_where_they_should():
    bundle = load_bundle(ROOT)
    dev, prod = (resolve(bundle, name) for name in ("dev", "prod"))
    schedule = [b["resources"]["jobs"][JOB]["schedule"]["pause_status"] for b in (dev, prod)]
    assert schedule == ["PAUSED", "UNPAUSED"]
    assert dev["mode"] == "development"
    assert "run_as" not in dev
    assert prod["run_as"]["service_principal_name"]
    schemas = [b["resources"]["schemas"]["finance_assets"]["name"] for b in (dev, prod)]
    assert schemas == ["somebody_finance_assets", "finance_assets"]
    prefixes = [
        next(
            p
            for p in b["resources"]["jobs"][JOB]["tasks"][0]["python_wheel_task"]["parameters"]
            if p.startswith("schema_prefix=")
        )
        for b in (dev, prod)
    ]
    assert prefixes == ["schema_prefix=somebody_", "schema_prefix="]


def tasks_of(record):
    return record["resources"]["jobs"][JOB]["tasks"]


def in_job(change):
    """A change of the rendered job."""

    def plant(root):
        path = root / JOB_FILE
        record = yaml.safe_load(path.read_text())
        change(record)
        path.write_text(yaml.safe_dump(record, sort_keys=False))

    return plant


def in_text(name, old, new):
    """A change of a file's text."""

    def plant(root):
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))

    return plant


DEFECTS = {
    "a variable that is not declared": (
        in_text(JOB_FILE, "${var.storage}", "${var.warehouse}"),
        "${var.warehouse} leads nowhere",
    ),
    "a target's variable that is not declared": (
        in_text("databricks.yml", "      catalog: staging", "      katalog: staging"),
        "variable katalog is not declared",
    ),
    "a field the API does not know": (
        in_job(lambda r: tasks_of(r)[0].update(timeout_secs=5)),
        "timeout_secs is no field the API knows",
    ),
    "a value the API does not take": (
        in_job(lambda r: tasks_of(r)[1].update(run_if="SOMETIMES")),
        "run_if is no field the API knows, or its value none it takes",
    ),
    "a dependency on no task": (
        in_job(lambda r: tasks_of(r)[1]["depends_on"].append({"task_key": "bronze_nothing"})),
        "depends on bronze_nothing, which is no task",
    ),
    "a step without a task": (
        in_job(lambda r: tasks_of(r).pop()),
        "no task for the step monitoring_credit_default_drift",
    ),
    "a task without a step": (
        in_job(lambda r: tasks_of(r).append({**tasks_of(r)[0], "task_key": "extra"})),
        "no step for the task extra",
    ),
    "a dependency that the graph does not have": (
        in_job(lambda r: tasks_of(r)[-1].update(depends_on=[])),
        "monitoring_credit_default_drift depends on []",
    ),
    "an entry point that does not exist": (
        in_job(lambda r: tasks_of(r)[0]["python_wheel_task"].update(entry_point="main")),
        "the package has no entry point main",
    ),
    "an environment that does not exist": (
        in_job(lambda r: tasks_of(r)[0].update(environment_key="default")),
        "there is no environment default",
    ),
    "a wheel that nobody builds": (
        in_text("databricks.yml", "type: whl", "type: jar"),
        "is built by no artifact",
    ),
    "a token in a file": (
        in_text("databricks.yml", "default: credit-risk\n", "default: dapi0123456789abcdef\n"),
        "looks like a secret",
    ),
    "a partition that does not arrive": (
        in_text(JOB_FILE, "'{{job.parameters.partition}}'", "2005-04"),
        "the partition does not reach it",
    ),
    "production as whoever deploys": (
        in_text(
            "databricks.yml",
            "      schedule_status: UNPAUSED\n    run_as:\n"
            "      service_principal_name: ${var.service_principal}\n",
            "      schedule_status: UNPAUSED\n",
        ),
        "production has no run_as",
    ),
    "an include that matches nothing": (
        in_text("databricks.yml", "resources/*.yml", "recources/*.yml"),
        "matches no file",
    ),
    "nobody told": (
        in_job(lambda r: r["resources"]["jobs"][JOB].pop("email_notifications")),
        "nobody is told when it fails",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found_and_named(name, checkout):
    plant, words = DEFECTS[name]
    plant(checkout)
    problems = [p for found in check_bundle(checkout, USE_CASE).values() for p in found]
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize("shape", list(Shape))
def test_the_job_can_be_rendered_for_every_shape_of_compute(shape, checkout):
    text = render(USE_CASE, shape)
    assert shape_of(text) is shape
    (checkout / JOB_FILE).write_text(text)
    assert check_bundle(checkout, USE_CASE) == {name: [] for name in ("files", *TARGETS)}
    job = resolve(load_bundle(checkout), "prod")["resources"]["jobs"][JOB]
    wheels = [task.get("libraries") for task in job["tasks"]]
    assert all(wheels) == (shape is not Shape.serverless)
    assert ("job_clusters" in job) == (shape is Shape.job_cluster)


def command(*arguments):
    program = Path(sys.executable).with_name("finance-assets")
    return subprocess.run(
        [program, "bundle", *arguments], capture_output=True, text=True, timeout=60
    )


def test_the_command_passes_on_the_checkout_and_fails_on_a_stale_job(checkout):
    good = command("check")
    assert good.returncode == 0, good.stdout
    assert [line for line in good.stdout.splitlines() if line.endswith(": ok")] == [
        f"{name}: ok" for name in ("files", *TARGETS)
    ]
    in_text(JOB_FILE, "timeout_seconds: 3600", "timeout_seconds: 3601")(checkout)
    stale = command("check", "--root", str(checkout))
    assert stale.returncode == 1
    assert "is stale" in stale.stdout
