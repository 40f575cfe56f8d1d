"""Coming: which of its steps a partition can run, when only some of its sources deliver it; and
which partitions a source should have delivered by now.

Pure: what has come is asked of the caller.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from finance_assets.calendar import Calendar
from finance_assets.step.declaration import Step

if TYPE_CHECKING:
    from finance_assets.step.use_case import UseCase

# Models are made when a candidate is wanted: none of their partitions is sure to be.
NEVER = ""


def steps_that_can_run(
    use_case: "UseCase", partition: str, has_come: Callable[[Step], bool]
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


def overdue(
    step: Step, calendar: Calendar, published: Collection[str], came: Mapping[str, datetime] | None
) -> tuple[str, ...]:
    """The partitions that the source of a step should have delivered by now, or the rest of.

    `came`: when the newest delivery of each did, where that is known.
    """
    missing = calendar.overdue(published, came=came)
    return tuple(p for p in missing if step.source is None or step.source.is_expected(p))


def with_ends(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps, whose inputs know until when they are made (`Input.made_until`)."""
    ends = made_until(steps)
    return tuple(
        replace(
            step,
            inputs=tuple(replace(i, made_until=ends.get(i.key)) for i in step.inputs),
        )
        for step in steps
    )


def made_until(steps: Iterable[Step]) -> dict[str, str | None]:
    """The last partition for which each table is made whatever comes; None: there is no end.

    Until a source ends, every partition runs every step of the pipeline. After that, a table is
    sure to be made as long as one of the sources that it follows from delivers and must.
    """
    steps = tuple(steps)
    ends = [step.source.last for step in steps if step.source and step.source.last]
    over, found = min(ends, default=None), dict[str, str | None]()
    for step in steps:
        if step.kind.is_model:
            found[step.key] = NEVER
        elif over is None:
            found[step.key] = None
        elif step.source is not None:
            found[step.key] = over if step.source.is_optional else step.source.last
        else:
            own = [found[i.key] for i in step.inputs if i.reads_own_partition and i.key in found]
            known = [end for end in own if end is not None]
            found[step.key] = max([over, *known]) if len(known) == len(own) else None
    return found


def _has_ended(step: Step, partition: str) -> bool:
    source = step.source
    return source is not None and source.last is not None and partition > source.last
