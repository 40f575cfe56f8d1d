"""The guide docs/use_as_template.md names what there is."""

import re
from pathlib import Path

import pytest
import typer.main

import finance_assets
from finance_assets.cli.main import app

GUIDE = Path(finance_assets.__file__).parents[1] / "docs" / "use_as_template.md"
TEXT = GUIDE.read_text()


def test_its_links_lead_to_files_that_exist():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 5
    for link in links:
        assert (GUIDE.parent / link).exists(), link


def _options(*names):
    commands = typer.main.get_command(app).commands
    return {
        opt for name in names for one in commands[name].params for opt in one.opts if opt[0] == "-"
    }


def test_it_names_every_option_of_new_and_none_that_no_command_has():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT))
    assert _options("new") <= named
    assert named <= _options("new", "run", "history")


@pytest.mark.parametrize("command", ["new", "remove", "run", "history"])
def test_its_commands_exist(command):
    assert command in typer.main.get_command(app).commands
    assert f"finance-assets {command}" in TEXT
