"""The scorecard: a logistic regression on binned features, trained beside every candidate.

It is the simple, explainable model that a candidate has to beat: points per bin, readable as a
table, kept as JSON. It never becomes champion.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.monitoring.reference import choose_edges

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class ScorecardFeature:
    """A feature's bin edges, and the log-odds of each bin; the first bin is 'missing'."""

    name: str
    edges: tuple[float, ...]
    log_odds: tuple[float, ...]


@dataclass(frozen=True)
class Scorecard:
    """Intercept and features, in log-odds."""

    intercept: float
    features: tuple[ScorecardFeature, ...]

    def predict(self, frame: "pd.DataFrame") -> "np.ndarray":
        """Probability of the target for each row."""
        import numpy as np

        total = np.full(len(frame), self.intercept)
        for feature in self.features:
            bins = _bins(frame[feature.name].to_numpy("float64"), feature.edges)
            total += np.asarray(feature.log_odds)[bins]
        return np.asarray(1 / (1 + np.exp(-total)))


def fit_scorecard(frame: "pd.DataFrame", features: tuple[str, ...], target: str) -> Scorecard:
    """Fit on every row of the frame."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    values = {name: frame[name].to_numpy("float64") for name in features}
    edges = {name: choose_edges(values[name]) for name in features}
    widths = [len(edges[name]) + 2 for name in features]
    starts = np.cumsum([0, *widths])
    # One 1 per row and feature, written in place: blocks side by side would hold all rows twice.
    design, rows = np.zeros((len(frame), starts[-1])), np.arange(len(frame))
    for name, start in zip(features, starts, strict=False):
        design[rows, start + _bins(values[name], edges[name])] = 1.0
    # Newton's method: a few passes over many rows and few columns, and no random start.
    model = LogisticRegression(C=1.0, solver="newton-cholesky")
    model.fit(design, frame[target].to_numpy())
    weights = np.split(model.coef_[0], starts[1:-1])
    return Scorecard(
        float(model.intercept_[0]),
        tuple(
            ScorecardFeature(name, edges[name], tuple(float(w) for w in weight))
            for name, weight in zip(features, weights, strict=True)
        ),
    )


def _bins(values: "np.ndarray", edges: tuple[float, ...]) -> "np.ndarray":
    """0 for missing, 1 below the first edge, and so on."""
    import numpy as np

    found = np.searchsorted(np.asarray(edges), values, side="right") + 1
    return np.where(np.isnan(values), 0, found)
