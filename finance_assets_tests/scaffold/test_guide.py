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


def test_its_options_are_those_of_the_command():
    commands = typer.main.get_command(app).commands
    known = {option for one in commands["new"].params for option in one.opts if option[0] == "-"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT))
    assert named - {"--use-case"} <= known
    assert known <= named


@pytest.mark.parametrize("command", ["new", "remove", "run", "history"])
def test_its_commands_exist(command):
    assert command in typer.main.get_command(app).commands
    assert f"finance-assets {command}" in TEXT
