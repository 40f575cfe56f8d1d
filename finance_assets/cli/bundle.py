"""Commands about the Databricks bundle: render the job, check the whole. No workspace is asked."""

from pathlib import Path
from typing import Annotated

import typer

from finance_assets.cli.common import chosen, console, guarded
from finance_assets.errors import SettingsError
from finance_assets.use_cases import ALL

app = typer.Typer(no_args_is_help=True, help="The Databricks bundle, offline.")
ROOT = Path(__file__).parents[2]
JOB_FILE, STORAGE_FILE = "resources/main_pipeline.job.yml", "resources/storage.yml"
Root = Annotated[Path, typer.Option("--root", help="Folder of databricks.yml.")]


@app.command()
def render(root: Root = ROOT, use_case: str = "credit_default") -> None:
    """Write the job `main_pipeline` and what it needs anew, from the asset graph and the
    variables of databricks.yml (`shape` among them).
    """

    def write() -> None:
        for name, text in _rendered(root, use_case).items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
            console.print(f"wrote {root / name}")

    guarded(write)


@app.command()
def check(root: Root = ROOT, use_case: str = "credit_default") -> None:
    """Validate databricks.yml and its resources for every target; exit 1 on any problem."""
    guarded(lambda: _check(root, use_case))


def _rendered(root: Path, use_case: str) -> dict[str, str]:
    """The rendered files by name."""
    from finance_assets.bundle.check import layers_of
    from finance_assets.bundle.render import render as rendered
    from finance_assets.bundle.render import render_storage
    from finance_assets.bundle.variables import BundleError, read_file

    try:
        bundle = read_file(root / "databricks.yml")
        return {
            JOB_FILE: rendered(chosen(use_case)[use_case], bundle),
            STORAGE_FILE: render_storage(layers_of(ALL.values()), bundle),
        }
    except BundleError as error:
        raise SettingsError(
            str(error), where=str(root), remedy="run it in a checkout, or use --root"
        ) from error


def _check(root: Path, use_case: str) -> None:
    from finance_assets.bundle.check import check_bundle

    wanted = _rendered(root, use_case)
    found = check_bundle(root, chosen(use_case)[use_case])
    for name, text in wanted.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found["files"].append(f"{name} is stale: run `finance-assets bundle render`")
    for target, problems in found.items():
        console.print(f"{target}: {'ok' if not problems else f'{len(problems)} problem(s)'}")
        for problem in problems:
            console.print(f"  - {problem}", markup=False)
    if any(found.values()):
        raise typer.Exit(1)
