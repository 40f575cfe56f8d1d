"""Running a use case of any kind in a home, without Dagster."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from finance_assets.compute.runner import open_lakehouse, run_step
from finance_assets.settings import Settings
from finance_assets.step.declaration import Kind, Step, StepResult
from finance_assets.step.use_case import UseCase
from finance_assets.steps.ingest import deliveries_folder


class UseCaseRunner:
    """Runs steps of a use case in a home."""

    def __init__(self, use_case: UseCase, settings: Settings, spark) -> None:
        self.use_case, self.settings, self.spark = use_case, settings, spark
        self.lakehouse = open_lakehouse(settings, lambda: spark)

    def run(self, steps: slice, first: str, last: str | None = None) -> list[StepResult]:
        """Run some of the steps over a window; rows that are refused are an error."""
        return [self._run(step, first, last) for step in self.use_case.steps[steps]]

    def run_tables(self, first: str, last: str | None = None) -> None:
        """Every table, from the deliveries on."""
        self._run_all(lambda step: step.kind.is_table, first, last)

    def run_model(self, as_of: str) -> None:
        """Candidate, evaluation and decision as of a partition."""
        for step in self.use_case.model_steps:
            self._run(step, as_of, None)

    def run_scoring(self, first: str, last: str | None = None) -> None:
        """Predictions, and what monitoring says of them."""
        self._run_all(lambda step: not (step.kind.is_table or step.kind.is_model), first, last)

    def rows(self, table: str, where: Callable[[dict], bool] = lambda row: True) -> list[dict]:
        """The stored rows of a table."""
        return [row for row in self.lakehouse.history(table).rows() if where(row)]

    def key(self, kind: Kind) -> str:
        """The table of the only step of a kind."""
        [key] = [step.key for step in self.use_case.steps if step.kind == kind]
        return key

    def folder(self) -> Path:
        """Where the use case's deliveries are expected; made if there is none."""
        folder = deliveries_folder(self.settings, self.use_case.name, self.use_case.samples)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _run_all(self, wanted: Callable[[Step], bool], first: str, last: str | None) -> None:
        for step in self.use_case.steps:
            if wanted(step):
                self._run(step, first, last)

    def _run(self, step: Step, first: str, last: str | None) -> StepResult:
        result = run_step(
            step,
            self.use_case.calendar.window(first, last),
            settings=self.settings,
            session=lambda: self.spark,
            run_id="test",
            report=lambda message: None,
        )
        assert result.publication is not None, (step.key, broken(result.outcomes))
        return result


class Deliverer(Protocol):
    """Makes up a use case and what is delivered to it."""

    def use_case(self) -> UseCase:
        """The use case."""

    def deliver(self, folder: Path, partition: str) -> None:
        """Put what is delivered for a partition into a folder."""


class DeliveredRunner(UseCaseRunner):
    """Runs the steps of a made-up use case; deliveries come just before they are ingested."""

    def __init__(self, made_up: Deliverer, settings: Settings, spark) -> None:
        super().__init__(made_up.use_case(), settings, spark)
        self.made_up = made_up

    def _run(self, step: Step, first: str, last: str | None) -> StepResult:
        if step.source is not None:
            for partition in self.use_case.calendar.window(first, last):
                self.made_up.deliver(self.folder(), partition)
        return super()._run(step, first, last)


def broken(outcomes: Iterable) -> list:
    """The checks that did not pass, with what was observed."""
    return [(o.check.name, o.observed) for o in outcomes if not o.is_passed]


def fresh_home(settings: Settings, root: Path, mlflow_store: Path) -> Settings:
    """Settings of another empty home, with a landing folder of its own."""
    landing = root / "landing"
    landing.mkdir(parents=True)
    home = settings.model_copy(update={"home": root / "home", "landing": landing})
    home.__dict__.pop("root", None)
    with_mlflow(home, mlflow_store)
    return home


def with_mlflow(home: Settings, mlflow_store: Path) -> None:
    """Prepare a home whose MLflow store is there already: migrations take seconds."""
    home.prepare_home()
    shutil.copy(mlflow_store, home.root / "mlflow" / "mlflow.db")
