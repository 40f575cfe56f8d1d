"""Plots: PNG bytes for MLflow and for Dagster's metadata. No numbers are made here."""

import io
from typing import TYPE_CHECKING, Any

from finance_assets.ml.metrics import Metrics, calibration_curve

if TYPE_CHECKING:
    import numpy as np


def _figure(title: str, x_label: str, y_label: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 4.0), dpi=90, layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)
    return figure, axes


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def roc(outcome: "np.ndarray", scores: dict[str, "np.ndarray"]) -> bytes:
    """ROC curves of several models on the same rows."""
    from sklearn.metrics import roc_auc_score, roc_curve

    figure, axes = _figure("ROC on the holdout", "false positive rate", "true positive rate")
    for name, score in scores.items():
        false_rate, true_rate, _ = roc_curve(outcome, score)
        axes.plot(false_rate, true_rate, label=f"{name} (AUC {roc_auc_score(outcome, score):.3f})")
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    axes.legend(loc="lower right")
    return _png(figure)


def calibration(outcome: "np.ndarray", scores: dict[str, "np.ndarray"]) -> bytes:
    """Rate of positives over mean score, by tenths of the rows."""
    figure, axes = _figure("Calibration on the holdout", "mean score", "rate of positives")
    for name, score in scores.items():
        curve = calibration_curve(outcome, score)
        axes.plot([c[0] for c in curve], [c[1] for c in curve], marker="o", label=name)
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    axes.legend(loc="upper left")
    return _png(figure)


def lift(metrics: Metrics) -> bytes:
    """Lift of each tenth of the rows, best scores first."""
    figure, axes = _figure("Lift by decile", "decile, highest scores first", "lift")
    axes.bar(range(1, len(metrics.lift_by_decile) + 1), metrics.lift_by_decile)
    axes.axhline(1.0, linestyle=":", color="grey")
    return _png(figure)


def importance(shares: dict[str, float]) -> bytes:
    """Share of the total gain that each feature brought."""
    return bars("Importance (share of gain)", shares)


def bars(title: str, values: dict[str, float], limit: float | None = None) -> bytes:
    """Horizontal bars, longest on top, with a line at the limit."""
    ordered = sorted(values.items(), key=lambda item: item[1])
    figure, axes = _figure(title, "", "")
    axes.barh([name for name, _ in ordered], [value for _, value in ordered])
    if limit is not None:
        axes.axvline(limit, linestyle="--", color="firebrick")
    return _png(figure)
