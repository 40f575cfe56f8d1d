"""Evaluation: models on the same holdout, measured as a whole, by month and by group.

Pure functions over frames and arrays. Loading models and rows is the evaluation step's, judging
the gate's.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.assessment import (
    Assessment,
    GroupGap,
    group_gaps,
    paired_auc_gain,
    score_stability,
)
from finance_assets.ml.metrics import Metrics, measure
from finance_assets.ml.spec import ModelSpec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ALL = "all"
CANDIDATE, CHAMPION, SCORECARD, NAIVE = "candidate", "champion", "scorecard", "naive"
# A segment with fewer rows or positives has no metrics worth reading.
MIN_SEGMENT_POSITIVES = 10


@dataclass(frozen=True)
class Holdout:
    """The rows that models are measured on.

    `frame` has key, features, target and one column per protected attribute; `last_trained`
    the rows of the month before, without the attributes.
    """

    spec: ModelSpec
    frame: "pd.DataFrame"
    last_trained: "pd.DataFrame"

    @property
    def outcome(self) -> "np.ndarray":
        """1 where the event came, else 0."""
        return self.frame[self.spec.target].to_numpy("float64")

    def segments(self) -> dict[str, "np.ndarray"]:
        """Which rows belong to each month and to each group, by `attribute=value`."""
        names = [self.spec.month]
        if self.spec.protected:
            names += [attribute.name for attribute in self.spec.protected.attributes]
        found = {}
        for name in names:
            values = self.frame[name].to_numpy()
            for value in sorted(set(map(str, values))):
                found[f"{name}={value}"] = values.astype(str) == value
        return found


def measure_segments(holdout: Holdout, score: "np.ndarray") -> dict[str, Metrics]:
    """Metrics over all rows and over each segment that is large enough."""
    outcome = holdout.outcome
    measured = {ALL: measure(outcome, score)}
    for name, rows in holdout.segments().items():
        positives = int(outcome[rows].sum())
        if MIN_SEGMENT_POSITIVES <= positives < int(rows.sum()):
            measured[name] = measure(outcome[rows], score[rows])
    return measured


def assess(
    holdout: Holdout,
    scores: dict[str, "np.ndarray"],
    score_before: "np.ndarray",
    gain_shares: dict[str, float],
) -> Assessment:
    """Compare the candidate with the champion (if it was scored), with costs, groups and time.

    `score_before` are the candidate's scores of the last training month.
    """
    spec, outcome = holdout.spec, holdout.outcome
    candidate, threshold = scores[CANDIDATE], spec.costs.threshold
    gaps, small, unjudged = _groups(holdout, candidate >= threshold)
    months = holdout.frame[spec.month].to_numpy()
    by_month = {str(m): candidate[months == m].tolist() for m in sorted(set(months))}
    before = str(holdout.last_trained[spec.month].max())
    costs = {
        role: spec.costs.per_row(outcome, score >= threshold)
        for role, score in scores.items()
        # The rule of thumb ranks; its score is no probability to hold against a threshold.
        if role != NAIVE
    }
    return Assessment(
        threshold=threshold,
        threshold_reason=spec.costs.threshold_reason,
        cost_unit=spec.costs.unit,
        costs={
            **costs,
            "flag_nobody": spec.costs.per_row(outcome, outcome < 0),
            "flag_everybody": spec.costs.per_row(outcome, outcome >= 0),
        },
        auc_gain=paired_auc_gain(outcome, candidate, scores[CHAMPION])
        if CHAMPION in scores
        else None,
        stability=score_stability({before: score_before.tolist(), **by_month}),
        gaps=gaps,
        small_groups=small,
        unjudged=unjudged,
        gain_shares=gain_shares,
        repeated_rows=int(holdout.frame.duplicated(list(spec.key)).sum()),
    )


def _groups(
    holdout: Holdout, is_flagged: "np.ndarray"
) -> tuple[tuple[GroupGap, ...], dict[str, int], dict[str, str]]:
    """Gaps of every protected attribute, groups too small, and attributes that cannot be judged."""
    gaps: tuple[GroupGap, ...] = ()
    small: dict[str, int] = {}
    unjudged: dict[str, str] = {}
    protected = holdout.spec.protected
    for attribute in protected.attributes if protected else ():
        values = holdout.frame[attribute.name]
        if values.isna().any():
            unjudged[attribute.name] = f"{int(values.isna().sum())} rows without a value"
            continue
        found, too_small = group_gaps(
            attribute.name,
            values.astype(str).to_numpy(),
            holdout.outcome,
            is_flagged,
            protected.min_group_rows if protected else 0,
        )
        gaps, small = (*gaps, *found), {**small, **too_small}
        if not found:
            unjudged[attribute.name] = "fewer than two groups of enough rows"
    return gaps, small, unjudged
