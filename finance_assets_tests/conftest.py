"""Fixtures: one Spark session for all tests, and a fresh home for each."""

import os
import shutil

# Before OpenMP is loaded: threads that wait must not spin, or trainings of a few rows take
# seconds on a machine that has other work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Sessions on the JVM live for a minute or two: compiling their code well takes longer than it gives.
os.environ.setdefault(
    "JDK_JAVA_OPTIONS",
    "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC",
)

import pytest  # noqa: E402

from finance_assets.compute.runner import open_registry  # noqa: E402
from finance_assets.compute.sessions import open_session  # noqa: E402
from finance_assets.settings import Settings, get_settings  # noqa: E402


@pytest.fixture(scope="session")
def spark():
    """The embedded engine's session, shared by every test."""
    return open_session(Settings())


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory):
    """An empty MLflow store: making one takes seconds of migrations, copying it none."""
    home = Settings(home=tmp_path_factory.mktemp("mlflow_store"))
    home.prepare_home()
    open_registry(home).client.search_experiments()
    return home.root / "mlflow" / "mlflow.db"


@pytest.fixture
def settings(tmp_path, monkeypatch, mlflow_store):
    """Settings of an empty home and an empty landing folder, in force for the whole process."""
    landing = tmp_path / "landing"
    landing.mkdir()
    monkeypatch.setenv("FINANCE_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FINANCE_ASSETS_LANDING", str(landing))
    get_settings.cache_clear()
    settings = get_settings()
    settings.prepare_home()
    shutil.copy(mlflow_store, settings.root / "mlflow" / "mlflow.db")
    yield settings
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def homes(tmp_path_factory, spark, mlflow_store):
    """Homes that many tests begin with, made once for all processes that run tests."""
    from finance_assets_tests.scenario import HomeTemplates

    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "homes"
    root.mkdir(exist_ok=True)
    return HomeTemplates(root, spark, mlflow_store)


@pytest.fixture
def runner(settings, spark):
    """Runs steps of credit_default in the test's own home."""
    from finance_assets_tests.scenario import Runner

    return Runner(settings, spark)
