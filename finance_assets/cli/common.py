"""What the commands share: the console, the choice of use cases, and how errors are shown."""

from collections.abc import Callable

import typer
from rich.console import Console

from finance_assets.errors import FinanceAssetsError, SettingsError, StoreError
from finance_assets.settings import get_settings
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import ALL

console = Console()
# Where nobody looks at a terminal (a log, a file), tables are better wide than cut.
if not console.is_terminal:
    console = Console(width=160)


def guarded(command: Callable[[], None]) -> None:
    """Run a command; an error that a person can act on is shown without a stack trace."""
    try:
        command()
    except Exception as error:
        shown = error if isinstance(error, FinanceAssetsError) else _of_a_store(error)
        if shown is None:
            raise
        Console(stderr=True).print(f"[red]{type(shown).__name__}[/red]", end=" ")
        Console(stderr=True, soft_wrap=True).print(str(shown), markup=False)
        raise typer.Exit(1) from error


def _of_a_store(error: BaseException) -> StoreError | None:
    """What another program's store said, as an error of ours; None for anything else."""
    settings = get_settings()
    places = {
        "mlflow": settings.tracking_uri,
        "sqlalchemy": f"{settings.tracking_uri} or {settings.dagster_home}",
        "sqlite3": f"{settings.tracking_uri} or {settings.dagster_home}",
        "dagster": str(settings.dagster_home),
        "deltalake": str(settings.lakehouse_root),
        "pyspark": settings.catalog or str(settings.lakehouse_root),
    }
    inner: BaseException | None = error
    while inner is not None:
        program = type(inner).__module__.partition(".")[0]
        if program in places:
            # The first line says what; SQL and links follow.
            return StoreError(
                f"{program} says: {str(inner).strip().partition(chr(10))[0]}",
                where=places[program],
                remedy="see that it is there, whole and reachable; restore it from a backup if not",
            )
        inner = inner.__cause__ or inner.__context__
    return None


def chosen(name: str | None, where: str = "--use-case") -> dict[str, UseCase]:
    """The use case of that name, or all.

    Raises:
        SettingsError: there is no such use case.
    """
    if name is None:
        return ALL
    if name not in ALL:
        raise SettingsError(
            f"there is no use case {name!r}",
            where=where,
            remedy=f"one of: {', '.join(ALL)}",
        )
    return {name: ALL[name]}
