"""What the sessions of the local engines are configured with."""

import os

import pytest

from finance_assets.compute.sessions import session_config
from finance_assets.settings import Engine, Settings


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
