"""Plots of results: bars against the baselines, and growth over sizes."""

from pathlib import Path
from typing import Any

from benchmarks.measure import median
from benchmarks.results import Results

NAMES = {
    "tables": "this pipeline",
    "bare": "bare script, same engine",
    "polars": "Polars + delta-rs",
    "templates": "PySpark + Delta, JVM",
}
# What the pipeline may take of a baseline's time.
GOALS = {"bare": 1.15, "polars": 1.3, "templates": 1 / 4}
COLOURS = dict(zip(NAMES, ("#1f6f8b", "#9aa5b1", "#d9a441", "#b5651d"), strict=True))


def plot_baselines(results: Results, path: Path) -> None:
    """Seconds of each command at the largest size that all were measured at; dashed lines say
    where the pipeline should be at most.
    """
    sizes = [one.rows for one in results.runs if one.command == "polars"]
    rows = max(sizes, default=0)
    seconds = {
        name: median(results.runs_of(name, rows)) for name in NAMES if results.runs_of(name, rows)
    }
    figure, axes = _figure(f"Table steps, {rows:,} rows, six months")
    axes.barh(
        [NAMES[n] for n in seconds], list(seconds.values()), color=[COLOURS[n] for n in seconds]
    )
    for name, share in GOALS.items():
        if name in seconds:
            axes.axvline(seconds[name] * share, color=COLOURS[name], linestyle="--")
    axes.invert_yaxis()
    axes.set_xlabel("seconds; dashed: the goal against the baseline of that colour")
    _save(figure, path)


def plot_growth(results: Results, path: Path) -> None:
    """Seconds over rows, both logarithmic; the dotted line grows as rows do."""
    figure, axes = _figure("Growth")
    for name in NAMES:
        sizes = sorted({one.rows for one in results.runs if one.command == name})
        if sizes:
            taken = [median(results.runs_of(name, rows)) for rows in sizes]
            axes.plot(sizes, taken, marker="o", color=COLOURS[name], label=NAMES[name])
            if name == "tables":
                linear = [taken[0] * rows / sizes[0] for rows in sizes]
                axes.plot(sizes, linear, color="grey", linestyle=":", label="linear")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("account-months")
    axes.set_ylabel("seconds")
    axes.legend()
    _save(figure, path)


def _figure(title: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    import matplotlib

    # The same figures give the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "benchmarks"}):
        figure.savefig(path, metadata={"Date": None})
