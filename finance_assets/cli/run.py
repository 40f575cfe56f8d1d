"""Run: take use cases through their partitions on the local instance, and show how far it is.

What a partition runs is play.py's business; how several use cases run at a time, side_by_side.py's.
"""

import time
from functools import partial

from finance_assets.cli.common import console, show_error
from finance_assets.cli.display import Display
from finance_assets.cli.side_by_side import Workers, biggest_first, room
from finance_assets.cli.status import show_status
from finance_assets.errors import FinanceAssetsError
from finance_assets.settings import Compute, Engine, Settings, get_settings
from finance_assets.step.arguments import require_partition
from finance_assets.step.use_case import UseCase


def run_use_cases(chosen: dict[str, UseCase], through: str | None) -> None:
    """Run them, several at a time where that is faster, then show what there is.

    Raises:
        SettingsError: `through` is no partition of one of them.
        FinanceAssetsError: what kept the last of those from it that failed; the others are shown.
    """
    started = time.monotonic()
    settings = get_settings()
    for use_case in chosen.values():
        if through is not None:
            require_partition(use_case.calendar, through, "--through")
    settings.prepare_home()
    if _at_a_time(chosen, settings) > 1:
        failures = _run_side_by_side(chosen, through, settings)
    else:
        failures = _run_one_by_one(chosen, through, settings)
    if settings.compute is Compute.databricks:
        place = settings.catalog or settings.databricks.storage
        console.print(
            f"\n{time.monotonic() - started:.1f} s. The tables lie in {place} of the workspace\n"
            "Next: [bold]make dev[/bold] shows these runs, with the pages of their remote runs."
        )
        _fail_with(failures)
        return
    show_status(chosen)
    console.print(
        f"\n{time.monotonic() - started:.1f} s. State lies in {settings.root}\n"
        "Next: [bold]make dev[/bold] shows these runs in the Dagster UI, "
        "[bold]make mlflow[/bold] the models, [bold]finance-assets status --json[/bold] all of it."
    )
    _fail_with(failures)


def _at_a_time(chosen: dict[str, UseCase], settings: Settings) -> int:
    """How many use cases run at a time: as many as there is room for, on the embedded engine.

    A JVM takes gigabytes and all cores by itself; on Databricks one run at a time is what a
    workspace is asked for.
    """
    is_here = settings.compute is Compute.local and settings.engine is Engine.sail
    return min(room(), len(chosen)) if is_here else 1


def _run_side_by_side(
    chosen: dict[str, UseCase], through: str | None, settings: Settings
) -> list[FinanceAssetsError]:
    """Run them in processes of their own; what failed."""
    names = biggest_first(chosen, settings)
    with Workers(names, through, _at_a_time(chosen, settings)) as workers:
        with console.status("loading the asset graph"):
            _prepare(settings)
        with Display(console, several=True) as display:
            return workers.run(display, lambda: _end_left_behind(settings))


def _run_one_by_one(
    chosen: dict[str, UseCase], through: str | None, settings: Settings
) -> list[FinanceAssetsError]:
    """Run them in this process; one that fails does not keep the others from it. What failed."""
    # Imported here: Dagster and the definitions take seconds that `status` does not need.
    with console.status("loading the asset graph"):
        from finance_assets.cli.play import play_use_case
        from finance_assets.cli.ready import import_libraries, open_instance
        from finance_assets.definitions import defs

        import_libraries()
        _prepare(settings)
    failures = []
    with open_instance(settings) as instance:
        for name, use_case in chosen.items():
            with Display(console, several=False) as display:
                try:
                    play_use_case(defs, instance, use_case, through, partial(display.show, name))
                    continue
                except FinanceAssetsError as error:
                    failure = error
            display.fail(name, failure)
            failures.append(failure)
    return failures


def _prepare(settings: Settings) -> None:
    """Make the stores that are not there yet, and tidy up after processes that were killed."""
    from finance_assets.cli.ready import prepare_registry

    prepare_registry(settings)
    _end_left_behind(settings)


def _end_left_behind(settings: Settings) -> None:
    from finance_assets.automation.runs import end_left_behind
    from finance_assets.cli.ready import open_instance

    with open_instance(settings) as instance:
        for run_id in end_left_behind(instance, settings):
            console.print(f"run {run_id} was killed: it is marked as failed now")


def _fail_with(failures: list[FinanceAssetsError]) -> None:
    """End with the failures, in full, after what was done was shown."""
    for failure in failures[:-1]:
        show_error(failure)
    if failures:
        raise failures[-1]
