"""The JVM's jars: fetched once, before two processes fetch them into the same folder at once."""

import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

FETCH = """
from finance_assets.compute.sessions import open_session
from finance_assets.settings import Engine, Settings
import sys
open_session(Settings(engine=Engine.spark, home=sys.argv[1]))
"""


def fetch_jars(environment: dict[str, str]) -> None:
    """Have Spark download Delta's jars, unless they lie in Ivy's folder already.

    Ivy's cache bears no two writers: each finds half of what the other is writing.
    """
    temporary = Path(tempfile.gettempdir())
    with FileLock(temporary / "finance_assets_jars.lock"):
        if any(Path.home().glob(".ivy2*/jars/io.delta_delta-spark*.jar")):
            return
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [sys.executable, "-c", FETCH, home],
                capture_output=True,
                text=True,
                timeout=1200,
                env=environment,
            )
        assert done.returncode == 0, done.stderr[-3000:]
