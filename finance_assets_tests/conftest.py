"""Fixtures: one Spark session for all tests, and a fresh home for each; and the order of files."""

import os
import shutil
from pathlib import Path

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
from finance_assets.garbage import collect_rarely  # noqa: E402
from finance_assets.settings import Settings, get_settings  # noqa: E402

collect_rarely()

# Files of these folders, and these files, take a minute or more: they begin first, so that no process
# is left with one of them when the others have nothing more to do.
LONG = (
    *("end_to_end", "databricks", "scaffold", "model_life", "use_cases", "own_use_cases"),
    *("bundle", "monitoring", "steps", "test_regression.py", "test_time.py", "test_baseline.py"),
)


def pytest_collection_modifyitems(items):
    """Long files first, where several processes share them; otherwise as they were asked for. What
    the machine lacks something for is skipped.
    """
    from finance_assets_tests.left_out import left_out

    here = Path(__file__).parent

    def place(item):
        folder = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        return LONG.index(folder) if folder in LONG else len(LONG)

    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=place)
    skipped = left_out({mark.name for item in items for mark in item.iter_markers()})
    for item in items:
        for name in skipped:
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(skipped[name]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `--dist=loadfile`: files that share what is dear go to the same process."""
    from finance_assets_tests.distribution import ByFile

    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def hurried():
    """What each of a thousand homes would cost these processes, and proves nothing."""
    from finance_assets_tests.hurry import one_commit, unsynced

    with one_commit(), unsynced():
        yield


@pytest.fixture(scope="session")
def spark():
    """The embedded engine's session, shared by every test."""
    return open_session(Settings())


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory):
    """An empty MLflow store: making one takes seconds of migrations, copying it none."""
    from finance_assets_tests.hurry import one_revision

    home = Settings(home=tmp_path_factory.mktemp("mlflow_store"))
    home.prepare_home()
    with one_revision():
        open_registry(home).client.search_experiments()
        yield home.root / "mlflow" / "mlflow.db"


@pytest.fixture(scope="session")
def jvm(tmp_path_factory):
    """Spark's JVM, shared by every test that runs a script on it."""
    from finance_assets_tests.jvm import warm_jvm

    with warm_jvm(tmp_path_factory.mktemp("jvm")) as jvm:
        yield jvm


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
    """Runs steps of the use case in the test's own home."""
    from finance_assets_tests.scenario import Runner

    return Runner(settings, spark)
