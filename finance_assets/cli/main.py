"""The commands: `run` and `status`, and the UIs on the same state."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from finance_assets.cli import (
    bundle,
    champion,
    databricks,
    governance,
    maintain,
    new,
    rejects,
    retrain,
)
from finance_assets.cli.common import OnlyUseCases, chosen, guarded
from finance_assets.garbage import collect_rarely
from finance_assets.settings import get_settings
from finance_assets.use_cases import all_use_cases

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(governance.app)
app.add_typer(rejects.app)
app.add_typer(maintain.app)
app.add_typer(champion.app)
app.add_typer(retrain.app)
app.add_typer(new.app)
app.add_typer(bundle.app, name="bundle")
app.add_typer(databricks.app, name="databricks")


@app.callback()
def main() -> None:
    """A strict, provable Data + ML pipeline. State lies under FINANCE_ASSETS_HOME."""
    collect_rarely()


@app.command()
def run(
    use_case: OnlyUseCases = None,
    through: Annotated[str | None, typer.Option(help="Last partition.")] = None,
) -> None:
    """Take the use cases through their partitions: tables, scoring, drift, retraining."""
    from finance_assets.cli.run import run_use_cases

    guarded(lambda: run_use_cases(chosen(use_case), through))


@app.command()
def status(
    use_case: OnlyUseCases = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the lakehouse and the registry hold."""
    from finance_assets.cli.status import show_status

    guarded(lambda: show_status(chosen(use_case), as_json))


@app.command()
def dictionary() -> None:
    """Print the data dictionary, as Markdown."""
    from finance_assets.cli.dictionary import data_dictionary

    print(data_dictionary(all_use_cases()), end="")


@app.command()
def dev(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster UI on the instance that `run` writes to, with the daemon behind it.

    It has no login: who reaches the port can run and change everything. Think before --host.
    """
    guarded(lambda: _dev(host, port))


@app.command()
def mlflow() -> None:
    """Open MLflow's UI on the store that `run` writes to."""
    guarded(lambda: _become(["mlflow", "ui", "--backend-store-uri", get_settings().tracking_uri]))


def _dev(host: str, port: int) -> None:
    settings = get_settings()
    settings.prepare_home()
    import dagster as dg

    from finance_assets.automation.runs import end_left_behind

    with dg.DagsterInstance.get() as instance:
        end_left_behind(instance, settings)
    # What alerts link to, unless it is set: where this listens.
    os.environ.setdefault("FINANCE_ASSETS_DAGSTER_UI_URL", f"http://{host}:{port}")
    place = ["--host", host, "--port", str(port)]
    _become(["dagster", "dev", "-m", "finance_assets.definitions", *place])


def _become(command: list[str]) -> None:
    """Replace this process by another program of the same environment."""
    settings = get_settings()
    settings.prepare_home()
    os.environ["FINANCE_ASSETS_HOME"] = str(settings.root)
    program = Path(sys.executable).with_name(command[0])
    os.execv(program, [str(program), *command[1:]])


if __name__ == "__main__":
    app()
