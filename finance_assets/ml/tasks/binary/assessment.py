"""Assessment: everything about a candidate's holdout beyond the plain metrics, in one record.

`assess` measures; nothing is judged here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Estimate, Gain, mean_difference
from finance_assets.ml.evaluation import CANDIDATE, CHAMPION, NAIVE, Holdout, stability
from finance_assets.ml.grouping import TOO_FEW, attributes_of
from finance_assets.ml.repetition import Repetition, repetition
from finance_assets.ml.tasks.binary.auc import auc_gain
from finance_assets.ml.tasks.binary.groups import GroupGap, compare_groups
from finance_assets.ml.tasks.binary.metrics import Recalibration, recalibrate
from finance_assets.ml.tasks.binary.probes import alone, unique_gains

if TYPE_CHECKING:
    import numpy as np

    from finance_assets.ml.tasks.binary.task import Binary


@dataclass(frozen=True)
class Assessment:
    """Everything beyond the plain metrics that the gate and the model card need.

    `threshold` is the score from which rows are flagged, `costs` are per row at it by role,
    with `flag_nobody` and `flag_everybody`. `gains` and `cost_gaps` compare the candidate with
    each other role (a negative gap: the candidate is cheaper). `stability` is the PSI of the
    score in each holdout partition against the partition before; `gaps` are the groups at every
    threshold in use, `unjudged` attributes that could not be compared, and why. `alone` and
    `unique` are AUCs by feature: reached by it alone, lost without it; `naive` is the feature
    that is the rule of thumb. `repeated_rows` counts keys that occur again.
    """

    threshold: float
    threshold_reason: str
    cost_unit: str
    costs: dict[str, float]
    cost_gaps: dict[str, Estimate]
    gains: dict[str, Gain]
    recalibration: Recalibration
    stability: dict[str, float]
    gaps: tuple[GroupGap, ...]
    small_groups: dict[str, int]
    unjudged: dict[str, str]
    gain_shares: dict[str, float]
    naive: str
    alone: dict[str, float]
    unique: dict[str, float]
    repetition: Repetition
    repeated_rows: int


def assess(
    task: "Binary",
    holdout: Holdout,
    scores: dict[str, "np.ndarray"],
    score_before: "np.ndarray",
    gain_shares: dict[str, float],
    reseeded: Sequence["np.ndarray"] = (),
) -> Assessment:
    """Compare the candidate with every other role that was scored, with costs, groups and time.

    `score_before` are the candidate's scores of the last training partition, `reseeded` the scores
    that retrainings of its recipe with other seeds give the holdout (see reseeding.py). Rows of an
    entity that comes back in several held-out partitions count as one in every interval.
    """
    spec, outcome, frame = holdout.spec, holdout.outcome, holdout.frame
    candidate = scores[CANDIDATE]
    gaps, small, unjudged = _groups(task, holdout, candidate)
    costs, clusters = _costs(task, outcome, scores), holdout.clusters
    return Assessment(
        threshold=task.flagged_from,
        threshold_reason=task.flagged_reason,
        cost_unit=task.costs.unit,
        costs={role: float(cost.mean()) for role, cost in costs.items()},
        cost_gaps={
            role: mean_difference(costs[CANDIDATE], cost, clusters)
            for role, cost in costs.items()
            if role != CANDIDATE
        },
        gains=_gains(holdout, scores, reseeded),
        recalibration=recalibrate(outcome, candidate, clusters),
        stability=stability(holdout, score_before, candidate),
        gaps=gaps,
        small_groups=small,
        unjudged=unjudged,
        gain_shares=gain_shares,
        naive=spec.naive,
        alone=alone(frame, spec.feature_names, outcome),
        unique=unique_gains(
            holdout.trained, frame, spec.feature_names, spec.target, holdout.entity
        ),
        repetition=repetition(holdout.trained, frame, spec.partition_column, spec.feature_names),
        repeated_rows=int(frame.duplicated(list(spec.key)).sum()),
    )


def _gains(
    holdout: Holdout, scores: dict[str, "np.ndarray"], reseeded: Sequence["np.ndarray"]
) -> dict[str, Gain]:
    """The gain over each other role; retrainings say something of that over the champion."""
    outcome, clusters = holdout.outcome, holdout.clusters
    return {
        role: auc_gain(
            outcome, scores[CANDIDATE], score, reseeded if role == CHAMPION else (), clusters
        )
        for role, score in scores.items()
        if role != CANDIDATE
    }


def _costs(
    task: "Binary", outcome: "np.ndarray", scores: dict[str, "np.ndarray"]
) -> dict[str, "np.ndarray"]:
    """What deciding by each role, by flagging nobody or everybody, costs at each row."""
    # The rule of thumb ranks; its score is no probability to hold against a threshold.
    decided = {role: score >= task.flagged_from for role, score in scores.items() if role != NAIVE}
    decided |= {"flag_nobody": outcome < 0, "flag_everybody": outcome >= 0}
    return {role: task.costs.each_row(outcome, flagged) for role, flagged in decided.items()}


def _groups(
    task: "Binary", holdout: Holdout, score: "np.ndarray"
) -> tuple[tuple[GroupGap, ...], dict[str, int], dict[str, str]]:
    """Gaps at every threshold in use, groups too small, and attributes that were not judged."""
    protected = holdout.spec.protected
    if protected is None:
        return (), {}, {}
    known, unjudged = attributes_of(holdout)
    gaps, small = compare_groups(
        known,
        holdout.outcome,
        score,
        task.thresholds,
        protected.min_group_rows,
        holdout.clusters,
    )
    judged = {gap.attribute for gap in gaps}
    for name in set(known) - judged:
        unjudged[name] = TOO_FEW
    return gaps, small, unjudged
