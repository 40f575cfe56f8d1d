"""The command that shows rejected rows. Arguments and showing only."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from finance_assets.cli.common import (
    AsJson,
    UseCaseName,
    ask,
    console,
    grid,
    guarded,
    one_use_case,
)
from finance_assets.step.use_case import UseCase

if TYPE_CHECKING:
    from finance_assets.commands.rejects import Rejected

app = typer.Typer()


@app.command()
def rejects(
    use_case: UseCaseName,
    partition: Annotated[str, typer.Option("--partition", help="Delivered partition.")],
    table: Annotated[str | None, typer.Option(help="Only this table.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show why rows of a partition were rejected, and the rows, accepted or refused."""
    guarded(lambda: _rejects(one_use_case(use_case), partition, table, limit, as_json))


def _rejects(
    use_case: UseCase, partition: str, table: str | None, limit: int, as_json: bool
) -> None:
    from finance_assets.commands.rejects import Rejects

    found = ask(Rejects(partition, table, limit), use_case)
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        _show(one)


def _show(found: "Rejected") -> None:
    state = "in quarantine" if found.is_accepted else "rejected: refused, or not refined yet"
    console.print(f"[bold]{found.table}[/] {found.partition}: {found.rows:,} rows {state}")
    if not found.rows:
        return
    table = grid("Reasons", ("reason", "rows"))
    for reason in found.reasons:
        table.add_row(escape(reason.reason), f"{reason.rows:,}")
    console.print(table)
    for row in found.examples:
        console.print(f"{escape(row.file)}:{row.line} {escape('; '.join(row.reasons))}")
        values = ", ".join(f"{name}={value!r}" for name, value in row.values.items())
        shown = row.malformed if row.malformed is not None else values
        console.print(f"  {escape(shown)}", highlight=False, soft_wrap=True)
    if found.rows > len(found.examples):
        from finance_assets.commands.rejects import MAX_ROWS

        console.print(f"{found.rows - len(found.examples):,} more: --limit (at most {MAX_ROWS:,})")
