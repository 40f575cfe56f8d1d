"""`python -m benchmarks`: measure, and write JSON and page; or render the page again."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.generator import generate
from benchmarks.page import PLACE, render
from benchmarks.results import Results
from benchmarks.suite import DEFAULT, FULL, LARGE, QUICK, Plan, Suite

app = typer.Typer(no_args_is_help=True, add_completion=False)


class Size(StrEnum):
    """How much is measured."""

    quick = "quick"
    default = "default"
    large = "large"
    full = "full"


PLANS: dict[Size, Plan] = {
    Size.quick: QUICK,
    Size.default: DEFAULT,
    Size.large: LARGE,
    Size.full: FULL,
}


@app.command()
def run(
    size: Annotated[Size, typer.Argument(help="How much is measured.")] = Size.default,
    cache: Annotated[Path, typer.Option(help="Where made deliveries stay.")] = Path(".benchmarks"),
    place: Annotated[Path, typer.Option(help="Where results go.")] = PLACE,
) -> None:
    """Measure, and write results.json and the page; what was not measured again stays there."""
    results, known = Suite(PLANS[size], cache.resolve()).run(), place / "results.json"
    whole = results.over(Results.read(known)) if known.exists() else results
    whole.write(known)
    render(whole, place)
    for one in results.findings:
        typer.echo(f"{one.number}  {one.what}: {one.found} ({one.wanted}): {one.verdict}")


@app.command()
def page(place: Annotated[Path, typer.Option(help="Where the results are.")] = PLACE) -> None:
    """Render the page from results.json."""
    render(Results.read(place / "results.json"), place)


@app.command()
def deliveries(folder: Path, rows: int, seed: int = 1) -> None:
    """Make deliveries of about so many account-months."""
    generate(folder, rows, seed)


if __name__ == "__main__":
    app()
