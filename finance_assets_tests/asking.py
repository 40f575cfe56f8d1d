"""Asking: commands in this process. What only asks needs no process of its own, which takes three
seconds of a core to begin.
"""

import os
from collections.abc import Mapping
from unittest import mock

from click.testing import Result
from typer.testing import CliRunner

from finance_assets.cli.main import app
from finance_assets.settings import get_settings

OURS = ("FINANCE_ASSETS_", "DAGSTER_")


def invoked(environment: Mapping[str, str], *arguments: str) -> Result:
    """What a command came to, with these settings and no others."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    ours = {name: value for name, value in environment.items() if name.startswith(OURS)}
    get_settings.cache_clear()
    try:
        # A command sets DAGSTER_HOME itself.
        with mock.patch.dict(os.environ, {**others, **ours}, clear=True):
            return CliRunner().invoke(app, list(arguments))
    finally:
        get_settings.cache_clear()


def asked(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command says that must succeed."""
    done = invoked(environment, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout
