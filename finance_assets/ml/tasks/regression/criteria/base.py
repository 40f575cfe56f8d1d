"""What the criteria of a regression judge."""

from typing import ClassVar, TypeAlias

from finance_assets.ml.criterion import Criterion, Evidence
from finance_assets.ml.tasks.regression.assessment import RegressionAssessment
from finance_assets.ml.tasks.regression.metrics import RegressionMetrics

RegressionEvidence: TypeAlias = Evidence[RegressionMetrics, RegressionAssessment]


class RegressionCriterion(Criterion[RegressionMetrics, RegressionAssessment]):
    """A condition on the evidence of a candidate that forecasts a number."""

    task: ClassVar[str] = "regression"
