"""Assessment: everything about a candidate's forecasts beyond the plain metrics, in one record.

`assess` measures; nothing is judged here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.ml.estimates import Estimate, Gain
from finance_assets.ml.evaluation import CANDIDATE, CHAMPION, NAIVE, Holdout, stability
from finance_assets.ml.grouping import TOO_FEW, attributes_of
from finance_assets.ml.repetition import Repetition, repetition
from finance_assets.ml.tasks.regression.blocks import block_mean, block_ratio
from finance_assets.ml.tasks.regression.groups import GroupError, compare_errors
from finance_assets.ml.tasks.regression.metrics import MIDDLE, covered
from finance_assets.ml.tasks.regression.probes import alone, unique_gains

if TYPE_CHECKING:
    import numpy as np

    from finance_assets.ml.tasks.regression.task import Regression


@dataclass(frozen=True)
class RegressionAssessment:
    """Everything beyond the plain metrics that the gate and the model card need.

    Errors of `block` rows that follow each other hang together: every standard error is one of
    blocks (see blocks.py). `gains` over each other role, and `skill` (that over the rule of thumb),
    are the absolute error saved as a share of the rule of thumb's (`naive_mae`, in the unit): 0 is
    no better than it, 1 is perfect. `relative_error` is the error as a share of that of always
    saying the training's median. `bias` is the mean of forecast less outcome, as a share of
    `naive_mae`; `coverage` the share of outcomes in their interval. `alone` and `unique` are the
    probes for a leak by feature. `repeated_rows` counts keys that occur again.
    """

    unit: str
    block: int
    naive: str
    naive_mae: float
    gains: dict[str, Gain]
    relative_error: Estimate
    bias: Estimate
    coverage: Estimate
    stability: dict[str, float]
    groups: tuple[GroupError, ...]
    small_groups: dict[str, int]
    unjudged: dict[str, str]
    gain_shares: dict[str, float]
    alone: dict[str, float]
    unique: dict[str, float]
    repetition: Repetition
    repeated_rows: int

    @property
    def skill(self) -> Gain:
        """The gain over the rule of thumb."""
        return self.gains[NAIVE]


def gain_over(
    outcome: "np.ndarray",
    candidate: "np.ndarray",
    other: "np.ndarray",
    naive: "np.ndarray",
    block: int,
    reseeded: Sequence["np.ndarray"] = (),
) -> Gain:
    """Absolute error that the candidate saves over another, as a share of the rule of thumb's."""
    import numpy as np

    ours, theirs, scale = (np.abs(f[:, MIDDLE] - outcome) for f in (candidate, other, naive))
    found = block_ratio(theirs - ours, scale, block)
    figures = (1 - float(np.abs(f[:, MIDDLE] - outcome).mean() / scale.mean()) for f in reseeded)
    return Gain(found.value, found.error, tuple(figures), found.freedom)


def assess(
    task: "Regression",
    holdout: Holdout,
    outputs: dict[str, "np.ndarray"],
    before: "np.ndarray",
    gain_shares: dict[str, float],
    reseeded: Sequence["np.ndarray"] = (),
) -> RegressionAssessment:
    """Compare the candidate with every other role, with bias, coverage, groups and time.

    Raises:
        ValueError: the rule of thumb could not be measured, or missed nothing.
    """
    import numpy as np

    if NAIVE not in outputs:
        raise ValueError("without the rule of thumb there is no scale for an error")
    spec, outcome, block = holdout.spec, holdout.outcome, task.block_rows
    candidate, naive = outputs[CANDIDATE], outputs[NAIVE]
    error = candidate[:, MIDDLE] - outcome
    scale = np.abs(naive[:, MIDDLE] - outcome)
    nothing = np.abs(float(holdout.trained[spec.target].median()) - outcome)
    groups, small, unjudged = _groups(holdout, np.abs(error), block)
    return RegressionAssessment(
        unit=task.unit,
        block=block,
        naive=spec.naive,
        naive_mae=float(scale.mean()),
        gains=_gains(outcome, outputs, block, reseeded),
        relative_error=block_ratio(np.abs(error), nothing, block),
        bias=block_ratio(error, scale, block),
        coverage=block_mean(covered(outcome, candidate), block),
        stability=_stability(task, holdout, before, candidate),
        groups=groups,
        small_groups=small,
        unjudged=unjudged,
        gain_shares=gain_shares,
        alone=alone(holdout.frame, spec.feature_names, outcome - naive[:, MIDDLE]),
        unique=unique_gains(holdout.trained, holdout.frame, spec.feature_names, spec.target, block),
        repetition=repetition(
            holdout.trained, holdout.frame, spec.partition_column, spec.feature_names
        ),
        repeated_rows=int(holdout.frame.duplicated(list(spec.key)).sum()),
    )


def _stability(
    task: "Regression", holdout: Holdout, before: "np.ndarray", candidate: "np.ndarray"
) -> dict[str, float]:
    """How far what is watched of the forecasts moved since training, by stretch."""
    then = task.watched(before, holdout.last_trained)
    return stability(holdout, then, task.watched(candidate, holdout.frame))


def _gains(
    outcome: "np.ndarray",
    outputs: dict[str, "np.ndarray"],
    block: int,
    reseeded: Sequence["np.ndarray"],
) -> dict[str, Gain]:
    """The gain over each other role; retrainings say something of that over the champion."""
    candidate, naive = outputs[CANDIDATE], outputs[NAIVE]
    return {
        role: gain_over(
            outcome, candidate, output, naive, block, reseeded if role == CHAMPION else ()
        )
        for role, output in outputs.items()
        if role != CANDIDATE
    }


def _groups(
    holdout: Holdout, error: "np.ndarray", block: int
) -> tuple[tuple[GroupError, ...], dict[str, int], dict[str, str]]:
    """Errors of the groups, groups too small, and attributes that were not judged."""
    known, unjudged = attributes_of(holdout)
    protected = holdout.spec.protected
    smallest = protected.min_group_rows if protected else 0
    groups, small = compare_errors(known, error, smallest, block)
    judged = {group.attribute for group in groups}
    return groups, small, unjudged | dict.fromkeys(set(known) - judged, TOO_FEW)
