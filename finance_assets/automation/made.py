"""Made: whether what a step wrote of a partition is what it would write if it ran now.

Goes by commit logs: a table that was deleted, restored, or written around its step is not.
"""

from collections.abc import Callable
from typing import TypeAlias

from finance_assets.lakehouse.history import TableHistory
from finance_assets.model_life.performance_log import monitoring_contracts
from finance_assets.step.declaration import Kind, Step
from finance_assets.step.use_case import UseCase

HistoryOf: TypeAlias = Callable[[str], TableHistory]


def why_not_made(
    use_case: UseCase, step: Step, partition: str, now: str, history_of: HistoryOf
) -> str:
    """Why a step has to run for a partition; empty if it does not.

    Args:
        use_case: whose step it is.
        step: one that rests on the pipeline's own tables.
        partition: one of the calendar.
        now: digest of all that the partition would be made from now.
        history_of: the commit log of a table.
    """
    known = history_of(step.key).in_force(partition)
    if known is None:
        return f"{step.key} was not made yet"
    is_changed = known.made_from.get(partition, now) != now
    lost = what_is_lost(use_case, step, partition, history_of)
    return f"what {step.key} is made from changed" if is_changed else "; ".join(lost)


def what_is_lost(
    use_case: UseCase, step: Step, partition: str, history_of: HistoryOf
) -> tuple[str, ...]:
    """What a step wrote of a partition and is not as it left it, in sentences.

    Monitoring writes several tables, that of its key last: where one lacks beside it, it was
    deleted since.
    """
    is_made = history_of(step.key).in_force(partition) is not None
    beside = monitoring_contracts(use_case.model) if step.kind is Kind.monitoring else ()
    found = []
    for table in (step.key, *(contract.table for contract in beside)):
        history = history_of(table)
        altered = history.altered_at(partition)
        if altered is not None:
            found.append(f"{table} was changed around its step, by its commit {altered}")
        elif is_made and history.in_force(partition) is None:
            found.append(f"{table} does not have it any more")
    return tuple(found)
