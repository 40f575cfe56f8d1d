"""A PostgreSQL of its own for a test: Debian's binaries, a temporary folder, this machine alone."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from finance_assets_tests.end_to_end.live import free_port, process

USER = "finance"


def program(name: str) -> Path:
    """A program of PostgreSQL. Debian keeps servers out of PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name)
    if not places and found is None:
        missing("PostgreSQL", "postgresql")
    return places[-1] if places else Path(str(found))


def missing(what: str, package: str) -> None:
    """Skip where a program is missing; behind .ci/run, which installs it, it has to be there."""
    said = f"{what} is not installed (Debian: apt-get install {package})"
    if os.environ.get("REQUIRE_SERVERS") == "true":
        pytest.fail(said)
    pytest.skip(said)


@contextmanager
def postgres(*databases: str) -> Iterator[str]:
    """The URL of a server, without the name of a database; these databases are in it."""
    initdb, server = program("initdb"), program("postgres")
    folder, port = Path(tempfile.mkdtemp(prefix="pg")), free_port()
    # It refuses to run as root.
    other = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    if other:
        shutil.chown(folder, "nobody", "nogroup")
    try:
        command = [initdb, "-D", folder / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "-N"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **other)
        options = ["-D", folder / "data", "-h", "127.0.0.1", "-p", port, "-k", folder, "-F"]
        log = folder.with_suffix(".log")
        with process([server, *options], dict(os.environ), log, cwd=folder, **other):
            _wait_for(port)
            for name in databases:
                _create(folder, port, name)
            yield f"postgresql+psycopg2://{USER}@127.0.0.1:{port}"
        log.unlink()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL did not start")


def _create(folder: Path, port: int, name: str) -> None:
    command = [program("createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", USER, name]
    for _ in range(100):
        if subprocess.run(command, capture_output=True, cwd=folder).returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError(f"the database {name} was not made")
