"""Commands that ask about models: reproduce, trace, card.

Arguments and showing only; what they do is in steps/.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from finance_assets.cli.common import chosen, console, guarded
from finance_assets.errors import ModelError, SettingsError
from finance_assets.settings import get_settings
from finance_assets.steps.use_case import UseCase

if TYPE_CHECKING:
    from finance_assets.ml.registry import Version
    from finance_assets.steps.step import StepContext

app = typer.Typer()
UseCaseName = Annotated[str, typer.Argument(metavar="USE_CASE")]
VersionName = Annotated[str, typer.Argument(metavar="VERSION", help="A number, or an alias.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MAX_DIGITS = 9


@app.command()
def reproduce(use_case: UseCaseName, version: VersionName) -> None:
    """Train a version again from its recorded data and recipe; exit 1 if anything differs."""
    guarded(lambda: _reproduce(one_use_case(use_case), version))


@app.command()
def trace(
    use_case: UseCaseName,
    key: Annotated[list[str], typer.Option("--key", help="column=value, as often as needed.")],
    partition: Annotated[str, typer.Option("--partition", help="Scored month, YYYY-MM.")],
    as_json: AsJson = False,
) -> None:
    """Follow a prediction back to its model, its features and the delivered lines."""
    guarded(lambda: _trace(one_use_case(use_case), key, partition, as_json))


@app.command()
def card(use_case: UseCaseName, version: VersionName) -> None:
    """Print the model card of a version, as Markdown."""
    guarded(lambda: print(_card(one_use_case(use_case), version), end=""))


def one_use_case(name: str) -> UseCase:
    """The use case of that name."""
    return next(iter(chosen(name, "USE_CASE").values()))


def open_command_context(use_case: UseCase) -> "StepContext":
    """A context outside any step, on the engine of the settings."""
    from finance_assets.compute.runner import open_context
    from finance_assets.compute.sessions import open_session

    settings = get_settings()
    if not settings.lakehouse_root.is_dir():
        raise SettingsError(
            "nothing was run here yet",
            where=str(settings.root),
            remedy="`finance-assets run`, or set FINANCE_ASSETS_HOME",
        )
    return open_context(
        settings,
        lambda: open_session(settings),
        run_id=f"cli-{use_case.name}",
        report=lambda message: console.print(f"[dim]{escape(message)}[/]"),
    )


def find_version(ctx: "StepContext", use_case: UseCase, name: str) -> "Version":
    """A version by number (`2`, `v2`) or by alias."""
    number = name.removeprefix("v")
    if not number.isdigit():
        aliases = ctx.registry.aliases(use_case.name)
        if name not in aliases:
            raise ModelError(
                f"no version has the alias {name!r}",
                where=use_case.name,
                remedy=f"a number, or one of: {', '.join(sorted(aliases)) or 'none yet'}",
            )
        number = aliases[name]
    if not number.isascii() or len(number) > MAX_DIGITS:
        raise ModelError(
            f"{name!r} is no version of a model",
            where=use_case.name,
            remedy="see `finance-assets status`",
        )
    return ctx.registry.version(use_case.name, number)


def _reproduce(use_case: UseCase, name: str) -> None:
    from finance_assets.steps.reproduction import reproduce as reproduced

    ctx = open_command_context(use_case)
    version = find_version(ctx, use_case, name)
    result = reproduced(ctx, use_case.model, use_case.calendar, version)
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
    from finance_assets.compute.runner import open_lakehouse
    from finance_assets.lakehouse.archive import DeliveryArchive
    from finance_assets.steps.tracing import trace as traced

    settings = get_settings()
    archive = DeliveryArchive(settings.archive_root, settings.archive_days)
    found = traced(open_lakehouse(settings), archive, use_case, keys, partition)
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
    from finance_assets.ml.card import render_card
    from finance_assets.steps.cards import gather_card

    ctx = open_command_context(use_case)
    return render_card(gather_card(ctx, use_case.model, find_version(ctx, use_case, name)))


def _facts(title: str, facts: dict[str, Any]) -> None:
    table = grid(title, ("", ""))
    table.show_header = False
    for name, value in facts.items():
        table.add_row(name, escape(str(value)))
    console.print(table)


def grid(title: str, names: tuple[str, ...]) -> Table:
    """An empty table whose cells fold instead of being cut."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table
