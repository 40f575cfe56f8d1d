"""The JVM: whether it is there, and its jars, fetched once.

Two processes that fetch them into the same folder at once would find half of them.
"""

import os
import re
import shutil
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


def java_version() -> int:
    """Major version of the Java on the PATH, 0 without one."""
    if shutil.which("java") is None:
        return 0
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found.group(1)) if found else 0


def is_jvm_left_out() -> bool:
    """Whether tests of the JVM are skipped: where it is missing, but never in CI."""
    return not os.environ.get("CI") and java_version() < 17


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
