"""Plots of a regression's evaluation: PNG bytes by title. No numbers are made here."""

from typing import TYPE_CHECKING

from finance_assets.ml.evaluation import CANDIDATE, Holdout
from finance_assets.ml.plots import figure, png
from finance_assets.ml.tasks.regression.metrics import HIGH, LOW, MIDDLE

if TYPE_CHECKING:
    import numpy as np

# More rows than this nobody can tell apart.
SHOWN_ROWS = 300


def plots(holdout: Holdout, outputs: dict[str, "np.ndarray"]) -> dict[str, bytes]:
    """Forecast against outcome over time, and how errors are spread."""
    outcome = holdout.outcome
    return {
        "forecast": forecast(outcome, outputs[CANDIDATE]),
        "errors": errors(outcome, outputs),
    }


def forecast(outcome: "np.ndarray", said: "np.ndarray") -> bytes:
    """The latest rows: what came, the median, and the interval around it."""
    came, shown = outcome[-SHOWN_ROWS:], said[-SHOWN_ROWS:]
    drawn, axes = figure("Forecast on the holdout", "row, in the order of time", "target")
    places = range(len(came))
    axes.fill_between(places, shown[:, LOW], shown[:, HIGH], alpha=0.25, label="interval")
    axes.plot(places, shown[:, MIDDLE], label="forecast")
    axes.plot(places, came, color="black", linewidth=0.8, label="outcome")
    axes.legend(loc="best")
    return png(drawn)


def errors(outcome: "np.ndarray", outputs: dict[str, "np.ndarray"]) -> bytes:
    """Share of the rows that are off by no more than so much, for each model."""
    import numpy as np

    drawn, axes = figure("Absolute errors on the holdout", "absolute error", "share of the rows")
    share = np.arange(1, len(outcome) + 1) / len(outcome)
    for role, said in outputs.items():
        axes.plot(np.sort(np.abs(said[:, MIDDLE] - outcome)), share, label=role)
    axes.legend(loc="lower right")
    return png(drawn)
