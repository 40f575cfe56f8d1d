"""Cost: what one partition of a use case starts on Databricks, counted from its steps.

Counts only; what a minute costs is the workspace's price list. docs/databricks/cost.md has the
formula and what was measured.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from finance_assets.assets.build import groupable
from finance_assets.settings import Shape
from finance_assets.step.use_case import UseCase


@dataclass(frozen=True)
class Starts:
    """What one partition starts: runs by Dagster one for each step, or with the table steps
    grouped; tasks of the bundle's job, in one run; and what a retraining adds.
    """

    use_case: str
    runs: int
    grouped_runs: int
    bundle_tasks: int
    retraining_runs: int

    @property
    def saved(self) -> int:
        """Starts that grouping saves in each partition."""
        return self.runs - self.grouped_runs


def starts(use_case: UseCase) -> Starts:
    """Count what a partition of the use case starts."""
    grouped = groupable(use_case.steps)
    return Starts(
        use_case=use_case.name,
        runs=len(use_case.pipeline_steps),
        grouped_runs=len(use_case.pipeline_steps) - len(grouped) + bool(grouped),
        bundle_tasks=len(use_case.steps),
        # The check of the champion history behind the decision is a run of its own.
        retraining_runs=len(use_case.model_steps) + 1,
    )


def minutes(found: Starts, shape: Shape, start: float, work: float) -> tuple[float, float, float]:
    """Paid minutes of a partition: Dagster with one run for each step, Dagster with the table
    steps grouped, the bundle's job. `start`: minutes until a run works; `work`: of one step.

    A cluster that is there already does not start; the tasks of the bundle's job share a job
    cluster; on serverless each task may start anew, which is counted as if it always did.
    """
    if shape is Shape.existing_cluster:
        start = 0.0
    bundle = 1 if shape is Shape.job_cluster else found.bundle_tasks
    by_dagster = found.runs * work
    return (
        found.runs * start + by_dagster,
        found.grouped_runs * start + by_dagster,
        bundle * start + found.bundle_tasks * work,
    )


def table(use_cases: Iterable[UseCase]) -> str:
    """The counts as Markdown."""
    lines = [
        "| use case | runs a partition | grouped | starts saved | bundle's tasks | a retraining |",
        "|---|---|---|---|---|---|",
    ]
    for found in map(starts, use_cases):
        lines.append(
            f"| {found.use_case} | {found.runs} | {found.grouped_runs} | {found.saved} | "
            f"{found.bundle_tasks} in 1 run | {found.retraining_runs} runs |"
        )
    return "\n".join(lines)


def minutes_table(use_cases: Iterable[UseCase], start: float, work: float) -> str:
    """Paid minutes of a partition by shape, as Markdown."""
    lines = [
        f"| start {start:g} min, a step {work:g} min | one run a step | grouped | the bundle |",
        "|---|---|---|---|",
    ]
    for found in map(starts, use_cases):
        for shape in Shape:
            numbers = " | ".join(f"{n:.1f}" for n in minutes(found, shape, start, work))
            lines.append(f"| {found.use_case}, {shape} | {numbers} |")
    return "\n".join(lines)
