"""What a derived table must be to work: found when it is declared, from its text alone.

Rules over declarations only. What a contract must be by itself is in lakehouse/contract_rules.py.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from finance_assets.declarations import Mistake, bad_aggregate, repeated, unknown
from finance_assets.lakehouse.contract import Column
from finance_assets.lakehouse.contract_rules import bad_type

if TYPE_CHECKING:
    from finance_assets.step.select import Select
    from finance_assets.steps.derived import Table


def mistakes_of_making(table: "Table") -> Iterator[Mistake]:
    """What is wrong with inputs and transform."""
    if not table.inputs:
        yield Mistake("inputs", "there is none", "the tables that it is made from")
        return
    yield from repeated("inputs", [item.contract.entity for item in table.read])
    for column in table.columns:
        if not isinstance(column, str) and column.type is not None:
            yield from bad_type(f"type of {column.name}", column.type)
    if table.transform is None:
        yield from _unmade(table)
    elif callable(table.transform):
        yield from other_parameters(table.transform, list(table.by_entity))
    if table.select is not None:
        yield from _unreadable(table.select)
    yield from _conservation(table)


def other_parameters(transform: Callable[..., Any], entities: list[str]) -> Iterator[Mistake]:
    """A function that does not take the inputs by their names."""
    parameters = list(inspect.signature(transform).parameters)
    if parameters != entities:
        yield Mistake(
            "transform",
            f"takes {', '.join(parameters) or 'nothing'}",
            f"parameters named as the inputs: {', '.join(entities)}",
        )


def _unmade(table: "Table") -> Iterator[Mistake]:
    """Without a transform the rows are the only input's, as they are."""
    if len(table.inputs) > 1:
        yield Mistake("transform", "is left out, but there are inputs to combine", "a SELECT")
    for column in table.columns:
        if isinstance(column, Column):
            yield Mistake(
                f"column {column.name}",
                "nothing makes it: there is no transform",
                f"Passed({column.name!r}, type) if it is the input's, or a transform",
            )


def _unreadable(select: "Select") -> Iterator[Mistake]:
    try:
        select.origins  # noqa: B018
    except ValueError as error:
        yield Mistake(
            "transform",
            f"cannot be read: {error}",
            f"a SELECT from {', '.join(select.columns_of)}, or a function",
        )
        return
    for entity in select.unread:
        yield Mistake("inputs", f"the transform never names {entity}", "leave it out, or select it")


def _conservation(table: "Table") -> Iterator[Mistake]:
    if table.conserves is not None:
        if table.counted_by is not None:
            yield Mistake("counted_by", "is said twice", "say it in `conserves`, or leave that out")
        known = [contract.table for contract in table.by_entity.values()]
        yield from unknown("conserves", [table.conserves.source.table], known)
        return
    first = table.first
    if first.first_offset != first.last_offset and not first.reads_own_partition:
        yield Mistake(
            "conserves",
            f"is left out, and {first.key} is read from {first.first_offset} to "
            f"{first.last_offset}: none of these is said to be accounted for",
            "Conservation(source, offset)",
        )


def mistakes_of_columns(table: "Table") -> Iterator[Mistake]:
    """What is wrong with columns, key and partitions, once inputs and transform are sound."""
    names = [column if isinstance(column, str) else column.name for column in table.columns]
    if table.select is not None:
        selected = list(table.select.origins)
        yield from unknown("columns", [n for n in names if n not in selected], selected)
        for name in selected:
            if name not in names:
                yield Mistake("columns", f"the transform makes {name!r} too", "declare it")
        if not set(names) <= set(selected):
            return
    yield from _count(table, names)
    for column, name in zip(table.columns, names, strict=True):
        if isinstance(column, Column):
            yield from _understated(table, column)
        elif table.upstream(name) is None:
            yield from _not_taken(table, name)
    for field, needed in (
        ("key", table.first.contract.key),
        ("partition_column", (table.first.contract.partition_column,)),
    ):
        missing = [name for name in needed if name not in names]
        if missing and not getattr(table, field):
            yield Mistake(
                field,
                f"is left out, and {missing[0]!r} of {table.first.key} is no column here",
                f"say {field}",
            )


def _count(table: "Table", names: list[str]) -> Iterator[Mistake]:
    """A count of the input's rows that the table's rows cannot give."""
    if table.accounts_for.counted_by is not None:
        field = "conserves.counted_by" if table.counted_by is None else "counted_by"
        remedy = "an aggregate of the table's columns, such as sum(rows)"
        yield from bad_aggregate(field, table.accounts_for.counted_by, names, remedy)


def _not_taken(table: "Table", name: str) -> Iterator[Mistake]:
    """A column that is said to be taken over, and is not."""
    known = sorted({n for columns in table.known_columns.values() for n in columns})
    if name not in known:
        yield Mistake(
            f"column {name}",
            "is declared as taken over, but no input has it",
            f"Column({name!r}, type, description)",
        )
    else:
        yield Mistake(
            f"column {name}",
            "is declared as taken over, but the transform makes it of more than the input's column",
            f"select it as it is (a cast is fine), or declare Column({name!r}, type, description)",
        )


def _understated(table: "Table", column: Column) -> Iterator[Mistake]:
    """Stated lineage that leaves out what the text reads."""
    hidden = [source for source in table.lineage(column.name) if source not in column.derived_from]
    if column.derived_from and hidden:
        yield Mistake(
            f"derived_from of {column.name}",
            f"leaves out {', '.join(hidden)}, of which the transform makes it",
            "leave `derived_from` out: it is read from the transform",
        )
