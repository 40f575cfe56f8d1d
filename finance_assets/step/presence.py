"""Presence: whether what a run reads was ever made. What was not would read as no rows.

What should be there is a matter of the calendar and of the sources (`Input.made_until`); whether it
is there, of commit logs. Partitions that were found empty are there.
"""

from collections.abc import Iterable, Iterator, Mapping

from finance_assets.calendar import Window
from finance_assets.errors import MissingInputError
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Check, Contract, Severity
from finance_assets.lakehouse.history import TableHistory
from finance_assets.step.declaration import Absent, Input, Step, StepContext

# It warns: a use case may be begun in the middle of its calendar.
PAST = Check(
    "past_published",
    "Every earlier partition that is read was published, or found empty.",
    Severity.warn,
)
SHOWN = 3


def absent_inputs(
    histories: Mapping[str, TableHistory], inputs: Iterable[Input], window: Window
) -> dict[str, tuple[Absent, ...]]:
    """What each partition of a window should find in its inputs and does not; without those that
    lack nothing.
    """
    found: dict[str, list[Absent]] = {}
    for item in inputs:
        lacking = list(_lacking(histories[item.key], item, window))
        # Nothing is lacking, as a rule: then no partition is asked about its past.
        for partition in window if lacking else ():
            read = item.window(window.at(partition))
            found.setdefault(partition, []).extend(
                Absent(item.key, other, other == partition)
                for other in lacking
                if read.first <= other <= read.last
            )
    return {partition: tuple(absent) for partition, absent in found.items() if absent}


def _lacking(history: TableHistory, item: Input, window: Window) -> Iterator[str]:
    """The partitions that a window reads of an input, and that should be there and are not."""
    calendar, end, recorded = window.calendar, item.made_until, history.recorded()
    for partition in item.window(window):
        is_before = calendar is not None and partition < calendar.first
        is_after = end is not None and partition > end
        is_there = partition in recorded and not _is_taken_away(history, partition)
        if not (is_before or is_after or is_there):
            yield partition


def _is_taken_away(history: TableHistory, partition: str) -> bool:
    """Whether another writer, such as a RESTORE, left no row of a partition that had some."""
    if history.altered_at(partition) is None or not history.ledger_of(partition).published:
        return False
    return not history.row_counts().get(partition)


def require_own(step: Step, absent: Mapping[str, tuple[Absent, ...]]) -> None:
    """Refuse to run a step over partitions of which its inputs were not made.

    Raises:
        MissingInputError: naming them.
    """
    _refuse([one for some in absent.values() for one in some if one.is_own], step.key)


def require_accounted(ctx: StepContext, contract: Contract, source: Contract, offset: int) -> None:
    """Refuse to replace rows of a table by none, because those they stand for are not there.

    Raises:
        MissingInputError: naming them.
    """
    history = ctx.lakehouse.history(contract.table)
    lacking = [
        one
        for partition, absent in ctx.absent.items()
        for one in absent
        if one.table == source.table
        and one.partition == ctx.window.at(partition).widened(offset, offset).first
        and history.ledger_of(partition).published
    ]
    _refuse(lacking, contract.table)


def checks_of(inputs: Iterable[Input]) -> tuple[Check, ...]:
    """The checks of a step with these inputs that are about its past."""
    return (PAST,) if any(item.reads_the_past for item in inputs) else ()


def outcomes_of(ctx: StepContext, checks: Iterable[Check]) -> list[CheckOutcome]:
    """The outcomes of these checks: what each partition should find of its past and does not."""
    figures = {partition: _named(absent) for partition, absent in ctx.absent.items()}
    said = "; ".join(f"{partition}: {text}" for partition, text in figures.items())
    broken = f"Broken: {PAST.description} Never published: {said}"
    return [
        CheckOutcome(check, not figures, broken if figures else check.description, figures)
        for check in checks
    ]


def _refuse(lacking: list[Absent], reader: str) -> None:
    if not lacking:
        return
    partitions = sorted({one.partition for one in lacking})
    tables = ", ".join(dict.fromkeys(one.table for one in lacking))
    span = partitions[0] if len(partitions) == 1 else f"{partitions[0]} to {partitions[-1]}"
    raise MissingInputError(
        f"{_named(lacking)} was never published: it would read as no rows",
        where=f"inputs of {reader}",
        remedy=f"materialise {tables} for {span} first, then {reader}",
    )


def _named(absent: Iterable[Absent]) -> str:
    names = list(dict.fromkeys(str(one) for one in absent))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
