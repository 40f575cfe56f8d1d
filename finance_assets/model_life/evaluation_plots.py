"""Plots of an evaluation: PNG bytes by title."""

from typing import TYPE_CHECKING

from finance_assets.ml import plots
from finance_assets.ml.assessment import Assessment
from finance_assets.ml.evaluation import CANDIDATE
from finance_assets.ml.metrics import measure

if TYPE_CHECKING:
    import numpy as np

SHOWN_GROUPS = 12


def evaluation_plots(
    outcome: "np.ndarray", scores: dict[str, "np.ndarray"], assessment: Assessment | None
) -> dict[str, bytes]:
    """ROC, calibration, lift, and how the groups fare; none if there is nothing to compare."""
    if assessment is None:
        return {}
    flagged = [gap for gap in assessment.gaps if gap.threshold == assessment.threshold]
    worst = sorted(flagged, key=lambda gap: gap.ratio.value)[:SHOWN_GROUPS]
    ratios = {gap.group: gap.ratio.value for gap in worst}
    images = {
        "roc": plots.roc(outcome, scores),
        "calibration": plots.calibration(outcome, scores),
        "lift": plots.lift(measure(outcome, scores[CANDIDATE])),
    }
    if ratios:
        title = "Favourable decisions, share of the best-off group's"
        images["fairness"] = plots.bars(title, ratios, 0.8)
    return images
