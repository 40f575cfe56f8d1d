"""Evaluation: models on the same holdout, measured as a whole, by month and by group.

Pure functions over frames and arrays. Loading models and rows is the evaluation step's, judging
the gate's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.assessment import Assessment, score_stability
from finance_assets.ml.estimates import auc_gain, mean_difference
from finance_assets.ml.groups import GroupGap, compare_groups
from finance_assets.ml.metrics import Metrics, measure, recalibrate
from finance_assets.ml.probes import alone, repetition, unique_gains
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

    `frame` has key, features, target and one column per protected attribute; `trained` the rows
    of the training months, without the attributes.
    """

    spec: ModelSpec
    frame: "pd.DataFrame"
    trained: "pd.DataFrame"

    @property
    def last_trained(self) -> "pd.DataFrame":
        """The rows of the last training month."""
        months = self.trained[self.spec.month]
        last: pd.DataFrame = self.trained[months == months.max()]
        return last

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
    reseeded: Sequence["np.ndarray"] = (),
) -> Assessment:
    """Compare the candidate with every other role that was scored, with costs, groups and time.

    `score_before` are the candidate's scores of the last training month, `reseeded` the scores
    that retrainings of its recipe with other seeds give the holdout (see reseeding.py).
    """
    spec, outcome, frame = holdout.spec, holdout.outcome, holdout.frame
    candidate = scores[CANDIDATE]
    gaps, small, unjudged = _groups(holdout, candidate)
    costs = _costs(spec, outcome, scores)
    return Assessment(
        threshold=spec.flagged_from,
        threshold_reason=spec.flagged_reason,
        cost_unit=spec.costs.unit,
        costs={role: float(cost.mean()) for role, cost in costs.items()},
        cost_gaps={
            role: mean_difference(costs[CANDIDATE], cost)
            for role, cost in costs.items()
            if role != CANDIDATE
        },
        gains={
            role: auc_gain(outcome, candidate, score, reseeded if role == CHAMPION else ())
            for role, score in scores.items()
            if role != CANDIDATE
        },
        recalibration=recalibrate(outcome, candidate),
        stability=_stability(holdout, score_before, candidate),
        gaps=gaps,
        small_groups=small,
        unjudged=unjudged,
        gain_shares=gain_shares,
        naive=spec.naive,
        alone=alone(frame, spec.feature_names, outcome),
        unique=unique_gains(holdout.trained, frame, spec.feature_names, spec.target),
        repetition=repetition(holdout.trained, frame, spec.month, spec.feature_names),
        repeated_rows=int(frame.duplicated(list(spec.key)).sum()),
    )


def _stability(holdout: Holdout, before: "np.ndarray", score: "np.ndarray") -> dict[str, float]:
    """Population stability index of the score from month to month, from the last trained one on."""
    name = holdout.spec.month
    months = holdout.frame[name].to_numpy()
    by_month = {str(m): score[months == m].tolist() for m in sorted(set(months))}
    last_trained = str(holdout.last_trained[name].max())
    return score_stability({last_trained: before.tolist(), **by_month})


def _costs(
    spec: ModelSpec, outcome: "np.ndarray", scores: dict[str, "np.ndarray"]
) -> dict[str, "np.ndarray"]:
    """What deciding by each role, by flagging nobody or everybody, costs at each row."""
    # The rule of thumb ranks; its score is no probability to hold against a threshold.
    decided = {role: score >= spec.flagged_from for role, score in scores.items() if role != NAIVE}
    decided |= {"flag_nobody": outcome < 0, "flag_everybody": outcome >= 0}
    return {role: spec.costs.each_row(outcome, flagged) for role, flagged in decided.items()}


def _groups(
    holdout: Holdout, score: "np.ndarray"
) -> tuple[tuple[GroupGap, ...], dict[str, int], dict[str, str]]:
    """Gaps at every threshold in use, groups too small, and attributes that were not judged."""
    protected = holdout.spec.protected
    if protected is None:
        return (), {}, {}
    unjudged: dict[str, str] = {}
    known: dict[str, np.ndarray] = {}
    for attribute in protected.attributes:
        values = holdout.frame[attribute.name]
        if values.isna().any():
            unjudged[attribute.name] = f"{int(values.isna().sum())} rows without a value"
        else:
            known[attribute.name] = values.astype(str).to_numpy()
    gaps, small = compare_groups(
        known, holdout.outcome, score, holdout.spec.thresholds, protected.min_group_rows
    )
    judged = {gap.attribute for gap in gaps}
    for name in set(known) - judged:
        unjudged[name] = "fewer than two groups of enough rows"
    return gaps, small, unjudged
