"""Fixtures of the lakehouse's tests."""

import pytest

from finance_assets.lakehouse.homes import FolderHome
from finance_assets.lakehouse.store import Lakehouse
from finance_assets_tests.lakehouse.things import BOTH, ROWS, publish_rows


@pytest.fixture
def lakehouse(settings, spark):
    """Without tables."""
    return Lakehouse(FolderHome(settings.lakehouse_root), lambda: spark)


@pytest.fixture
def two_months(lakehouse):
    """Its table of things has two partitions of one publication."""
    publish_rows(lakehouse, ROWS, BOTH)
