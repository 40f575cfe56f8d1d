"""Commands: run one where the tables are. Here, or as a task of one run on Databricks.

The task's entry point calls `run_here` on the cluster, so there is one path to what a command
does, whoever asks from wherever.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

from finance_assets.commands.command import Command
from finance_assets.compute.runner import open_context
from finance_assets.compute.sessions import open_session
from finance_assets.errors import SettingsError
from finance_assets.lakehouse.homes import home_of
from finance_assets.model_life.people import acting_user, is_same_person
from finance_assets.settings import Compute, Settings, get_settings
from finance_assets.step.declaration import StepContext
from finance_assets.step.use_case import UseCase

T = TypeVar("T")
Report = Callable[[str], None]


def run_command(command: Command[T], use_cases: Sequence[UseCase], report: Report) -> list[T]:
    """Run a command for each use case where the settings say; what comes back, in their order.

    Args:
        command: what to do.
        use_cases: about what; on Databricks one run does all of them.
        report: told what goes on meanwhile.
    """
    settings, run_id = get_settings(), f"cli-{uuid.uuid4().hex}"
    if settings.compute is Compute.databricks:
        # Imported here: it brings databricks-sdk, which a command here does not need.
        from finance_assets.compute.databricks.commands import run_remotely

        return run_remotely(settings, command, use_cases, run_id, report)
    found = [run_here(command, one, settings, run_id, report) for one in use_cases]
    # Through JSON and back as from afar, so that a result is the same from everywhere.
    return [command.result_of(command.result_record(result)) for result in found]


def run_here(
    command: Command[T],
    use_case: UseCase,
    settings: Settings,
    run_id: str,
    report: Report,
    submitter: str | None = None,
) -> T:
    """Run a command on the engine of the settings. `submitter`: whom the run has to act as.

    Raises:
        SettingsError: nothing was run here yet, or the run acts as somebody else.
    """
    if command.needs_models:
        require_used(settings)
    ctx = open_context(settings, lambda: open_session(settings), run_id=run_id, report=report)
    if submitter is not None:
        _require_submitter(ctx, submitter)
    return command.run(ctx, use_case)


def require_used(settings: Settings) -> None:
    """Refuse where nothing was ever run: looking would make the stores that it looks into.

    A home whose lakehouse was deleted was used.

    Raises:
        SettingsError: there is neither a lakehouse nor Dagster's log.
    """
    home = home_of(settings)
    if not home.needs_engine and not home.root.is_dir() and not settings.dagster_home.is_dir():
        raise SettingsError(
            "nothing was run here yet",
            where=str(settings.storage or settings.root),
            remedy="`finance-assets run`, or set FINANCE_ASSETS_HOME",
        )


def _require_submitter(ctx: StepContext, submitter: str) -> None:
    """Refuse to act as anybody but the one who submitted the run: their name would be recorded."""
    acting = acting_user(ctx)
    if not is_same_person(acting, submitter):
        raise SettingsError(
            f"{submitter} submitted this run, but it acts as {acting}",
            where="the run's identity (run_as), or the cluster's",
            remedy="use serverless, or compute that runs as whoever submits to it",
        )
