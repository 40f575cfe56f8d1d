"""Ready: what a process needs before it runs use cases: the libraries, and stores that are there.

Stores are made and migrated here, by one process of a home at a time: neither Dagster nor MLflow
expects company while it makes its tables.
"""

import contextlib
import importlib
import logging
import sqlite3
import warnings
from typing import TYPE_CHECKING

from filelock import FileLock

from finance_assets.settings import Compute, Settings

if TYPE_CHECKING:
    import dagster as dg

# Making both stores takes some seconds, also on a machine that has other work.
LOCK_SECONDS = 300


def open_instance(settings: Settings) -> "dg.DagsterInstance":
    """The home's Dagster instance; its databases are made and migrated first."""
    import dagster as dg

    with _alone(settings):
        return dg.DagsterInstance.get()


def prepare_registry(settings: Settings) -> None:
    """Make and migrate the home's MLflow store; a store elsewhere is its server's business."""
    if settings.mlflow_tracking_uri or settings.compute is not Compute.local:
        return
    from finance_assets.compute.runner import open_registry

    _quieten()
    with _alone(settings):
        open_registry(settings).client.search_experiments(max_results=1)
        # Whoever reads then keeps nobody from writing. It stays so; if somebody else has the
        # file open right now, the next run makes it so.
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(sqlite3.connect(settings.root / "mlflow" / "mlflow.db")) as store,
        ):
            store.execute("PRAGMA journal_mode=WAL")


def import_libraries() -> None:
    """Import what training needs before anything runs, on this thread, and keep it quiet.

    A second thread would win two seconds; but it can meet the steps' own imports half way round a
    circle (pyspark, mlflow, pandas), and a run then fails with half a module.
    A failed import fails again in the step that needs it.
    """
    _quieten()
    # The first two let MLflow talk again when they are imported: before it is told not to.
    mlflow = ("mlflow.pyfunc", "mlflow.xgboost", "dagster_mlflow")
    for name in (*mlflow, "xgboost", "sklearn.metrics", "matplotlib.figure"):
        # OSError: a library that lacks a part of the system.
        with contextlib.suppress(ImportError, OSError):
            importlib.import_module(name)
    # MLflow's own lines would run through the progress bars.
    from mlflow.utils.logging_utils import disable_logging

    disable_logging()


def _quieten() -> None:
    """Keep other libraries' chatter out of the progress display."""
    # MLflow says by its own handlers what it does to its store; importing it sets them.
    with contextlib.suppress(ImportError):
        importlib.import_module("mlflow.store.db.utils")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.simplefilter("ignore")


def _alone(settings: Settings) -> contextlib.AbstractContextManager[object]:
    return FileLock(settings.root / ".preparing.lock", timeout=LOCK_SECONDS)
