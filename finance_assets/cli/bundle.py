"""Commands about the Databricks bundle: render the job, check the whole. No workspace is asked."""

from pathlib import Path
from typing import Annotated

import typer

from finance_assets.cli.common import chosen, console, guarded
from finance_assets.errors import SettingsError
from finance_assets.settings import Shape

app = typer.Typer(no_args_is_help=True, help="The Databricks bundle, offline.")
ROOT = Path(__file__).parents[2]
JOB_FILE = "resources/main_pipeline.job.yml"
Root = Annotated[Path, typer.Option("--root", help="Folder of databricks.yml.")]


@app.command()
def render(
    root: Root = ROOT,
    use_case: str = "credit_default",
    shape: Annotated[Shape, typer.Option(help="Compute of the tasks.")] = Shape.serverless,
) -> None:
    """Write the job `main_pipeline` anew from the asset graph."""
    from finance_assets.bundle.render import render as rendered

    def write() -> None:
        path = root / JOB_FILE
        path.parent.mkdir(exist_ok=True)
        path.write_text(rendered(chosen(use_case)[use_case], shape), encoding="utf-8")
        console.print(f"wrote {path}")

    guarded(write)


@app.command()
def check(root: Root = ROOT, use_case: str = "credit_default") -> None:
    """Validate databricks.yml and its resources for every target; exit 1 on any problem."""
    guarded(lambda: _check(root, use_case))


def _check(root: Path, use_case: str) -> None:
    from finance_assets.bundle.check import check_bundle
    from finance_assets.bundle.render import render as rendered
    from finance_assets.bundle.render import shape_of

    if not (root / "databricks.yml").exists():
        raise SettingsError(
            "there is no bundle", where=str(root), remedy="run it in a checkout, or use --root"
        )
    chosen_case = chosen(use_case)[use_case]
    found = check_bundle(root, chosen_case)
    job = root / JOB_FILE
    text = job.read_text(encoding="utf-8") if job.exists() else ""
    if text != rendered(chosen_case, shape_of(text)):
        found["files"].append(f"{JOB_FILE} is stale: run `finance-assets bundle render`")
    for target, problems in found.items():
        console.print(f"{target}: {'ok' if not problems else f'{len(problems)} problem(s)'}")
        for problem in problems:
            console.print(f"  - {problem}", markup=False)
    if any(found.values()):
        raise typer.Exit(1)
