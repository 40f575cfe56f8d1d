"""Plots: PNG bytes for MLflow and for Dagster's metadata. No numbers are made here."""

import io
from typing import Any


def figure(title: str, x_label: str, y_label: str) -> tuple[Any, Any]:
    """An empty figure with its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.0), dpi=90, layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
    return figure, axes


def png(drawn: Any) -> bytes:
    """The figure as PNG."""
    import matplotlib.image
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # `savefig` draws everything twice, to lay it out first; the first time that is done anyway.
    canvas, buffer = FigureCanvasAgg(drawn), io.BytesIO()
    canvas.draw()
    matplotlib.image.imsave(buffer, canvas.buffer_rgba(), format="png", dpi=drawn.dpi)
    return buffer.getvalue()


def importance(shares: dict[str, float]) -> bytes:
    """Share of the total gain that each feature brought."""
    return bars("Importance (share of gain)", shares)


def bars(title: str, values: dict[str, float], limit: float | None = None) -> bytes:
    """Horizontal bars, longest on top, with a line at the limit."""
    ordered = sorted(values.items(), key=lambda item: item[1])
    drawn, axes = figure(title, "", "")
    axes.barh([name for name, _ in ordered], [value for _, value in ordered])
    if limit is not None:
        axes.axvline(limit, linestyle="--", color="firebrick")
    return png(drawn)


def heat_map(title: str, values: dict[str, dict[str, float]], limit: float) -> bytes:
    """A row a name, a column a partition; as dark as the figure is near the limit, or beyond."""
    import numpy as np

    columns = sorted({column for row in values.values() for column in row})
    cells = np.array([[row.get(c, np.nan) for c in columns] for row in values.values()])
    drawn, axes = figure(title, "", "")
    axes.grid(visible=False)
    image = axes.imshow(cells, aspect="auto", cmap="Reds", vmin=0, vmax=limit)
    axes.set_yticks(range(len(values)), list(values), fontsize=7)
    axes.set_xticks(range(len(columns)), columns, rotation=60, fontsize=7)
    drawn.colorbar(image, ax=axes, extend="max")
    return png(drawn)


def shares(title: str, series: dict[str, list[float]]) -> bytes:
    """Shares by bin of several distributions over the same bins."""
    drawn, axes = figure(title, "bin (0: missing)", "share of rows")
    for name, values in series.items():
        axes.step(range(len(values)), values, where="mid", label=name)
    axes.legend()
    return png(drawn)


def reliability(points: list[tuple[float, float]]) -> bytes:
    """Plot what came over what the model said."""
    drawn, axes = figure("Reliability", "said", "came")
    said, came = zip(*points, strict=True)
    axes.plot(said, came, marker="o")
    ends = [min(*said, *came), max(*said, *came)]
    axes.plot(ends, ends, linestyle=":", color="grey")
    return png(drawn)


def over_time(title: str, series: dict[str, dict[str, tuple[float, float, float]]]) -> bytes:
    """A figure by partition with its interval."""
    drawn, axes = figure(title, "", "")
    names = sorted({name for points in series.values() for name in points})
    for place, (label, points) in enumerate(series.items()):
        at = [names.index(name) + 0.1 * place for name in points]
        middle = [value for value, _, _ in points.values()]
        below = [max(value - low, 0.0) for value, low, _ in points.values()]
        above = [max(high - value, 0.0) for value, _, high in points.values()]
        axes.errorbar(at, middle, yerr=[below, above], marker="o", capsize=3, label=label)
    axes.set_xticks(range(len(names)), names, rotation=60, fontsize=7)
    axes.legend()
    return png(drawn)
