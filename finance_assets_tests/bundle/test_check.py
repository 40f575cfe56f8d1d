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
    assert (ROOT / STORAGE_FILE).read_text() == render_storage(layers_of(ALL.values()))


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

    champion = "models_credit_default_champion"
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


def in_storage(change):
    """A change of the rendered schemas and volumes."""

    def plant(root):
        record = yaml.safe_load((root / STORAGE_FILE).read_text())
        change(record)
        (root / STORAGE_FILE).write_text(yaml.safe_dump(record, sort_keys=False))

    return plant


PREFIX = "mlflow_experiment_prefix="


def in_text(name, old, new):
    """A change of a file's text."""

    def plant(root):
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))

    return plant


DEFECTS = {
    "a variable that is not declared": (
        in_text(JOB_FILE, "${var.catalog}", "${var.warehouse}"),
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
        "monitoring_credit_default_drift: has 0 of python_wheel_task",
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
        in_job(
            lambda r: r["targets"]["prod"]["resources"]["jobs"][JOB]["tasks"][0].update(
                environment_key="default"
            )
        ),
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
            "    run_as:\n      service_principal_name: ${var.service_principal}\n",
            "",
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
    # Issue 9, 2: development mode prefixes names itself.
    "a prefix that development mode does not make": (
        in_text("databricks.yml", "dev_${workspace.current_user", "${workspace.current_user"),
        "nobody makes the schema main.somebody_bronze of layer bronze",
    ),
    "a volume's path written out": (
        in_text(
            JOB_FILE,
            "/Volumes/${var.catalog}/${resources.schemas.finance_assets.name}/staging",
            "/Volumes/${var.catalog}/finance_assets/staging",
        ),
        "storage: nobody makes the volume main.finance_assets.staging",
    ),
    "a model that the bundle makes under another name": (
        in_storage(
            lambda r: r["resources"].update(
                registered_models={
                    "credit_default": {
                        "name": "credit_default",
                        "catalog_name": "main",
                        "schema_name": "x",
                    }
                }
            )
        ),
        "registered model credit_default: the first training makes it",
    ),
    "a resource that does not exist": (
        in_text(
            JOB_FILE, "${resources.schemas.finance_assets.name}", "${resources.schemas.x.name}"
        ),
        "${resources.schemas.x.name} leads nowhere",
    ),
    # 3: an experiment needs its folder.
    "experiments that lie in no folder": (
        in_text(JOB_FILE, "mlflow_experiment_prefix=${var.experiment_folder}/", PREFIX + "x"),
        "is no folder that a task can make",
    ),
    "experiments in a folder of the root": (
        in_text("databricks.yml", "default: /Users/${var.service_principal}", "default: /Finance"),
        "is no folder that a task can make",
    ),
    # 7: serverless retries by itself.
    "serverless that retries": (
        in_job(
            lambda r: r["targets"]["prod"]["resources"]["jobs"][JOB]["tasks"][3].pop(
                "disable_auto_optimization"
            )
        ),
        "has no disable_auto_optimization",
    ),
    # 11: who can replace what production runs.
    "a wheel that everybody can replace": (
        in_text("databricks.yml", "/Workspace/Users/${var.service_principal}", "/Workspace/Shared"),
        "every user of the workspace could replace the wheel",
    ),
    "a wheel in somebody else's folder": (
        in_text(
            "databricks.yml", "/Workspace/Users/${var.service_principal}", "/Workspace/Users/jane"
        ),
        "is not in the folder of",
    ),
    "experiments that everybody can change": (
        in_text("databricks.yml", "default: /Users/${var.service_principal}", "default: /Shared"),
        "every user of the workspace may write to /Shared/",
    ),
    "a level that a bundle does not have": (
        in_text("databricks.yml", "level: CAN_RUN", "level: CAN_MANAGE_RUN"),
        "CAN_MANAGE_RUN is no level for a whole bundle",
    ),
    # 12: nothing is used that nobody makes, and no principal is written out.
    "a volume that nobody makes": (
        in_storage(lambda r: r["resources"]["volumes"].pop("landing")),
        "landing: nobody makes the volume",
    ),
    "a layer that nobody makes": (
        in_storage(lambda r: r["resources"]["schemas"].pop("gold")),
        "of layer gold",
    ),
    "a schema that nobody may use": (
        in_storage(lambda r: r["resources"]["schemas"]["gold"].pop("grants")),
        "schemas.gold: nobody but its owner may use it",
    ),
    "a group that is written out": (
        in_text("databricks.yml", "group_name: ${var.operators}", "group_name: credit-risk"),
        "permissions: credit-risk is no variable",
    ),
    "a principal that is written out": (
        in_storage(
            lambda r: r["resources"]["schemas"]["gold"]["grants"][0].update(principal="users")
        ),
        "resources: users is no variable",
    ),
    # 13: tables cannot lie in a volume, and both runners give the same settings.
    "tables in a volume": (
        in_text("databricks.yml", "    default: main\n", '    default: ""\n'),
        "tables cannot lie in a volume",
    ),
    "a setting that only one runner gives": (
        in_text(JOB_FILE, "          - --set\n          - search=${var.search}\n", ""),
        "its settings are not those of Dagster's tasks: ['search']",
    ),
    # 14: a redeploy is seen, and an unset address is none.
    "a wheel that is never seen to be new": (
        in_text("databricks.yml", "    dynamic_version: true\n", ""),
        "has no dynamic_version",
    ),
    "an address that is not set": (
        in_text("databricks.yml", "- ${workspace.current_user.userName}", '- ""'),
        "'' is no address",
    ),
}


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
