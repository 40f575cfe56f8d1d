"""The page: results as Markdown with plots beside it."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from benchmarks.measure import ROOT, median
from benchmarks.plots import plot_baselines, plot_growth
from benchmarks.results import Results

PLACE = ROOT / "docs" / "benchmarks"
NUMBERS = range(1, 10)


def render(results: Results, place: Path = PLACE) -> None:
    """Write README.md and the plots."""
    environment = Environment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    template = environment.from_string(Path(__file__).with_name("page.md.j2").read_text())
    notes = place / "what_is_left.md"
    known = {finding.number for finding in results.findings}
    text = template.render(
        r=results,
        median=median,
        whole=sum(results.profile.values()) or 1.0,
        missing=", ".join(f"goal {number}" for number in NUMBERS if number not in known),
        notes=notes.read_text() if notes.exists() else "",
    )
    place.mkdir(parents=True, exist_ok=True)
    (place / "README.md").write_text(text.rstrip() + "\n")
    plot_baselines(results, place / "baselines.svg")
    plot_growth(results, place / "growth.svg")
