"""The criteria of a binary gate, and those of every gate: all that a use case declares bounds of.

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
from finance_assets.ml.tasks.binary.criteria.fairness import Fairness, FairnessException
from finance_assets.ml.tasks.binary.criteria.leakage import Leakage
from finance_assets.ml.tasks.binary.criteria.performance import (
    BeatsBaselines,
    BeatsChampion,
    BusinessCost,
    Calibration,
    Discrimination,
    EnoughRows,
)

# Mandatory for a binary gate, beside those that are for every gate.
MANDATORY: tuple[type[Criterion[Any, Any]], ...] = (
    Discrimination,
    BeatsChampion,
    Calibration,
    BusinessCost,
    BeatsBaselines,
    Fairness,
    Leakage,
    EnoughRows,
)

__all__ = [
    "MANDATORY",
    "REQUIRED_TAGS",
    "Artifact",
    "BeatsBaselines",
    "BeatsChampion",
    "BusinessCost",
    "Calibration",
    "DataChecks",
    "Discrimination",
    "EnoughRows",
    "Fairness",
    "FairnessException",
    "KnownOutcomes",
    "Leakage",
    "PointInTime",
    "RequiredTags",
    "Signature",
    "Stability",
]
