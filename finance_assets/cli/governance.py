"""Commands that ask about models: reproduce, trace, card.

Arguments and showing only; what they do is in commands/.
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from finance_assets.cli.common import (
    AsJson,
    UseCaseName,
    VersionName,
    ask,
    console,
    grid,
    guarded,
    one_use_case,
)
from finance_assets.step.use_case import UseCase

app = typer.Typer()


@app.command()
def reproduce(use_case: UseCaseName, version: VersionName) -> None:
    """Train a version again from its recorded data and recipe; exit 1 if anything differs."""
    guarded(lambda: _reproduce(one_use_case(use_case), version))


@app.command()
def trace(
    use_case: UseCaseName,
    key: Annotated[list[str], typer.Option("--key", help="column=value, as often as needed.")],
    partition: Annotated[str, typer.Option("--partition", help="Scored partition.")],
    as_json: AsJson = False,
) -> None:
    """Follow a prediction back to its model, its features and the delivered lines."""
    guarded(lambda: _trace(one_use_case(use_case), key, partition, as_json))


@app.command()
def card(use_case: UseCaseName, version: VersionName) -> None:
    """Print the model card of a version, as Markdown."""
    guarded(lambda: print(_card(one_use_case(use_case), version), end=""))


def _reproduce(use_case: UseCase, name: str) -> None:
    from finance_assets.commands.models import Reproduce

    result = ask(Reproduce(name), use_case)
    table = grid(f"{use_case.name} v{result.version}", ("compared", "recorded", "now", ""))
    for one in result.comparisons:
        verdict = "[green]same[/]" if one.is_same else "[red]differs[/]"
        if not one.is_same and not one.is_decisive:
            verdict = "[yellow]differs[/]"
        table.add_row(one.what, one.recorded[:24], one.found[:24], verdict)
    console.print(table)
    for obstacle in result.obstacles:
        console.print(f"[red]{escape(obstacle)}[/]")
    if not result.is_reproduced:
        differing = [c.what for c in result.comparisons if not c.is_same]
        console.print(f"[red]not reproduced[/]; differing: {', '.join(differing) or 'nothing'}")
        raise typer.Exit(1)
    console.print("[green]reproduced[/]: same model, same predictions, same metrics")


def _trace(use_case: UseCase, keys: list[str], partition: str, as_json: bool) -> None:
    from finance_assets.commands.models import Trace

    found = ask(Trace(tuple(keys), partition), use_case)
    if as_json:
        print(json.dumps(asdict(found), indent=2, default=str))
        return
    shown = {k: v for k, v in found.prediction.items() if v is not None}
    _facts("Prediction", shown)
    for event in found.events:
        passed = sum(verdict.is_passed for verdict in event.report.verdicts)
        console.print(
            f"v{event.model_version} {event.event} by {escape(event.decided_by)}, in force from "
            f"{event.effective_from}; gate: {passed} of {len(event.report.verdicts)} criteria "
            f"passed; trained from {event.dataset_version}"
        )
    features = found.tables[0]
    for inputs in features.rows:
        _facts(f"Features ({features.table}@{features.version})", dict(inputs))
    table = grid("Rests on", ("table", "partition", "version", "run", "rows"))
    for one in found.tables:
        row = (one.table, one.partition, str(one.version), one.run_id[:8], str(len(one.rows)))
        table.add_row(*row)
    console.print(table)
    for one in found.tables:
        for line in one.delivered:
            console.print(f"{escape(line.file)}:{line.line} (sha256 {one.sha256[:12]})")
            console.print(f"  {escape(line.text or '')}", highlight=False, soft_wrap=True)
            if line.problem:
                console.print(f"  [red]{escape(line.problem)}[/]")


def _card(use_case: UseCase, name: str) -> str:
    from finance_assets.commands.models import Card

    return ask(Card(name), use_case)


def _facts(title: str, facts: dict[str, object]) -> None:
    table = grid(title, ("", ""))
    table.show_header = False
    for name, value in facts.items():
        table.add_row(name, escape(str(value)))
    console.print(table)
