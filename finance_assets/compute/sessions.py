"""Sessions: what a Spark session of each local engine needs, as plain configuration.

Building the session from it is dagster-pyspark's job (assets/resources.py) or, outside Dagster,
`open_session`'s.
"""

import os
import shutil
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from finance_assets.errors import SettingsError
from finance_assets.settings import Engine, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Small data on few cores: Spark's default of 200 shuffle partitions is all overhead.
LOCAL_PARTITIONS = "4"
IN_UTC = {"spark.sql.session.timeZone": "UTC"}
# For each call on a frame PySpark finds the line that made it, and looks for IPython. Errors of the
# engine do not name that line, then.
WITHOUT_CALLERS = {"spark.python.sql.dataFrameDebugging.enabled": "false"}

# Sail forgets a session that nobody asked for 15 minutes, and a training may take longer than that.
# Ours is this process's alone, and ends with it.
IDLE_LIMIT, IDLE_SECONDS = "SAIL_SPARK__SESSION_TIMEOUT_SECS", "31536000"
# Where the numbers of a Parquet file are alike but for one that is none, Sail 0.7.2 reads that one
# as the others: statistics do not count it.
STATISTICS = "SAIL_EXECUTION__COLLECT_STATISTICS"
# The server stops when its object is collected.
_RUNNING: list[object] = []


def session_config(settings: Settings) -> dict[str, str]:
    """Spark configuration of the engine; starts the embedded server on its first call.

    A cluster's session is there already, configured by whoever made it; but what a text says as a
    time, and the day that a time falls on, must not depend on that.

    Raises:
        SettingsError: the engine needs Java 17 or newer, and there is none.
    """
    if settings.engine is Engine.cluster:
        return IN_UTC
    if settings.engine is Engine.sail:
        return {"spark.remote": _sail_address(), **WITHOUT_CALLERS, **IN_UTC}
    return _jvm_config(settings)


def open_session(settings: Settings) -> "SparkSession":
    """The engine's session, without Dagster."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder
    for key, value in session_config(settings).items():
        builder = builder.config(key, value)
    return without_reattaching(builder.getOrCreate(), settings)


def without_reattaching(session: "SparkSession", settings: Settings) -> "SparkSession":
    """The session; with Sail, which runs in this very process, it cannot lose its server.

    To be able to attach to a running statement again costs two threads and a call for each.
    """
    if settings.engine is Engine.sail:
        session.client.disable_reattachable_execute()
    return session


@lru_cache
def _sail_address() -> str:
    """Start Sail in this process, once; it ends with the process."""
    # At the default level Sail writes a line per session to the user's terminal, and the client
    # two screens for every commit race that publish rides out.
    os.environ.setdefault("RUST_LOG", "error")
    os.environ.setdefault("SPARK_CONNECT_LOG_LEVEL", "CRITICAL")
    os.environ.setdefault(IDLE_LIMIT, IDLE_SECONDS)
    os.environ[STATISTICS] = "false"
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _RUNNING.append(server)
    _, port = server.listening_address
    return f"sc://127.0.0.1:{port}"


def _jvm_config(settings: Settings) -> dict[str, str]:
    """PySpark on the JVM with the Delta jars that belong to the installed delta-spark."""
    if shutil.which("java") is None:
        raise SettingsError(
            "engine=spark needs Java 17 or newer, and `java` is not on the PATH",
            where="FINANCE_ASSETS_ENGINE",
            remedy="install a JDK, or use FINANCE_ASSETS_ENGINE=sail",
        )
    from delta import configure_spark_with_delta_pip
    from pyspark.sql import SparkSession

    # Spark would start its workers with the PATH's python3, which need not have our packages.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = configure_spark_with_delta_pip(SparkSession.builder)
    return {
        "spark.jars.packages": builder._options["spark.jars.packages"],  # noqa: SLF001
        # As many tasks at once as there are cores; two workers of a distributed training need two.
        "spark.master": f"local[{max(2, os.cpu_count() or 2)}]",
        # How rows are cut must not follow the cores: sums of doubles depend on it.
        "spark.default.parallelism": "2",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "3g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **WITHOUT_CALLERS,
        **IN_UTC,
        "spark.sql.shuffle.partitions": LOCAL_PARTITIONS,
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": str(settings.root / "spark-warehouse"),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Staged files become the table's: with the type that Delta has for a time.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    }
