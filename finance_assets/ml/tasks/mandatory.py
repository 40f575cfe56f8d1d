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
from finance_assets.ml.gate import Criterion

EVERYWHERE: tuple[type[Criterion[Any, Any]], ...] = (
    Stability,
    KnownOutcomes,
    PointInTime,
    Artifact,
    Signature,
    RequiredTags,
    DataChecks,
)


def by_default() -> tuple[type[Criterion[Any, Any]], ...]:
    """The mandatory criteria that a gate adds by itself: without a bound, or with one for all."""
    return (KnownOutcomes, PointInTime, Artifact, Signature, RequiredTags, DataChecks)


def mandatory_types(task: str) -> dict[str, type[Criterion[Any, Any]]]:
    """The class of each mandatory name: exactly this one, no subclass and no namesake.

    Raises:
        ValueError: there is no such task.
    """
    from finance_assets.ml.tasks.binary.criteria import MANDATORY as BINARY
    from finance_assets.ml.tasks.regression.criteria import MANDATORY as REGRESSION

    by_task: dict[str, tuple[type[Criterion[Any, Any]], ...]] = {
        "binary": BINARY,
        "regression": REGRESSION,
    }
    if task not in by_task:
        raise ValueError(f"there is no task {task!r}, allowed: {', '.join(sorted(by_task))}")
    return {kind.name: kind for kind in (*by_task[task], *EVERYWHERE)}
