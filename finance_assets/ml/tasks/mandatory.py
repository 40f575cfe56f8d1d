"""Which criteria no gate of a task can do without, and which class each name stands for."""

from typing import Any

from finance_assets.ml.criteria.known import KnownOutcomes
from finance_assets.ml.criteria.provenance import (
    Artifact,
    DataChecks,
    PointInTime,
    RequiredTags,
    Signature,
)
from finance_assets.ml.criteria.stability import Stability
from finance_assets.ml.criterion import Criterion
from finance_assets.ml.tasks.binary.criteria import MANDATORY as BINARY
from finance_assets.ml.tasks.regression.criteria import MANDATORY as REGRESSION

# Where a candidate comes from. Who fails one of these was not turned down for what it is worth.
PROVENANCE: tuple[type[Criterion[Any, Any]], ...] = (
    PointInTime,
    Artifact,
    Signature,
    RequiredTags,
    DataChecks,
)
EVERYWHERE: tuple[type[Criterion[Any, Any]], ...] = (Stability, KnownOutcomes, *PROVENANCE)


def by_default() -> tuple[type[Criterion[Any, Any]], ...]:
    """The mandatory criteria that a gate adds by itself: without a bound, or with one for all."""
    return (KnownOutcomes, *PROVENANCE)


def mandatory_types(task: str) -> dict[str, type[Criterion[Any, Any]]]:
    """The class of each mandatory name: exactly this one, no subclass and no namesake.

    Raises:
        ValueError: there is no such task.
    """
    by_task: dict[str, tuple[type[Criterion[Any, Any]], ...]] = {
        "binary": BINARY,
        "regression": REGRESSION,
    }
    if task not in by_task:
        raise ValueError(f"there is no task {task!r}, allowed: {', '.join(sorted(by_task))}")
    return {kind.name: kind for kind in (*by_task[task], *EVERYWHERE)}
