"""Plots of a binary evaluation: PNG bytes by title. No numbers are made here."""

from typing import TYPE_CHECKING

from finance_assets.ml.evaluation import CANDIDATE, NAIVE
from finance_assets.ml.plots import bars, figure, png
from finance_assets.ml.tasks.binary.assessment import Assessment
from finance_assets.ml.tasks.binary.metrics import BinaryMetrics, calibration_curve, measure

if TYPE_CHECKING:
    import numpy as np

SHOWN_GROUPS = 12


def plots(
    outcome: "np.ndarray", scores: dict[str, "np.ndarray"], assessment: Assessment
) -> dict[str, bytes]:
    """ROC, calibration, lift, and how the groups fare."""
    # The rule of thumb ranks; it has no probabilities to show.
    shown = {role: score for role, score in scores.items() if role != NAIVE}
    flagged = [gap for gap in assessment.gaps if gap.threshold == assessment.threshold]
    worst = sorted(flagged, key=lambda gap: gap.ratio.value)[:SHOWN_GROUPS]
    ratios = {gap.group: gap.ratio.value for gap in worst}
    images = {
        "roc": roc(outcome, shown),
        "calibration": calibration(outcome, shown),
        "lift": lift(measure(outcome, scores[CANDIDATE])),
    }
    if ratios:
        title = "Favourable decisions, share of the best-off group's"
        images["fairness"] = bars(title, ratios, 0.8)
    return images


def roc(outcome: "np.ndarray", scores: dict[str, "np.ndarray"]) -> bytes:
    """ROC curves of several models on the same rows."""
    from sklearn.metrics import roc_auc_score, roc_curve

    drawn, axes = figure("ROC on the holdout", "false positive rate", "true positive rate")
    for name, score in scores.items():
        false_rate, true_rate, _ = roc_curve(outcome, score)
        axes.plot(false_rate, true_rate, label=f"{name} (AUC {roc_auc_score(outcome, score):.3f})")
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    axes.legend(loc="lower right")
    return png(drawn)


def calibration(outcome: "np.ndarray", scores: dict[str, "np.ndarray"]) -> bytes:
    """Rate of positives over mean score, by tenths of the rows."""
    drawn, axes = figure("Calibration on the holdout", "mean score", "rate of positives")
    for name, score in scores.items():
        curve = calibration_curve(outcome, score)
        axes.plot([c[0] for c in curve], [c[1] for c in curve], marker="o", label=name)
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    axes.legend(loc="upper left")
    return png(drawn)


def lift(metrics: BinaryMetrics) -> bytes:
    """Lift of each tenth of the rows, best scores first."""
    drawn, axes = figure("Lift by decile", "decile, highest scores first", "lift")
    axes.bar(range(1, len(metrics.lift_by_decile) + 1), metrics.lift_by_decile)
    axes.axhline(1.0, linestyle=":", color="grey")
    return png(drawn)
