"""Commands about a Databricks workspace: `doctor` asks it before anything is spent, `cost` counts
what will be.
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from finance_assets.cli.common import chosen, console, guarded
from finance_assets.errors import SettingsError
from finance_assets.settings import get_settings

app = typer.Typer(no_args_is_help=True, help="A Databricks workspace.")


@app.callback()
def main() -> None:
    """A Databricks workspace: what there is, and what is missing."""


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    role: Annotated[str, typer.Option(help="orchestrator, readers or approvers.")] = "orchestrator",
) -> None:
    """Find out what would fail later for you in your role; starts nothing. Exit 1 if anything is
    amiss.
    """
    guarded(lambda: _doctor(as_json, role))


@app.command()
def cost(
    start_minutes: Annotated[float, typer.Option(help="Until a run works.", min=0)] = 0.5,
    work_minutes: Annotated[float, typer.Option(help="Of one step.", min=0)] = 0.5,
) -> None:
    """Print what one partition of each use case starts, and its paid minutes, as Markdown."""
    from finance_assets.cli.cost import minutes_table, table

    use_cases = chosen(None).values()
    print(table(use_cases), minutes_table(use_cases, start_minutes, work_minutes), sep="\n\n")


def _doctor(as_json: bool, role: str) -> None:
    from finance_assets.compute.databricks.doctor import Finding, examine

    try:
        findings = [Finding("settings", True, "they fit together")]
        findings += examine(get_settings(), chosen(None).values(), role)
    except SettingsError as error:
        findings = [Finding("settings", False, f"{error.where}: {error.what}", error.remedy)]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        table = Table()
        for name in ("check", "", "found", "remedy"):
            table.add_column(name, overflow="fold")
        for one in findings:
            mark = "[green]well[/]" if one.is_well else "[red]amiss[/]"
            table.add_row(one.check, mark, one.text, one.remedy)
        console.print(table)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)
