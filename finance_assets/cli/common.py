"""What the commands share: the console, the choice of use cases, and how errors are shown."""

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from finance_assets.compute.stores import as_ours
from finance_assets.errors import FinanceAssetsError, SettingsError
from finance_assets.settings import get_settings
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import all_use_cases

if TYPE_CHECKING:
    from finance_assets.commands.command import Command

T = TypeVar("T")
UseCaseName = Annotated[str, typer.Argument(metavar="USE_CASE")]
VersionNumber = Annotated[
    str, typer.Argument(metavar="VERSION", help="The number of the version whose card you read.")
]
VersionName = Annotated[str, typer.Argument(metavar="VERSION", help="A number, or an alias.")]
OnlyUseCases = Annotated[
    list[str] | None,
    typer.Option("--use-case", help="Only this use case; more than once: these. Default: all."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

console = Console()
# Where nobody looks at a terminal (a log, a file), tables are better wide than cut.
if not console.is_terminal:
    console = Console(width=160)


def guarded(command: Callable[[], None]) -> None:
    """Run a command; an error that a person can act on is shown without a stack trace."""
    try:
        command()
    except Exception as error:
        # Settings that cannot be read are an error of ours already, and cannot be asked again.
        is_ours = isinstance(error, FinanceAssetsError)
        shown = error if is_ours else as_ours(error, get_settings())
        if shown is None:
            raise
        show_error(shown)
        raise typer.Exit(1) from error


def show_error(error: Exception) -> None:
    """What happened, where, and the remedy, on the standard error."""
    Console(stderr=True).print(f"[red]{type(error).__name__}[/red]", end=" ")
    Console(stderr=True, soft_wrap=True).print(str(error), markup=False)


def chosen(names: Collection[str] | None, where: str = "--use-case") -> dict[str, UseCase]:
    """The use cases of these names, in the order of all; no names: all.

    Raises:
        SettingsError: there is no such use case.
    """
    known = all_use_cases()
    for name in names or ():
        if name not in known:
            raise SettingsError(
                f"there is no use case {name!r}",
                where=where,
                remedy=f"one of: {', '.join(known)}",
            )
    return {name: one for name, one in known.items() if not names or name in names}


def one_use_case(name: str) -> UseCase:
    """The use case of that name."""
    return chosen([name], "USE_CASE")[name]


def ask(command: "Command[T]", use_case: UseCase) -> T:
    """Run a command about a use case where the settings say."""
    return ask_all(command, [use_case])[0]


def ask_all(command: "Command[T]", use_cases: Iterable[UseCase]) -> list[T]:
    """Run a command about use cases where the settings say; what goes on is told beside it."""
    from finance_assets.compute.commands import run_command

    beside = Console(stderr=True, soft_wrap=True)
    return run_command(
        command, list(use_cases), lambda text: beside.print(f"[dim]{escape(text)}[/]")
    )


def grid(title: str, names: tuple[str, ...]) -> Table:
    """An empty table whose cells fold instead of being cut."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table
