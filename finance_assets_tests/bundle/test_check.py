"""The committed bundle is current and whole, and the check finds what is planted into it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finance_assets.bundle.check import check_bundle
from finance_assets.bundle.places import settings_of
from finance_assets.bundle.render import FLOW, job_file, render_all
from finance_assets.bundle.variables import load_bundle, read_file, resolve
from finance_assets.calendar import Calendar, Frequency
from finance_assets.cli.main import app
from finance_assets.compute.databricks.tasks import task_key
from finance_assets.definitions import build_defs
from finance_assets.settings import Shape
from finance_assets.use_cases import all_use_cases
from finance_assets_tests.bundle.defects import DEFECTS, FEW, JOB, JOB_FILE, in_text, rewrite
from finance_assets_tests.scenario import (
    DECISION,
    DRIFT,
    EVALUATION,
    NAME,
    PREDICTIONS,
    USE_CASE,
    task_of,
)
from finance_assets_tests.shop import Shop

ROOT = Path(__file__).parents[2]
TARGETS = ("dev", "staging", "prod")
EVERY = list(all_use_cases().values())


@pytest.fixture
def checkout(tmp_path):
    """The bundle's files, to be broken."""
    for name in ("databricks.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "resources", tmp_path / "resources")
    return tmp_path


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The bundle of two use cases: a third is like them, and takes as long."""
    root = tmp_path_factory.mktemp("bundle")
    (root / "resources").mkdir()
    for name in ("databricks.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    for name, text in render_all(FEW, read_file(root / "databricks.yml")).items():
        (root / name).write_text(text)
    return root


@pytest.fixture
def small(rendered, tmp_path):
    """A copy of it, to be broken."""
    return shutil.copytree(rendered, tmp_path / "small")


def test_the_committed_files_are_the_ones_the_steps_render_to():
    """After a wanted change: `finance-assets bundle render`."""
    wanted = render_all(EVERY, read_file(ROOT / "databricks.yml"))
    found = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "resources").iterdir()}
    assert set(found) == set(wanted)
    assert {name: path.read_text() for name, path in found.items()} == wanted


def test_the_committed_bundle_has_no_problem_for_any_target():
    assert check_bundle(ROOT, EVERY) == {name: [] for name in ("files", *TARGETS)}


def test_every_step_is_a_task_that_gets_the_partition():
    job = resolve(load_bundle(ROOT), "dev")["resources"]["jobs"][JOB]
    tasks = {task["task_key"]: task for task in job["tasks"]}
    assert set(tasks) == {task_key([step]) for step in USE_CASE.steps}
    for task in tasks.values():
        assert "{{job.parameters.partition}}" in task["python_wheel_task"]["parameters"]


def test_every_use_case_has_a_file_of_its_own_and_a_second_one_leaves_the_first_as_it_is(checkout):
    shop = Shop(Calendar(Frequency.daily, "2024-01-01"), 1).use_case()
    bundle, both = read_file(checkout / "databricks.yml"), [*EVERY, shop]
    before, after = render_all(EVERY, bundle), render_all(both, bundle)
    assert set(after) - set(before) == {job_file("shop_pipeline")}
    assert {name for name in before if before[name] != after[name]} == {job_file(FLOW)}
    for name, text in after.items():
        (checkout / name).write_text(text)
    assert check_bundle(checkout, both) == {name: [] for name in ("files", *TARGETS)}
    jobs = resolve(load_bundle(checkout), "prod")["resources"]["jobs"]
    assert set(jobs) == {*(f"{u.name}_pipeline" for u in both), FLOW}
    assert jobs["shop_pipeline"]["schedule"]["quartz_cron_expression"] == shop.calendar.quartz
    assert "schedule" not in jobs[FLOW], "each use case's job has one"


def test_the_names_of_jobs_are_those_of_dagster():
    jobs = load_bundle(ROOT)["resources"]["jobs"]
    known = {job.name for job in build_defs().jobs}
    assert set(jobs) - known == {FLOW}


def test_a_failed_gate_stops_promotion_but_not_scoring_and_monitoring():
    job = resolve(load_bundle(ROOT), "prod")["resources"]["jobs"][JOB]
    needs = {t["task_key"]: [d["task_key"] for d in t.get("depends_on", [])] for t in job["tasks"]}

    def upstream(key: str) -> set[str]:
        return set(needs[key]) | {k for needed in needs[key] for k in upstream(needed)}

    champion = task_of(DECISION)
    assert upstream(champion) > {task_of(EVALUATION)}
    assert champion not in upstream(task_of(DRIFT))
    assert task_of(PREDICTIONS) in upstream(task_of(DRIFT))


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
def test_a_planted_defect_is_found_and_named(name, small):
    plant, words = DEFECTS[name]
    plant(small)
    problems = [p for found in check_bundle(small, FEW).values() for p in found]
    assert any(words in problem for problem in problems), problems


def with_shape(root, target, shape):
    """Set the one variable, in one target or in all, and render."""

    def change(record):
        if target is None:
            record["variables"]["shape"]["default"] = str(shape)
        else:
            record["targets"][target].setdefault("variables", {})["shape"] = str(shape)

    record = rewrite(root / "databricks.yml", change)
    for name, text in render_all(FEW, record).items():
        (root / name).write_text(text)


@pytest.mark.parametrize("target", [None, *TARGETS])
@pytest.mark.parametrize("shape", list(Shape))
def test_one_variable_decides_on_the_compute_of_every_target(shape, target, small):
    with_shape(small, target, shape)
    assert check_bundle(small, FEW) == {name: [] for name in ("files", *TARGETS)}
    bundle = load_bundle(small)
    for name in TARGETS:
        job = resolve(bundle, name)["resources"]["jobs"][JOB]
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


@dataclass(frozen=True)
class Done:
    """What became of a command, as subprocess.run tells it."""

    returncode: int
    stdout: str
    stderr: str


def command(*arguments):
    """`finance-assets bundle …` in this process."""
    done = CliRunner().invoke(app, ["bundle", *arguments])
    return Done(done.exit_code, done.stdout, done.stderr)


def program(*arguments):
    """The same as a user starts it."""
    return subprocess.run(
        [Path(sys.executable).with_name("finance-assets"), "bundle", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_the_command_passes_on_the_checkout_and_fails_on_a_stale_job(checkout):
    good = program("check")
    assert good.returncode == 0, good.stdout
    assert [line for line in good.stdout.splitlines() if line.endswith(": ok")] == [
        f"{name}: ok" for name in ("files", *TARGETS)
    ]
    in_text(JOB_FILE, "timeout_seconds: 3600", "timeout_seconds: 3601")(checkout)
    stale = command("check", "--root", str(checkout))
    assert stale.returncode == 1
    assert "is stale" in stale.stdout


def test_the_file_of_a_use_case_that_there_is_no_more_is_told_of_and_removed(checkout):
    gone = checkout / job_file("gone_pipeline")
    gone.write_text((checkout / JOB_FILE).read_text().replace(JOB, "gone_pipeline"))
    kept = checkout / "resources" / "own.yml"
    kept.write_text("resources: {}\n")
    told = command("check", "--root", str(checkout))
    assert told.returncode == 1
    assert "gone_pipeline.job.yml is of a use case that there is no more" in told.stdout
    assert command("render", "--root", str(checkout)).returncode == 0
    assert not gone.exists()
    assert kept.exists(), "written by hand"
    assert command("check", "--root", str(checkout)).returncode == 0


def test_one_use_case_can_be_rendered_and_checked_by_itself(checkout):
    (checkout / JOB_FILE).unlink()
    assert command("render", "--root", str(checkout), "--use-case", NAME).returncode == 0
    assert (checkout / JOB_FILE).read_text() == (ROOT / JOB_FILE).read_text()
    assert command("check", "--root", str(checkout), "--use-case", NAME).returncode == 0
    refused = command("render", "--root", str(checkout), "--use-case", "nonsense")
    assert "there is no use case 'nonsense'" in refused.stderr


def test_a_bundle_whose_tasks_would_look_for_other_use_cases_is_refused(checkout):
    text = (checkout / "databricks.yml").read_text()
    changed = text.replace(
        'bundle render)"\n    default: ""', 'bundle render)"\n    default: other.package'
    )
    assert changed != text
    (checkout / "databricks.yml").write_text(changed)
    for what in ("render", "check", "wheel"):
        refused = command(what, "--root", str(checkout))
        assert refused.returncode == 1
        assert "the variable use_cases is 'other.package', and the setting" in refused.stderr
