"""Commands on Databricks: a person's command as the task of one run, and what comes back."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from finance_assets.commands.command import Command
from finance_assets.compute.databricks.client import RunClient
from finance_assets.compute.databricks.interrupts import INTERRUPTS
from finance_assets.compute.databricks.pipes import Person
from finance_assets.compute.databricks.runs import RemoteRunError
from finance_assets.compute.databricks.watch import StepFailedError
from finance_assets.compute.databricks.work import of_command
from finance_assets.compute.databricks.workspace import me, open_workspace
from finance_assets.errors import SettingsError, revived
from finance_assets.settings import DatabricksSettings, Settings
from finance_assets.step.use_case import UseCase

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

T = TypeVar("T")
RECORDED = "see `finance-assets history` first: the change may have been recorded before"


def run_remotely(
    settings: Settings,
    command: Command[T],
    use_cases: Sequence[UseCase],
    run_id: str,
    report: Callable[[str], None],
) -> list[T]:
    """Run a command for each use case, all in one run; what comes back, in their order.

    However it ends, no run of it goes on. A run that is asked for again behind our back changes
    nothing twice: what it records carries `run_id`.

    Raises:
        FinanceAssetsError: the command failed with it.
        RemoteRunError: the run failed otherwise, was lost, or was interrupted.
    """
    client = RunClient(settings, _opened(settings.databricks))
    submitter = me(settings.databricks, client.workspace) if command.is_change else None
    work = of_command(settings, command, use_cases, run_id, submitter)
    try:
        found = dict(client.stream(Person(run_id, report), work))
    except StepFailedError as error:
        told = error.message
        where = f"{told.where} (on Databricks, {error.page})"
        raise revived(told.type, told.what, where, told.remedy) from error
    except RemoteRunError as error:
        remedy = f"{RECORDED}. Else: {error.remedy}" if command.is_change else error.remedy
        raise RemoteRunError(
            error.what, where=error.where, remedy=remedy, trace=error.trace
        ) from error
    except INTERRUPTS as error:
        raise RemoteRunError(
            "interrupted; its run was cancelled",
            where=f"{command.name} on Databricks",
            remedy=RECORDED if command.is_change else "nothing was changed; ask again",
        ) from error
    return [found[use_case.name] for use_case in use_cases]


def _opened(settings: DatabricksSettings) -> "WorkspaceClient":
    """The workspace.

    Raises:
        SettingsError: nothing says who we are.
    """
    try:
        return open_workspace(settings)
    except ValueError as error:
        raise SettingsError(
            str(error).partition("\n")[0],
            where="DATABRICKS_HOST and credentials, of the environment or a profile",
            remedy="log in as yourself (OAuth, or a token of your own); then "
            "`finance-assets databricks doctor`",
        ) from error
