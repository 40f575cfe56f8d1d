"""Which use cases a command is about: all, or those that a person names."""

import json

import pytest
from typer.testing import CliRunner

from finance_assets.cli.main import app
from finance_assets.use_cases import all_use_cases

NAMES = list(all_use_cases())


@pytest.mark.parametrize("named", [NAMES, NAMES[-1:], NAMES[:2][::-1]])
def test_a_command_is_about_every_use_case_that_is_named(named, tmp_path, monkeypatch):
    monkeypatch.setenv("FINANCE_ASSETS_HOME", str(tmp_path))
    options = [word for name in named for word in ("--use-case", name)]
    shown = CliRunner().invoke(app, ["status", "--json", *options])
    assert set(json.loads(shown.output)["use_cases"]) == set(named)
