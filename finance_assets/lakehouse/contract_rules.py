"""What a contract must be to work: found when it is declared, not in the second partition.

Rules over declarations only; nothing is read or run.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from finance_assets.declarations import (
    Mistake,
    bad_aggregate,
    bad_name,
    bad_row_sql,
    below,
    blank,
    repeated,
    unknown,
)
from finance_assets.lakehouse.types import KNOWN, is_type

if TYPE_CHECKING:
    from finance_assets.lakehouse.contract import Contract, RowRule, TableRule

LAYERS = (
    "bronze",
    "silver",
    "gold",
    "features",
    "labels",
    "models",
    "predictions",
    "monitoring",
)
LINEAGE = re.compile(r"[a-z_]+\.[a-z0-9_]+\.[a-z0-9_]+")


def contract_mistakes(contract: "Contract") -> Iterator[Mistake]:
    """Everything that is wrong with a contract by itself."""
    yield from _name(contract)
    yield from blank("description", contract.description)
    yield from _columns(contract)
    yield from _key(contract)
    yield from _rules(contract)
    yield from below("min_rows", contract.min_rows, 0)
    share = contract.max_quarantine_share
    if not 0 <= share <= 1:
        yield Mistake("max_quarantine_share", f"is {share}", "a share from 0 to 1")
    if share and not contract.has_quarantine:
        yield Mistake(
            "max_quarantine_share", "there is no quarantine", "has_quarantine=True, or leave it out"
        )


def bad_type(field: str, name: str) -> Iterator[Mistake]:
    """A type that not every engine knows by this name."""
    if not is_type(name):
        yield Mistake(field, f"{name!r} is no type", KNOWN)


def _name(contract: "Contract") -> Iterator[Mistake]:
    layer, dot, entity = contract.table.partition(".")
    if not dot:
        yield Mistake("table", f"{contract.table!r} has no layer", "<layer>.<entity>")
        return
    yield from unknown("table", [layer], LAYERS)
    yield from bad_name("table", entity)


def _columns(contract: "Contract") -> Iterator[Mistake]:
    if not contract.columns:
        yield Mistake("columns", "there is none", "declare every column of the table")
    yield from repeated("columns", contract.column_names)
    for column in contract.columns:
        yield from bad_name("columns", column.name)
        yield from blank(f"description of {column.name}", column.description)
        yield from bad_type(f"type of {column.name}", column.type)
        for source in column.derived_from:
            if not LINEAGE.fullmatch(source):
                yield Mistake(
                    f"derived_from of {column.name}",
                    f"{source!r} is no column of a table",
                    "<layer>.<entity>.<column>",
                )


def _key(contract: "Contract") -> Iterator[Mistake]:
    if not contract.key:
        yield Mistake("key", "there is none", "the columns that identify a row")
    yield from repeated("key", contract.key)
    yield from unknown("key", contract.key, contract.column_names)
    yield from unknown("partition_column", [contract.partition_column], contract.column_names)
    needed = {*contract.key, contract.partition_column}
    for column in contract.columns:
        if column.name in needed and column.is_nullable:
            yield Mistake(
                f"column {column.name}",
                "may be null, and identifies rows or their partition",
                "is_nullable=False",
            )
        if column.name == contract.partition_column and column.type != "string":
            yield Mistake(
                f"type of {column.name}", f"is {column.type}", "partitions are stored as string"
            )


def _rules(contract: "Contract") -> Iterator[Mistake]:
    rules: list[RowRule | TableRule] = [*contract.row_rules, *contract.table_rules]
    yield from repeated("rules", [rule.name for rule in rules])
    for rule in rules:
        yield from bad_name(f"rule {rule.name}", rule.name)
        yield from blank(f"reason of {rule.name}", rule.reason)
    for rule in contract.row_rules:
        remedy = "declare it as a TableRule, or speak of one row"
        yield from bad_row_sql(f"rule {rule.name}", rule.condition, contract.column_names, remedy)
    for rule in contract.table_rules:
        remedy = "declare it as a RowRule, or aggregate the column"
        yield from bad_aggregate(f"rule {rule.name}", rule.condition, contract.column_names, remedy)
