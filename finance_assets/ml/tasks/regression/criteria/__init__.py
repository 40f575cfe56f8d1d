"""The criteria of a regression's gate, and those of every gate: all that a use case declares
bounds of.

No criterion reads anything but the evidence.
"""

from typing import Any

from finance_assets.ml.criteria.known import KnownOutcomes
from finance_assets.ml.criteria.provenance import (
    REQUIRED_TAGS,
    Artifact,
    DataChecks,
    PointInTime,
    RequiredTags,
    Signature,
)
from finance_assets.ml.criteria.stability import Stability
from finance_assets.ml.criterion import Criterion
from finance_assets.ml.tasks.regression.criteria.conduct import Fairness, Leakage
from finance_assets.ml.tasks.regression.criteria.performance import (
    Accuracy,
    BeatsBaseline,
    BeatsChampion,
    Bias,
    EnoughRows,
    IntervalCoverage,
)

# Mandatory for a regression's gate, beside those that are for every gate.
MANDATORY: tuple[type[Criterion[Any, Any]], ...] = (
    Accuracy,
    BeatsBaseline,
    BeatsChampion,
    Bias,
    IntervalCoverage,
    Fairness,
    Leakage,
    EnoughRows,
)

__all__ = [
    "MANDATORY",
    "REQUIRED_TAGS",
    "Accuracy",
    "Artifact",
    "BeatsBaseline",
    "BeatsChampion",
    "Bias",
    "DataChecks",
    "EnoughRows",
    "Fairness",
    "IntervalCoverage",
    "KnownOutcomes",
    "Leakage",
    "PointInTime",
    "RequiredTags",
    "Signature",
    "Stability",
]
