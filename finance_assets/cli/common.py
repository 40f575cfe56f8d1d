"""What the commands share: the console, the choice of use cases, and how errors are shown."""

from collections.abc import Callable

import typer
from rich.console import Console

from finance_assets.errors import FinanceAssetsError, SettingsError
from finance_assets.steps.use_case import UseCase
from finance_assets.use_cases import ALL

console = Console()
# Where nobody looks at a terminal (a log, a file), tables are better wide than cut.
if not console.is_terminal:
    console = Console(width=160)


def guarded(command: Callable[[], None]) -> None:
    """Run a command; an error that a person can act on is shown without a stack trace."""
    try:
        command()
    except FinanceAssetsError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/red]", end=" ")
        Console(stderr=True, soft_wrap=True).print(str(error), markup=False)
        raise typer.Exit(1) from error


def chosen(name: str | None) -> dict[str, UseCase]:
    """The use case of that name, or all.

    Raises:
        SettingsError: there is no such use case.
    """
    if name is None:
        return ALL
    if name not in ALL:
        raise SettingsError(
            f"there is no use case {name!r}",
            where="--use-case",
            remedy=f"one of: {', '.join(ALL)}",
        )
    return {name: ALL[name]}
