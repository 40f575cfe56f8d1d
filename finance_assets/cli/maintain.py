"""The command that maintains tables. Arguments and showing only."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from finance_assets.cli.common import (
    AsJson,
    OnlyUseCases,
    ask_all,
    chosen,
    console,
    grid,
    guarded,
)
from finance_assets.step.use_case import UseCase

if TYPE_CHECKING:
    from finance_assets.commands.maintain import Maintenance
    from finance_assets.lakehouse.maintenance import Maintained

app = typer.Typer()


@app.command()
def maintain(
    use_case: OnlyUseCases = None,
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Merge small files, delete what no version names and deliveries past their days, checkpoint.

    Rows stay as they are. FINANCE_ASSETS_ARCHIVE_DAYS says for how long deliveries are kept.
    """
    guarded(lambda: _maintain(chosen(use_case), is_dry_run, as_json))


def _maintain(use_cases: dict[str, UseCase], is_dry_run: bool, as_json: bool) -> None:
    from finance_assets.commands.maintain import Maintain

    found = dict(zip(use_cases, ask_all(Maintain(is_dry_run), use_cases.values()), strict=True))
    if as_json:
        print(json.dumps({name: asdict(one) for name, one in found.items()}, indent=2))
    else:
        for name, one in found.items():
            _show(name, one)
    if any(one.problems for one in found.values()):
        raise typer.Exit(1)


def _show(name: str, found: "Maintenance") -> None:
    said = " (dry run: nothing was changed)" if found.is_dry_run else ""
    deleting = "would be deleted" if found.is_dry_run else "deleted"
    names = ("table", "version", "files", "bytes", "to merge", deleting, "made")
    table = grid(f"Maintenance of {name}{said}", names)
    for one in found.tables:
        table.add_row(*_cells(one))
    console.print(table)
    if found.staging:
        console.print(f"staged by steps that died, {deleting}: {len(found.staging)}")
    if found.deliveries:
        console.print(f"kept deliveries whose days are over, {deleting}: {len(found.deliveries)}")
    for problem in found.problems:
        console.print(f"[yellow]{escape(problem)}[/]")


def _cells(one: "Maintained") -> tuple[str, ...]:
    deleted = "the engine's" if one.deleted is None else str(one.deleted.files)
    made = [("checkpoint", one.is_checkpointed), ("index", one.is_indexed)]
    return (
        one.table,
        _change(one.version_before, one.version_after),
        _change(one.before.files, one.after.files),
        _change(one.before.bytes, one.after.bytes),
        "the engine's" if one.to_merge is None else str(one.to_merge),
        deleted,
        ", ".join(name for name, is_made in made if is_made),
    )


def _change(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} → {after:,}"
