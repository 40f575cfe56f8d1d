"""The committed bundle is current and whole, and the check finds what is planted into it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from finance_assets.bundle.check import check_bundle, layers_of
from finance_assets.bundle.places import settings_of
from finance_assets.bundle.render import JOB, render, render_storage
from finance_assets.bundle.variables import load_bundle, read_file, resolve
from finance_assets.cli.bundle import JOB_FILE, STORAGE_FILE
from finance_assets.compute.databricks.tasks import task_key
from finance_assets.settings import Shape
from finance_assets.use_cases import ALL
from finance_assets.use_cases.credit_default.use_case import USE_CASE
from finance_assets_tests.bundle.defects import DEFECTS, in_text

ROOT = Path(__file__).parents[2]
TARGETS = ("dev", "staging", "prod")


@pytest.fixture
def checkout(tmp_path):
    """The bundle's files, to be broken."""
    for name in ("databricks.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "resources", tmp_path / "resources")
    return tmp_path


def test_the_committed_files_are_the_ones_the_steps_render_to():
    """After a wanted change: `finance-assets bundle render`."""
    bundle = read_file(ROOT / "databricks.yml")
    assert (ROOT / JOB_FILE).read_text() == render(USE_CASE, bundle)
    assert (ROOT / STORAGE_FILE).read_text() == render_storage(layers_of(ALL.values()), bundle)


def test_the_committed_bundle_has_no_problem_for_any_target():
    assert check_bundle(ROOT, USE_CASE) == {name: [] for name in ("files", *TARGETS)}


def test_every_step_is_a_task_that_gets_the_partition():
    job = resolve(load_bundle(ROOT), "dev")["resources"]["jobs"][JOB]
    tasks = {task["task_key"]: task for task in job["tasks"]}
    assert set(tasks) == {task_key([step]) for step in USE_CASE.steps}
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
    assert schemas == ["dev_somebody_finance_assets", "finance_assets"]
    told = [settings_of(b["resources"]["jobs"][JOB]["tasks"][0]) for b in (dev, prod)]
    assert [t["schema_prefix"] for t in told] == ["dev_somebody_", ""]
    assert [t["storage"] for t in told] == [
        "/Volumes/main/dev_somebody_finance_assets/staging",
        "/Volumes/prod/finance_assets/staging",
    ]
    assert [t["mlflow_model_prefix"] for t in told] == [
        "main.dev_somebody_finance_assets.",
        "prod.finance_assets.",
    ]
    mail = [b["resources"]["jobs"][JOB]["email_notifications"]["on_failure"] for b in (dev, prod)]
    assert mail == [["somebody@example.com"], []]


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found_and_named(name, checkout):
    plant, words = DEFECTS[name]
    plant(checkout)
    problems = [p for found in check_bundle(checkout, USE_CASE).values() for p in found]
    assert any(words in problem for problem in problems), problems


def with_shape(root, target, shape):
    """Set the one variable, in one target or in all, and render."""
    record = yaml.safe_load((root / "databricks.yml").read_text())
    if target is None:
        record["variables"]["shape"]["default"] = str(shape)
    else:
        record["targets"][target].setdefault("variables", {})["shape"] = str(shape)
    (root / "databricks.yml").write_text(yaml.safe_dump(record, sort_keys=False))
    (root / JOB_FILE).write_text(render(USE_CASE, record))


@pytest.mark.parametrize("target", [None, *TARGETS])
@pytest.mark.parametrize("shape", list(Shape))
def test_one_variable_decides_on_the_compute_of_every_target(shape, target, checkout):
    with_shape(checkout, target, shape)
    assert check_bundle(checkout, USE_CASE) == {name: [] for name in ("files", *TARGETS)}
    for name in TARGETS:
        job = resolve(load_bundle(checkout), name)["resources"]["jobs"][JOB]
        expected = shape if target in (None, name) else Shape.serverless
        fields = {
            Shape.serverless: "environment_key",
            Shape.job_cluster: "job_cluster_key",
            Shape.existing_cluster: "existing_cluster_id",
        }
        for task in job["tasks"]:
            assert set(fields.values()) & set(task) == {fields[expected]}, (name, task)
            assert ("libraries" in task) == (expected is not Shape.serverless)
        assert ("job_clusters" in job) == (expected is Shape.job_cluster)
        assert job["tags"]["shape"] == expected
        if expected is Shape.job_cluster:
            workers = job["job_clusters"][0]["new_cluster"]["autoscale"]
            assert workers == {"min_workers": 1, "max_workers": 4}


def test_a_shape_that_does_not_exist_is_named(checkout):
    in_text("databricks.yml", "default: serverless", "default: warehouse")(checkout)
    stale = command("check", "--root", str(checkout))
    assert stale.returncode == 1
    assert "'warehouse' is no shape" in stale.stderr


def command(*arguments):
    program = Path(sys.executable).with_name("finance-assets")
    return subprocess.run(
        [program, "bundle", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
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
