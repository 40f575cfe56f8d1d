"""Presence: whether what a run reads was ever made. What was not would read as no rows.

What should be there is a matter of the calendar and of the sources (`Input.made_until`); whether it
is there, of commit logs. Partitions that were found empty are there.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TypeAlias

from finance_assets.calendar import Window
from finance_assets.errors import MissingInputError
from finance_assets.lakehouse.audit import CheckOutcome, outcome
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
# A table, and one of its partitions.
Place: TypeAlias = tuple[str, str]


def absent_inputs(
    histories: Mapping[str, TableHistory], inputs: Iterable[Input], window: Window
) -> tuple[Absent, ...]:
    """What a window should find in its inputs and does not, of each that lacks something.

    Said once for the whole window: partitions that read all of their past share most of it.
    """
    found = (Absent(item, tuple(_lacking(histories[item.key], item, window))) for item in inputs)
    return tuple(one for one in found if one.partitions)


def _lacking(history: TableHistory, item: Input, window: Window) -> Iterator[str]:
    """The partitions that a window reads of an input, and that should be there and are not."""
    calendar, end, recorded = window.calendar, item.made_until, history.recorded()
    counts = cache(history.row_counts)

    def is_taken_away(partition: str) -> bool:
        """Whether another writer, such as a RESTORE, left no row of a partition that had some."""
        if history.altered_at(partition) is None or not history.ledger_of(partition).published:
            return False
        return not counts().get(partition)

    for partition in item.window(window):
        is_before = calendar is not None and partition < calendar.first
        is_after = end is not None and partition > end
        is_there = partition in recorded and not is_taken_away(partition)
        if not (is_before or is_after or is_there):
            yield partition


def require_own(step: Step, window: Window, absent: Iterable[Absent]) -> None:
    """Refuse to run a step over partitions of which its inputs were not made.

    Raises:
        MissingInputError: naming them.
    """
    own = [
        (one.item.key, partition)
        for one in absent
        if one.item.reads_own_partition
        for partition in one.partitions
        if window.first <= partition <= window.last
    ]
    _refuse(own, step.key)


def require_accounted(ctx: StepContext, contract: Contract, source: Contract, offset: int) -> None:
    """Refuse to replace rows of a table by none, because those they stand for are not there.

    Raises:
        MissingInputError: naming them.
    """
    history = ctx.lakehouse.history(contract.table)
    absent = {p for one in ctx.absent if one.item.key == source.table for p in one.partitions}
    stood_for = zip(ctx.window, ctx.window.widened(offset, offset), strict=True) if absent else ()
    lacking = [
        (source.table, source_of)
        for partition, source_of in stood_for
        if source_of in absent and history.ledger_of(partition).published
    ]
    _refuse(lacking, contract.table)


def checks_of(inputs: Iterable[Input]) -> tuple[Check, ...]:
    """The checks of a step with these inputs that are about its past."""
    return (PAST,) if any(item.reads_the_past for item in inputs) else ()


def past_outcomes(ctx: StepContext, checks: Iterable[Check]) -> list[CheckOutcome]:
    """The outcomes of these checks: what each partition should find of its past and does not."""
    figures = {}
    for partition in ctx.window if ctx.absent else ():
        read = [(one, one.read_by(ctx.window.at(partition))) for one in ctx.absent]
        shown = [
            (one.item.key, one.partitions[at]) for one, places in read for at in places[:SHOWN]
        ]
        if shown:
            figures[partition] = _named(shown, sum(len(places) for _, places in read))
    return [outcome(check, figures, "Not published: {}") for check in checks]


def _refuse(lacking: list[Place], reader: str) -> None:
    if not lacking:
        return
    partitions = sorted({partition for _, partition in lacking})
    tables = ", ".join(dict.fromkeys(table for table, _ in lacking))
    span = partitions[0] if len(partitions) == 1 else f"{partitions[0]} to {partitions[-1]}"
    raise MissingInputError(
        f"{_named(lacking, len(lacking))} is not published: it would read as no rows",
        where=f"inputs of {reader}",
        remedy=f"materialise {tables} for {span} first, then {reader}",
    )


def _named(places: list[Place], count: int) -> str:
    """The first of so many places: `gold.account_months[2005-04] and 7 more`."""
    shown = ", ".join(f"{table}[{partition}]" for table, partition in places[:SHOWN])
    return f"{shown} and {count - SHOWN} more" if count > SHOWN else shown
