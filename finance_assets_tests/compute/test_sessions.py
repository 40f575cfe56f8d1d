"""What the sessions of the local engines are configured with."""

import os
import subprocess
import sys

import pytest

from finance_assets.compute.sessions import IDLE_LIMIT, IDLE_SECONDS, session_config
from finance_assets.settings import Engine, Settings
from finance_assets_tests.scenario import clean_environment


@pytest.mark.parametrize(("cores", "at_once"), [(16, 16), (1, 2)])
def test_the_jvm_works_on_every_core_and_cuts_rows_as_on_any_machine(
    tmp_path, monkeypatch, cores, at_once
):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr("shutil.which", lambda name: name)
    config = session_config(Settings(engine=Engine.spark, home=tmp_path))
    assert config["spark.master"] == f"local[{at_once}]"
    assert config["spark.default.parallelism"] == "2"
    assert config["spark.sql.shuffle.partitions"] == "4"


IDLE = """
import os, time
from finance_assets.compute.sessions import open_session
from finance_assets.settings import Settings
session = open_session(Settings())
session.range(1).count()
time.sleep(4)
print(os.environ["SAIL_SPARK__SESSION_TIMEOUT_SECS"], session.range(3).count())
"""


def test_a_session_outlives_a_step_that_does_not_ask_the_engine_for_long(tmp_path):
    """A training, say. With two seconds, Sail forgets it: so the name is the one it reads."""

    def waited(**limits):
        environment = clean_environment(FINANCE_ASSETS_HOME=str(tmp_path), **limits)
        return subprocess.run(
            [sys.executable, "-c", IDLE], env=environment, capture_output=True, text=True
        )

    assert "is not running" in waited(**{IDLE_LIMIT: "2"}).stderr
    assert waited().stdout.split()[-2:] == [IDLE_SECONDS, "3"]
    assert int(IDLE_SECONDS) > 7 * 24 * 3600


def test_the_embedded_engine_is_no_server_that_a_client_may_lose(spark):
    """Each statement would take two threads and a call more."""
    assert spark.client._use_reattachable_execute is False
