"""The UseCase: one business question with its tables, its model and its calendar.

Only the type, and the steps that every model brings; the declarations live in use_cases/.
"""

from dataclasses import dataclass
from pathlib import Path

from finance_assets.lakehouse.windows import Calendar
from finance_assets.ml.spec import ModelSpec
from finance_assets.steps.decision import decision_step
from finance_assets.steps.evaluation import evaluation_step
from finance_assets.steps.monitoring import monitoring_step
from finance_assets.steps.scoring import scoring_step
from finance_assets.steps.step import MODEL_KINDS, Step
from finance_assets.steps.training import training_step


@dataclass(frozen=True)
class UseCase:
    """A use case: `samples` is the landing folder that ships with it."""

    name: str
    title: str
    owner: str
    calendar: Calendar
    steps: tuple[Step, ...]
    model: ModelSpec
    samples: Path

    def step(self, key: str) -> Step:
        """The step that makes a table.

        Raises:
            KeyError: no step of this use case has the key.
        """
        for step in self.steps:
            if step.key == key:
                return step
        raise KeyError(f"{self.name} has no step {key}")

    @property
    def model_steps(self) -> tuple[Step, ...]:
        """Steps that run when a candidate is wanted."""
        return tuple(step for step in self.steps if step.kind in MODEL_KINDS)

    @property
    def monthly_steps(self) -> tuple[Step, ...]:
        """Steps that run for every month."""
        return tuple(step for step in self.steps if step.kind not in MODEL_KINDS)


def model_steps(spec: ModelSpec, calendar: Calendar) -> tuple[Step, ...]:
    """The steps that a model brings: from training to monitoring."""
    return (
        training_step(spec, calendar),
        evaluation_step(spec, calendar),
        decision_step(spec, calendar),
        scoring_step(spec, calendar),
        monitoring_step(spec),
    )
