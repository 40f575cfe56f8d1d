"""Coming: which of its steps a partition can run, when only some of its sources deliver it.

Pure: what has come is asked of the caller.
"""

from collections.abc import Callable

from finance_assets.step.declaration import Step
from finance_assets.step.use_case import UseCase


def steps_that_can_run(
    use_case: UseCase, partition: str, has_come: Callable[[Step], bool]
) -> tuple[Step, ...]:
    """The pipeline's steps that a partition can run, in their order.

    All of them while a source has not ended (`Source.last`) or is not said to. After that, those
    that follow from what came of the same partition, such as late outcomes; none if nothing came.

    Args:
        use_case: whose partition it is.
        partition: one of its calendar.
        has_come: asked about a step that takes over a delivery.
    """
    steps = use_case.pipeline_steps
    ingests = [step for step in steps if step.source is not None]
    if not any(_has_ended(step, partition) for step in ingests):
        return steps
    running = {step.key for step in ingests if has_come(step)}
    for step in steps:
        if any(item.reads_own_partition and item.key in running for item in step.inputs):
            running.add(step.key)
    return tuple(step for step in steps if step.key in running)


def _has_ended(step: Step, partition: str) -> bool:
    source = step.source
    return source is not None and source.last is not None and partition > source.last
