"""The steps that every model brings, from training to monitoring."""

from finance_assets.calendar import Calendar
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.judging import Judge
from finance_assets.step.declaration import Step
from finance_assets.steps.decision import decision_step
from finance_assets.steps.evaluation import evaluation_step
from finance_assets.steps.monitoring import monitoring_step
from finance_assets.steps.scoring import scoring_step
from finance_assets.steps.training import training_step


def model_steps(spec: ModelSpec, calendar: Calendar, tables: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps that a model brings, from training to monitoring, above the table steps."""
    return (
        training_step(spec, calendar),
        evaluation_step(spec, calendar),
        decision_step(Judge(spec, calendar, tables)),
        scoring_step(spec),
        monitoring_step(spec, calendar, tables),
    )
