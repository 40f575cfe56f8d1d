"""The criteria of the gate: each a frozen dataclass whose fields are its bounds.

A use case declares the list (see gate.py for what it cannot leave out). No criterion reads
anything but the evidence.
"""

from finance_assets.ml.criteria.conduct import Fairness, Leakage, Stability
from finance_assets.ml.criteria.performance import (
    BeatsBaselines,
    BeatsChampion,
    BusinessCost,
    Calibration,
    Discrimination,
    EnoughRows,
)
from finance_assets.ml.criteria.provenance import (
    REQUIRED_TAGS,
    Artifact,
    DataChecks,
    PointInTime,
    RequiredTags,
    Signature,
)

__all__ = [
    "Artifact",
    "BeatsBaselines",
    "BeatsChampion",
    "BusinessCost",
    "Calibration",
    "DataChecks",
    "Discrimination",
    "EnoughRows",
    "Fairness",
    "Leakage",
    "PointInTime",
    "REQUIRED_TAGS",
    "RequiredTags",
    "Signature",
    "Stability",
]
