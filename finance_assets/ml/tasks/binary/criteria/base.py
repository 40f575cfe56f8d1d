"""What the criteria of a binary task judge."""

from typing import ClassVar, TypeAlias

from finance_assets.ml.criterion import Criterion, Evidence
from finance_assets.ml.tasks.binary.assessment import Assessment
from finance_assets.ml.tasks.binary.metrics import BinaryMetrics

BinaryEvidence: TypeAlias = Evidence[BinaryMetrics, Assessment]


class BinaryCriterion(Criterion[BinaryMetrics, Assessment]):
    """A condition on the evidence of a binary candidate."""

    task: ClassVar[str] = "binary"
