"""Steps on a workspace whose engine has a catalog: tables by name, on the JVM.

That they equal those in folders: test_governance.py.
"""

import dagster as dg
import pytest

from finance_assets.assets.metadata import asset_key
from finance_assets.lakehouse.folder import FolderTable
from finance_assets.lakehouse.store import RETENTION
from finance_assets.settings import get_settings
from finance_assets_tests.databricks.acting import materialize
from finance_assets_tests.jvm import needs_java
from finance_assets_tests.scenario import (
    APRIL,
    BRONZE,
    SILVER,
    deliver_sample,
)

pytestmark = [needs_java, pytest.mark.slow, pytest.mark.jvm]


@pytest.fixture
def with_catalog(catalog_workspace):
    """The workspace without what an earlier test left in it."""
    catalog_workspace.reset()
    return catalog_workspace


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
    stored = FolderTable(SILVER, deployed.root / "warehouse" / f"dev_me_{layer}.db" / entity)
    assert stored.row_counts() == {APRIL: 300}
    assert RETENTION.items() <= stored.configuration.items()
    assert not (deployed.root / "storage" / layer).exists()
