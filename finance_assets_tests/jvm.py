"""Spark's JVM for tests: one that is warm, for scripts that each have a process and a Spark context
of their own.

A script's first queries cost a cold JVM some twenty seconds of a core; what the JVM has loaded and
compiled for one script it has for the next. Nothing else stays: catalog, settings and caches are the
context's, which ends with the script.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from finance_assets_tests.left_out import java_version
from finance_assets_tests.scenario import clean_environment

# As PySpark itself starts one; it ends when nobody holds its standard input any more.
GATEWAY = """
import sys
from pyspark import SparkConf
from pyspark.java_gateway import launch_gateway
from finance_assets.compute.sessions import session_config
from finance_assets.settings import Engine, Settings
settings = Settings(engine=Engine.spark, home=sys.argv[1])
given = SparkConf(loadDefaults=False).setAll(session_config(settings).items())
# What the JVM says goes to the log: nobody reads the other pipe.
parameters = launch_gateway(given, {"stdout": sys.stderr}).gateway_parameters
print(parameters.port, parameters.auth_token, flush=True)
sys.stdin.read()
"""
STOP = """
from pyspark.sql import SparkSession
SparkSession.getActiveSession().stop()
"""


def fetch_jars(environment: dict[str, str]) -> None:
    """Have Spark download Delta's jars, unless they lie in Ivy's folder already.

    Ivy's cache bears no two writers: each finds half of what the other is writing.
    """
    with FileLock(Path(tempfile.gettempdir()) / "finance_assets_jars.lock"):
        if any(Path.home().glob(".ivy2*/jars/io.delta_delta-spark*.jar")):
            return
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [sys.executable, "-c", GATEWAY, home],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=1200,
                env=environment,
            )
        assert done.returncode == 0, done.stderr[-3000:]


@dataclass
class Jvm:
    """Runs scripts on a JVM, which the first of them starts. `root`: where its log lies."""

    root: Path
    _process: subprocess.Popen | None = field(default=None, init=False)
    _address: dict[str, str] = field(default_factory=dict, init=False)

    def run(self, code: str, home: Path, landing: Path, **more: str) -> str:
        """What a script that opens a session prints. It has a process and a context of its own."""
        if self._process is None:
            self._start()
        environment = clean_environment(
            FINANCE_ASSETS_HOME=str(home),
            FINANCE_ASSETS_LANDING=str(landing),
            FINANCE_ASSETS_ENGINE="spark",
            FINANCE_ASSETS_GIT_SHA="test",
            **self._address,
            **more,
        )
        command, is_done = [sys.executable, "-c", code + STOP], False
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=1200, env=environment
            )
            is_done = done.returncode == 0
        finally:
            if not is_done:
                # A JVM bears one context, and this one may not have ended.
                self.close()
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout

    def close(self) -> None:
        """End the JVM; the next script starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self) -> None:
        environment = clean_environment()
        assert java_version() >= 17, "CI must have Java 17 or newer"
        fetch_jars(environment)
        log = self.root / "jvm.log"
        with log.open("a") as errors:
            process = subprocess.Popen(
                [sys.executable, "-c", GATEWAY, str(self.root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
                start_new_session=True,
            )
        told = process.stdout.readline().split()
        if not told:
            process.wait(timeout=60)
        assert told, log.read_text()[-3000:]
        port, secret = told
        self._process = process
        self._address = {"PYSPARK_GATEWAY_PORT": port, "PYSPARK_GATEWAY_SECRET": secret}


@contextmanager
def warm_jvm(root: Path) -> Iterator[Jvm]:
    """A JVM that is gone when the block ends."""
    jvm = Jvm(root)
    try:
        yield jvm
    finally:
        jvm.close()
