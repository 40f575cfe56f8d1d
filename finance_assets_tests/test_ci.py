"""What CI runs: without the servers that tests need it is red; a laptop goes on and says why."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / ".ci" / "run"
# A machine that has neither server, and whose packages cannot be had.
STUBS = {"ls": "exit 1", "timeout": "exit 1", "id": "echo 0", "make": 'echo "make $1"'}


@pytest.fixture
def bare(tmp_path):
    """A PATH with nothing but stand-ins."""
    shell = shutil.which("bash")
    for name, does in STUBS.items():
        (tmp_path / name).write_text(f"#!{shell}\n{does}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
    return tmp_path


def ran(bare, **environment):
    shell = shutil.which("bash")
    return subprocess.run(
        [shell, RUN], env={"PATH": str(bare), **environment}, capture_output=True, text=True
    )


def test_ci_without_a_database_and_a_browser_is_red(bare):
    done = ran(bare, CI="true")
    assert done.returncode != 0
    assert "no run of CI goes without their tests" in done.stderr
    assert done.stdout == ""


def test_elsewhere_what_needs_them_is_skipped_with_the_reason(bare):
    done = ran(bare)
    assert done.returncode == 0, done.stderr
    assert "their tests are skipped" in done.stderr
    assert done.stdout.split("\n")[:2] == ["make lint", "make test"]


@pytest.mark.parametrize(
    ("dotenv", "environment", "home"),
    [
        ("", {}, "/.finance_assets"),
        ("FINANCE_ASSETS_HOME=/from/dotenv\n", {}, "/from/dotenv"),
        ("FINANCE_ASSETS_HOME=/from/dotenv\n", {"FINANCE_ASSETS_HOME": "/from/env"}, "/from/env"),
    ],
    ids=["nothing", "dotenv", "environment"],
)
def test_make_takes_the_home_that_the_commands_take(tmp_path, dotenv, environment, home):
    shutil.copy(RUN.parents[1] / "Makefile", tmp_path)
    (tmp_path / ".env").write_text(dotenv)
    said = subprocess.run(
        ["make", "-n", "clean"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip().endswith(f'{home}"')
