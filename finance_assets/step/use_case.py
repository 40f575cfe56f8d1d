"""The UseCase: one business question with its tables, its model and its calendar.

Only the type; the declarations live in use_cases/, the steps that every model brings in steps/.
"""

from dataclasses import dataclass
from pathlib import Path

from finance_assets.calendar import Calendar
from finance_assets.declarations import refuse
from finance_assets.ml.spec import ModelSpec
from finance_assets.step.coming import with_ends
from finance_assets.step.declaration import Step
from finance_assets.step.foresight import require_no_foresight
from finance_assets.step.use_case_rules import use_case_mistakes


@dataclass(frozen=True)
class UseCase:
    """A use case: `samples` is the landing folder that ships with it.

    Partitions before `played_from` are the past, whose tables `finance-assets run` makes in one
    run; from it on they are played one by one. Without it, all of them are.
    """

    name: str
    title: str
    owner: str
    calendar: Calendar
    steps: tuple[Step, ...]
    model: ModelSpec
    samples: Path
    played_from: str | None = None

    def __post_init__(self) -> None:
        """Refuse a use case that cannot run, or whose model could know what it predicts.

        Raises:
            DeclarationError: naming every mistake in how it is put together.
            ModelError: a feature looks ahead, or nothing says that it does not.
        """
        refuse(f"use case {self.name}", use_case_mistakes(self))
        object.__setattr__(self, "steps", with_ends(self.steps))
        require_no_foresight(self.steps, self.model)

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
        return tuple(step for step in self.steps if step.kind.is_model)

    @property
    def pipeline_steps(self) -> tuple[Step, ...]:
        """Steps that run for every partition."""
        return tuple(step for step in self.steps if not step.kind.is_model)
