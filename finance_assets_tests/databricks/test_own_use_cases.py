"""A use case of one's own runs on the workspace, where nobody installed it: its code goes along."""

import shutil
import sys

import pytest

from finance_assets.settings import get_settings
from finance_assets.use_cases import all_use_cases
from finance_assets_tests import scenario
from finance_assets_tests.databricks.acting import failure_of, materialize, rows
from finance_assets_tests.outside import CUSTOMERS, MONTHS, write_package

pytestmark = pytest.mark.slow
# Of the use case that ships.
SHIPPED = scenario.BRONZE
BRONZE, SILVER = "bronze.calls_customer_deliveries", "silver.calls_customers"


@pytest.fixture
def outside(workspace, tmp_path, monkeypatch):
    """A use case in a package that only this process can import, and its deliveries."""
    place = write_package(tmp_path / "code", "outside_own", "calls")
    shutil.copytree(place / "samples", get_settings().landing / "calls")
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.setenv("FINANCE_ASSETS_USE_CASES", "outside_own.cases")
    get_settings.cache_clear()
    yield all_use_cases()["calls"]
    for module in [m for m in sys.modules if m.startswith("outside_own")]:
        del sys.modules[module]


def test_its_steps_run_as_tasks(outside, instance, runs):
    for key in (BRONZE, SILVER):
        result = materialize(instance, key, partition=MONTHS[0])
        assert result.success, failure_of(result).description
        [run] = runs(key)
        [task] = run.tasks.values()
        given = task.spec["python_wheel_task"]["parameters"]
        assert "use_cases=outside_own.cases" in given
        assert rows(key)[MONTHS[0]] == CUSTOMERS


def libraries_of(run):
    """The libraries of a run's only task."""
    [task] = run.tasks.values()
    return task.spec["libraries"]


def test_they_run_on_a_cluster_that_has_installed_the_package_without_them(
    outside, instance, runs, monkeypatch
):
    """The wheel with them has another version: pip would not take the same one again."""
    monkeypatch.setenv("FINANCE_ASSETS_DATABRICKS_SHAPE", "existing_cluster")
    monkeypatch.setenv("FINANCE_ASSETS_DATABRICKS_CLUSTER_ID", "0101-abc")
    for packages, key, partition in (
        ("", SHIPPED, scenario.APRIL),
        ("outside_own.cases", BRONZE, MONTHS[0]),
        ("", SHIPPED, scenario.APRIL),
    ):
        monkeypatch.setenv("FINANCE_ASSETS_USE_CASES", packages)
        get_settings.cache_clear()
        result = materialize(instance, key, partition=partition)
        assert result.success, failure_of(result).description
    assert libraries_of(runs(SHIPPED)[0]) != libraries_of(runs(BRONZE)[0])
