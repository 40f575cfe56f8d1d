"""Work: what one run does, and how what it sends back is read. Pure.

Steps and commands differ in this alone; submitting, following and cancelling are the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from finance_assets.calendar import Window
from finance_assets.commands.command import Command
from finance_assets.compute.databricks.api import Task
from finance_assets.compute.databricks.task_settings import of_settings
from finance_assets.compute.databricks.tasks import command_payload, parameters, payload
from finance_assets.compute.results import from_record
from finance_assets.settings import Settings
from finance_assets.step.declaration import Step, StepResult
from finance_assets.step.use_case import UseCase

T = TypeVar("T")


@dataclass(frozen=True)
class Work(Generic[T]):
    """The task of a run, and its results.

    `keys`: of the results that have to come. `identity`: what names its attempts, beside the run
    that asks. `is_last`: after such a result no other one will come.
    """

    name: str
    keys: tuple[str, ...]
    identity: tuple[str, ...]
    task: Task
    read: Callable[[Any], T]
    is_last: Callable[[T], bool]


def of_steps(
    settings: Settings, steps: Sequence[Step], window: Window, run_id: str
) -> Work[StepResult]:
    """Steps over a window, one after the other; refused rows are the end of it."""
    line = parameters(steps, window.first, run_id, of_settings(settings), "--last", window.last)
    name = steps[0].key if len(steps) == 1 else f"{steps[0].use_case}: {len(steps)} steps"
    keys = tuple(step.key for step in steps)
    return Work(
        name=f"{name} {window} (Dagster {run_id[:8]})",
        keys=keys,
        identity=(*keys, str(window)),
        task=payload(steps, line),
        read=from_record,
        is_last=lambda result: result.publication is None,
    )


def of_command(
    settings: Settings,
    command: Command[T],
    use_cases: Sequence[UseCase],
    run_id: str,
    submitter: str | None,
) -> Work[T]:
    """A command on use cases; each sends its own result."""
    keys = tuple(use_case.name for use_case in use_cases)
    return Work(
        name=f"{command.name} {', '.join(keys)} ({run_id[:12]})",
        keys=keys,
        identity=(command.name, *keys),
        task=command_payload(command, keys, run_id, of_settings(settings), submitter),
        read=command.result_of,
        is_last=lambda _: False,
    )
