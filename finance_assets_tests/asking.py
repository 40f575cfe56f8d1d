"""Asking: commands in this process. What only asks needs no process of its own, which takes three
seconds of a core to begin.
"""

import os
from collections.abc import Mapping

import pytest
from click.testing import Result
from typer.testing import CliRunner

from finance_assets.cli.main import app
from finance_assets.settings import get_settings

OURS = ("FINANCE_ASSETS_", "DAGSTER_")


def invoked(environment: Mapping[str, str], *arguments: str) -> Result:
    """What a command came to, with these settings and no others."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OURS)]:
            patch.delenv(name)
        for name in (name for name in environment if name.startswith(OURS)):
            patch.setenv(name, environment[name])
        get_settings.cache_clear()
        done = CliRunner().invoke(app, list(arguments))
    get_settings.cache_clear()
    return done


def asked(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command says that must succeed."""
    done = invoked(environment, *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout
