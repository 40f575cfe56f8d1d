"""Commands about the Databricks bundle: render the jobs, check the whole, build the wheel. No
workspace is asked.
"""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from finance_assets.cli.common import OnlyUseCases, chosen, console, guarded
from finance_assets.errors import SettingsError
from finance_assets.settings import get_settings

app = typer.Typer(no_args_is_help=True, help="The Databricks bundle, offline.")
ROOT = Path(__file__).parents[2]
Root = Annotated[Path, typer.Option("--root", help="Folder of databricks.yml.")]


@app.command()
def render(root: Root = ROOT, use_case: OnlyUseCases = None) -> None:
    """Write a job for each use case, the job `main_pipeline` that runs them all, and what they
    need anew, from the asset graph and the variables of databricks.yml (`shape` among them).
    """

    def write() -> None:
        wanted = _rendered(root)
        for name, text in _picked(wanted, use_case).items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
            console.print(f"wrote {root / name}")
        if not use_case:
            for path in _left_over(root, wanted):
                path.unlink()
                console.print(f"removed {path}")

    guarded(write)


@app.command()
def check(root: Root = ROOT, use_case: OnlyUseCases = None) -> None:
    """Validate databricks.yml and its resources for every target; exit 1 on any problem."""
    guarded(lambda: _check(root, use_case))


@app.command()
def wheel(root: Root = ROOT) -> None:
    """Build the wheel that tasks run, into `dist` beside databricks.yml: this package, and the
    packages of use cases that the setting FINANCE_ASSETS_USE_CASES names. Deploying calls it.
    """

    def build() -> None:
        from finance_assets.compute.databricks.payload import build_wheel

        _bundle(root)
        folder = root / "dist"
        folder.mkdir(exist_ok=True)
        # Each content has a version of its own; what deploys takes every wheel that lies there.
        for other in folder.glob("finance_assets-*.whl"):
            other.unlink()
        built = build_wheel(get_settings().use_case_packages)
        console.print(f"built {shutil.copy(built, folder)}")

    guarded(build)


def _bundle(root: Path) -> dict[str, Any]:
    """databricks.yml, whose tasks look for the use cases that there are here.

    Raises:
        SettingsError: it cannot be read, or names other packages than the setting.
    """
    from finance_assets.bundle.variables import BundleError, read_file, require_packages

    try:
        bundle = read_file(root / "databricks.yml")
        require_packages(bundle, get_settings().use_case_packages)
    except BundleError as error:
        raise _refused(error, root) from error
    return bundle


def _rendered(root: Path) -> dict[str, str]:
    """Every rendered file by its name."""
    from finance_assets.bundle.render import render_all
    from finance_assets.bundle.variables import BundleError

    bundle = _bundle(root)
    try:
        return render_all(list(chosen(None).values()), bundle)
    except BundleError as error:
        raise _refused(error, root) from error


def _refused(error: Exception, root: Path) -> SettingsError:
    remedy = "correct databricks.yml or the setting; for another checkout use --root"
    return SettingsError(str(error), where=str(root), remedy=remedy)


def _picked(wanted: dict[str, str], names: list[str] | None) -> dict[str, str]:
    """Without the jobs of the other use cases; what is about all of them stays."""
    from finance_assets.bundle.render import job_file
    from finance_assets.step.names import pipeline_job_name

    picked = chosen(names)
    others = {job_file(pipeline_job_name(u)) for n, u in chosen(None).items() if n not in picked}
    return {file: text for file, text in wanted.items() if file not in others}


def _left_over(root: Path, wanted: dict[str, str]) -> list[Path]:
    """Rendered files of use cases that there are no more."""
    from finance_assets.bundle.render import HEADER

    return [
        path
        for path in sorted((root / "resources").glob("*.yml"))
        if path.relative_to(root).as_posix() not in wanted
        and path.read_text(encoding="utf-8").startswith(HEADER)
    ]


def _check(root: Path, use_case: list[str] | None) -> None:
    from finance_assets.bundle.check import check_bundle

    wanted = _rendered(root)
    found = check_bundle(root, list(chosen(None).values()), chosen(use_case))
    for name, text in _picked(wanted, use_case).items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found["files"].append(f"{name} is stale: run `finance-assets bundle render`")
    for path in _left_over(root, wanted):
        about = f"{path.name} is of a use case that there is no more"
        found["files"].append(f"{about}: run `finance-assets bundle render`")
    for target, problems in found.items():
        console.print(f"{target}: {'ok' if not problems else f'{len(problems)} problem(s)'}")
        for problem in problems:
            console.print(f"  - {problem}", markup=False)
    if any(found.values()):
        raise typer.Exit(1)
