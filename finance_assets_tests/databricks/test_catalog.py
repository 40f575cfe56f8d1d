"""Steps on a workspace whose engine has a catalog: tables by name, on the JVM."""

import subprocess
import sys

import dagster as dg
import pytest

from finance_assets.assets.metadata import asset_key
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.store import RETENTION
from finance_assets.settings import get_settings
from finance_assets_tests.databricks.acting import BRONZE, SILVER, materialize
from finance_assets_tests.databricks.server import workspace as served
from finance_assets_tests.end_to_end.test_engines import needs_java
from finance_assets_tests.scenario import APRIL, deliver_sample

pytestmark = [needs_java, pytest.mark.slow, pytest.mark.jvm]


@pytest.fixture(scope="module")
def with_catalog(tmp_path_factory):
    """A stand-in with Spark and Delta on the JVM as its engine."""
    with served(tmp_path_factory.mktemp("workspace"), mlflow=False, has_catalog=True) as workspace:
        yield workspace
        assert workspace.settled() == []


@pytest.fixture
def deployed(with_catalog, tmp_path, monkeypatch):
    """Settings of a deployment whose tables are the catalog's."""
    landing = tmp_path / "landing"
    landing.mkdir()
    deliver_sample(landing, 300)
    for name, value in with_catalog.environment(
        FINANCE_ASSETS_HOME=str(tmp_path / "home"),
        FINANCE_ASSETS_LANDING=str(landing),
        FINANCE_ASSETS_CATALOG="spark_catalog",
        FINANCE_ASSETS_SCHEMA_PREFIX="dev_me_",
        FINANCE_ASSETS_GIT_SHA="test",
    ).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield with_catalog
    get_settings.cache_clear()


def test_tables_are_made_by_name_in_the_prefixed_schemas(deployed):
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(instance, BRONZE, SILVER).success
        assert instance.get_materialized_partitions(asset_key(SILVER)) == {APRIL}
        again = materialize(instance, BRONZE, SILVER)
        assert again.success
    layer, entity = SILVER.split(".")
    stored = TableHistory(SILVER, deployed.root / "warehouse" / f"dev_me_{layer}.db" / entity)
    assert stored.row_counts() == {APRIL: 300}
    assert RETENTION.items() <= stored.configuration.items()
    assert not (deployed.root / "storage" / layer).exists()


def test_the_main_job_by_name_equals_the_one_in_folders():
    """Every use case, a first candidate included, through Dagster, Databricks' API and a catalog."""
    program = [sys.executable, "-m", "finance_assets_tests.databricks.parity"]
    done = subprocess.run(
        [*program, "--catalog", "--grouped", "--accounts", "2000", "--through", "2005-06"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "full parity" in done.stdout
