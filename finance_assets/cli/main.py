"""The commands: `run` and `status`, and the UIs on the same state."""

import contextlib
import json
import logging
import os
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from finance_assets.cli import bundle, champion, databricks, governance, rejects
from finance_assets.cli.common import ask_all, chosen, console, guarded
from finance_assets.settings import Compute, get_settings
from finance_assets.step.arguments import require_partition
from finance_assets.step.use_case import UseCase
from finance_assets.use_cases import ALL

if TYPE_CHECKING:
    import dagster as dg

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(governance.app)
app.add_typer(rejects.app)
app.add_typer(champion.app)
app.add_typer(bundle.app, name="bundle")
app.add_typer(databricks.app, name="databricks")


@app.callback()
def main() -> None:
    """A strict, provable Data + ML pipeline. State lies under FINANCE_ASSETS_HOME."""


@app.command()
def run(
    use_case: Annotated[str | None, typer.Option(help="Only this use case.")] = None,
    through: Annotated[str | None, typer.Option(help="Last partition.")] = None,
) -> None:
    """Take the use cases through their partitions: tables, scoring, drift, retraining."""
    guarded(lambda: _run(chosen(use_case), through))


@app.command()
def status(
    use_case: Annotated[str | None, typer.Option(help="Only this use case.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the lakehouse and the registry hold."""
    guarded(lambda: _status(chosen(use_case), as_json))


@app.command()
def dictionary() -> None:
    """Print the data dictionary, as Markdown."""
    from finance_assets.cli.dictionary import data_dictionary

    print(data_dictionary(ALL), end="")


@app.command()
def dev() -> None:
    """Open the Dagster UI on the instance that `run` writes to."""
    guarded(lambda: _become(["dagster", "dev", "-m", "finance_assets.definitions"]))


@app.command()
def mlflow() -> None:
    """Open MLflow's UI on the store that `run` writes to."""
    guarded(lambda: _become(["mlflow", "ui", "--backend-store-uri", get_settings().tracking_uri]))


def _become(command: list[str]) -> None:
    """Replace this process by another program of the same environment."""
    settings = get_settings()
    settings.prepare_home()
    os.environ["FINANCE_ASSETS_HOME"] = str(settings.root)
    program = Path(sys.executable).with_name(command[0])
    os.execv(program, [str(program), *command[1:]])


def _run(chosen: dict[str, UseCase], through: str | None) -> None:
    started = time.monotonic()
    settings = get_settings()
    for use_case in chosen.values():
        if through is not None:
            require_partition(use_case.calendar, through, "--through")
    settings.prepare_home()
    # Imported here: Dagster and the definitions take seconds that `status` does not need.
    with console.status("loading the asset graph"):
        import dagster as dg

        from finance_assets.definitions import defs

    _quieten()
    threading.Thread(target=_warm_up, daemon=True).start()
    with dg.DagsterInstance.get() as instance:
        for use_case in chosen.values():
            _run_use_case(defs, instance, use_case, through)
    if settings.compute is Compute.databricks:
        place = settings.catalog or settings.databricks.storage
        console.print(
            f"\n{time.monotonic() - started:.1f} s. The tables lie in {place} of the workspace\n"
            "Next: [bold]make dev[/bold] shows these runs, with the pages of their remote runs."
        )
        return
    _status(chosen, as_json=False)
    console.print(
        f"\n{time.monotonic() - started:.1f} s. State lies in {settings.root}\n"
        "Next: [bold]make dev[/bold] shows these runs in the Dagster UI, "
        "[bold]make mlflow[/bold] the models, [bold]finance-assets status --json[/bold] all of it."
    )


def _quieten() -> None:
    """Keep other libraries' chatter out of the progress display."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.simplefilter("ignore")


def _warm_up() -> None:
    """Import the model libraries while the first tables are built: cold, they take seconds.

    Imports only: MLflow's store is created with alembic, whose context is global to the process,
    while Dagster migrates its own stores. A failed import fails again in the step that needs it.
    """
    import importlib

    with contextlib.suppress(ImportError):
        for name in ("lightgbm", "sklearn.metrics", "matplotlib.figure", "dagster_mlflow"):
            importlib.import_module(name)
        # MLflow's own lines would run through the progress bars.
        from mlflow.utils.logging_utils import disable_logging

        disable_logging()


def _run_use_case(
    defs: "dg.Definitions",
    instance: "dg.DagsterInstance",
    use_case: UseCase,
    through: str | None,
) -> None:
    from finance_assets.cli.play import Progress as Told
    from finance_assets.cli.play import play_partition

    partitions = use_case.calendar.through(through)
    steps = len(use_case.pipeline_steps)
    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[now]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        for partition in partitions:
            task = bar.add_task(f"{use_case.name} {partition}", total=steps, now="starting")

            def on_step(_: str, key: str, event: str, task: TaskID = task) -> None:
                if event == "STEP_START":
                    bar.update(task, now=key)
                elif event == "STEP_SUCCESS":
                    bar.advance(task)

            def on_sensor(at: str, text: str) -> None:
                bar.console.print(f"  sensor after {at}: {text}", highlight=False)

            play_partition(defs, instance, use_case, partition, Told(on_step, on_sensor))
            bar.update(task, now="done", completed=steps)


def _status(chosen: dict[str, UseCase], as_json: bool) -> None:
    from finance_assets.cli.render import render_use_case
    from finance_assets.commands.status import Status

    states = dict(zip(chosen, ask_all(Status(), chosen.values()), strict=True))
    if as_json:
        print(json.dumps({"use_cases": states}, indent=2))
        return
    for name, facts in states.items():
        render_use_case(console, name, facts)


if __name__ == "__main__":
    app()
