"""Plots: PNG bytes for MLflow and for Dagster's metadata. No numbers are made here."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

# A plot in inches, its letters in points, and how wide a letter is for its height, amply.
WIDTH, HEIGHT, LETTERS, SMALL = 5.2, 4.0, 10.0, 7.0
LETTER = 0.65 / 72


def figure(
    title: str,
    x_label: str,
    y_label: str,
    *,
    names: Iterable[str] = ("0.0000",),
    letters: float = LETTERS,
    below: float = 0.5,
) -> tuple[Any, Any]:
    """An empty figure with its axes.

    `names` stand left of the axes, in letters of this size, or smaller ones if they are long;
    `below`: inches for what stands there. Room is made by their lengths: matplotlib's own layout
    draws all of it twice, to see.
    """
    from matplotlib.figure import Figure

    longest = max([1, *map(len, names)])
    letters = min(letters, 0.55 * WIDTH / (longest * LETTER))
    left, below = 0.25 + longest * letters * LETTER, min(below, 0.4 * HEIGHT)
    left += 0.25 if y_label else 0.0
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=90)
    axes = figure.add_axes(
        (
            left / WIDTH,
            below / HEIGHT,
            (WIDTH - left - 0.2) / WIDTH,
            (HEIGHT - below - 0.4) / HEIGHT,
        )
    )
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.tick_params(axis="y", labelsize=letters)
    # Over the whole figure: it may be longer than the axes are wide.
    size = min(12.0, (WIDTH - 0.2) / (max(len(title), 1) * LETTER))
    figure.suptitle(title, fontsize=size, y=1 - 0.1 / HEIGHT)
    axes.grid(alpha=0.3)
    return figure, axes


def png(drawn: Any) -> bytes:
    """The figure as PNG."""
    import matplotlib.image
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # `savefig` would draw everything twice.
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
    drawn, axes = figure(title, "", "", names=values, below=0.35)
    axes.barh([name for name, _ in ordered], [value for _, value in ordered])
    if limit is not None:
        axes.axvline(limit, linestyle="--", color="firebrick")
    return png(drawn)


def heat_map(title: str, values: dict[str, dict[str, float]], limit: float) -> bytes:
    """A row a name, a column a partition; as dark as the figure is near the limit, or beyond."""
    import numpy as np

    columns = sorted({column for row in values.values() for column in row})
    cells = np.array([[row.get(c, np.nan) for c in columns] for row in values.values()])
    drawn, axes = figure(title, "", "", names=values, letters=SMALL, below=_upright(columns))
    axes.grid(visible=False)
    image = axes.imshow(cells, aspect="auto", cmap="Reds", vmin=0, vmax=limit)
    axes.set_yticks(range(len(values)), list(values))
    axes.set_xticks(range(len(columns)), columns, rotation=60, fontsize=SMALL)
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
    names = sorted({name for points in series.values() for name in points})
    drawn, axes = figure(title, "", "", below=_upright(names))
    for place, (label, points) in enumerate(series.items()):
        at = [names.index(name) + 0.1 * place for name in points]
        middle = [value for value, _, _ in points.values()]
        below = [max(value - low, 0.0) for value, low, _ in points.values()]
        above = [max(high - value, 0.0) for value, _, high in points.values()]
        axes.errorbar(at, middle, yerr=[below, above], marker="o", capsize=3, label=label)
    axes.set_xticks(range(len(names)), names, rotation=60, fontsize=SMALL)
    axes.legend()
    return png(drawn)


def _upright(names: Sequence[str]) -> float:
    """Inches below the axes for small names that stand nearly upright."""
    return 0.25 + max(map(len, names), default=0) * SMALL * LETTER
