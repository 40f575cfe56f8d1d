"""The criteria of the gate: each a frozen dataclass whose fields are its bounds.

A use case declares the list (see gate.py for what it cannot leave out). No criterion reads
anything but the evidence.
"""

from finance_assets.ml.criteria.conduct import Fairness, FairnessException, Stability
from finance_assets.ml.criteria.leakage import Leakage
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
from finance_assets.ml.gate import Criterion

# What each mandatory name stands for: exactly this class, no subclass and no namesake.
MANDATORY_TYPES: dict[str, type[Criterion]] = {
    kind.name: kind
    for kind in (
        Discrimination,
        BeatsChampion,
        Calibration,
        BusinessCost,
        BeatsBaselines,
        Stability,
        Fairness,
        Leakage,
        EnoughRows,
        PointInTime,
        Artifact,
        Signature,
        RequiredTags,
        DataChecks,
    )
}

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
    "FairnessException",
    "Leakage",
    "MANDATORY_TYPES",
    "PointInTime",
    "REQUIRED_TAGS",
    "RequiredTags",
    "Signature",
    "Stability",
]
