"""What a use case must be as a whole: its steps fit each other, and its model rests on them.

Rules over declarations only. What a contract or a model must be by itself is written beside
them; that no feature looks ahead, in foresight.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from finance_assets.calendar import Calendar
from finance_assets.declarations import Mistake, bad_name, blank, repeated, unknown
from finance_assets.step.declaration import Input, Step

if TYPE_CHECKING:
    from finance_assets.step.use_case import UseCase


def use_case_mistakes(use_case: "UseCase") -> Iterator[Mistake]:
    """Everything that is wrong with how a use case is put together."""
    yield from bad_name("name", use_case.name)
    yield from blank("title", use_case.title)
    yield from blank("owner", use_case.owner)
    if use_case.model.name != use_case.name:
        yield Mistake(
            "model", f"is called {use_case.model.name!r}", f"the use case's name, {use_case.name!r}"
        )
    calendar, start = use_case.calendar, use_case.played_from
    if start is not None and not (
        calendar.is_partition(start) and calendar.first < start <= (calendar.last or start)
    ):
        yield Mistake(
            "played_from", f"{start!r} leaves no past", f"a partition after {calendar.first}"
        )
    yield from repeated("steps", [step.contract.entity for step in use_case.steps])
    made: dict[str, Step] = {}
    for step in use_case.steps:
        if step.use_case != use_case.name:
            yield Mistake(f"step {step.key}", f"belongs to {step.use_case!r}", f"{use_case.name!r}")
        yield from _source(step, calendar)
        yield from _inputs(step, made, use_case.steps)
        yield from _lineage(step, made)
        made.setdefault(step.key, step)
    yield from _model(use_case, made)


def _source(step: Step, calendar: Calendar) -> Iterator[Mistake]:
    """Where a source begins and ends are partitions. Its end may lie after the calendar's: that can
    be set to a later one.
    """
    if step.source is None:
        return
    where, last = f"Source {step.source.file_pattern!r}", step.source.last
    ends = {"first": step.source.first, "last": last}
    wrong = [n for n, end in ends.items() if end is not None and not calendar.is_partition(end)]
    for name in wrong:
        what = f"{ends[name]!r} is no {calendar.frequency} partition"
        yield Mistake(f"{where} {name}", what, calendar.frequency.written)
    begins = max(step.source.first or "", calendar.first)
    if not wrong and last is not None and last < begins:
        what = f"{last} is before {begins}, with which it begins: nothing would ever come"
        yield Mistake(f"{where} last", what, f"{begins} or later, or none")


def _inputs(step: Step, made: dict[str, Step], steps: Sequence[Step]) -> Iterator[Mistake]:
    """Inputs are tables that an earlier step makes, declared by the very same contract, and read
    no later than their reader's own partition.
    """
    field = f"inputs of {step.key}"
    later = {s.key for s in steps} - set(made)
    for item in step.inputs:
        yield from _offsets(field, item)
        if item.key in made:
            if made[item.key].contract != item.contract:
                yield Mistake(
                    field,
                    f"{item.key} is not the contract of the step that makes it",
                    "pass the same contract to both",
                )
        elif item.key in later and item.last_offset >= 0:
            yield Mistake(
                field,
                f"{item.key} is made by a later step, or by this one",
                "order the steps; what comes later can only be read of earlier partitions",
            )
        elif item.key not in later:
            yield from unknown(field, [item.key], sorted(made))


def _offsets(field: str, item: Input) -> Iterator[Mistake]:
    """No table looks ahead: what its later partitions hold would change it behind its readers.
    An outcome that becomes known later is a label of the partition in which it does.
    """
    if item.last_offset > 0:
        yield Mistake(
            field,
            f"looks ahead: reads {item.key} up to {item.last_offset} partitions later",
            "an offset of 0 or less; what becomes known later is a label of the partition then",
        )
    if item.first_offset is not None and item.first_offset > item.last_offset:
        yield Mistake(
            field,
            f"{item.key} from {item.first_offset} to {item.last_offset}",
            "first_offset not after last_offset",
        )


def _lineage(step: Step, made: dict[str, Step]) -> Iterator[Mistake]:
    """Columns are made of columns that exist, of tables that the step reads."""
    read = {item.key: item.contract.column_names for item in step.inputs}
    if not read:
        return
    for column in step.contract.columns:
        field = f"derived_from of {step.key}.{column.name}"
        for source in column.derived_from:
            table, _, name = source.rpartition(".")
            if table not in read:
                yield Mistake(
                    field, f"the step does not read {table}", f"one of {', '.join(sorted(read))}"
                )
            else:
                yield from unknown(field, [name], read[table])


def _model(use_case: "UseCase", made: dict[str, Step]) -> Iterator[Mistake]:
    """The tables that the model rests on are made here, by the contracts that it names."""
    spec = use_case.model
    contracts = {"features": spec.features, "labels": spec.labels}
    if spec.protected:
        contracts["protected.source"] = spec.protected.source
    for field, contract in contracts.items():
        if contract.table not in made:
            yield Mistake(
                f"model {field}",
                f"no step makes {contract.table}",
                "declare the step that makes this table among the use case's steps",
            )
        elif made[contract.table].contract != contract:
            yield Mistake(
                f"model {field}",
                f"{contract.table} is not the contract of the step that makes it",
                "pass the same contract to both",
            )


def shared_tables(made: Mapping[str, Iterable[str]]) -> Iterator[Mistake]:
    """Tables that two use cases make, or one twice, without their layer: the rest of the name is
    all that Dagster's lineage shows. `made`: every table of a use case, by its name.
    """
    owners: dict[str, str] = {}
    for use_case, tables in made.items():
        entities = [table.rpartition(".")[2] for table in tables]
        yield from repeated(f"tables of {use_case}", entities)
        for entity in dict.fromkeys(entities):
            owner = owners.setdefault(entity, use_case)
            if owner != use_case:
                yield Mistake(
                    "steps",
                    f"the table {entity} is {owner}'s and {use_case}'s",
                    "a name of its own for each use case's tables, whatever their layers; each has "
                    "quarantines and tables of its model beside those of its steps",
                )
