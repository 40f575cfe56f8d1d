"""Fixtures: one Spark session for all tests, and a fresh home for each."""

import pytest

from finance_assets.compute.sessions import open_session
from finance_assets.settings import Settings, get_settings


@pytest.fixture(scope="session")
def spark():
    """The embedded engine's session, shared by every test."""
    return open_session(Settings())


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings of an empty home and an empty landing folder, in force for the whole process."""
    landing = tmp_path / "landing"
    landing.mkdir()
    monkeypatch.setenv("FINANCE_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FINANCE_ASSETS_LANDING", str(landing))
    get_settings.cache_clear()
    settings = get_settings()
    settings.prepare_home()
    yield settings
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def table_templates(tmp_path_factory, spark):
    """Homes with the tables of the first accounts, made once for all tests that ask for them."""
    from finance_assets_tests.scenario import TableTemplates

    return TableTemplates(tmp_path_factory.mktemp("templates"), spark)


@pytest.fixture
def runner(settings, spark):
    """Runs steps of credit_default in the test's own home."""
    from finance_assets_tests.scenario import Runner

    return Runner(settings, spark)
