"""Records: small tables whose rows are instances of a frozen dataclass.

The contract's columns derive from the class; rows are written from instances and come back as
instances. Tables that an engine fills are contracts of their own.
"""

import types
from collections.abc import Iterable, Mapping
from dataclasses import asdict, field, fields
from typing import Any, TypeVar, get_args, get_type_hints

from finance_assets.errors import ContractError
from finance_assets.lakehouse.contract import Column
from finance_assets.lakehouse.stored import Row

R = TypeVar("R")
TYPES = {str: "string", int: "bigint", float: "double", bool: "boolean"}


def described(text: str, **more: Any) -> Any:
    """A field of a record with what a person reads of its column."""
    return field(metadata={"description": text}, **more)


def columns_of(record: type, **renamed: str) -> tuple[Column, ...]:
    """The columns of a record class; `renamed` gives a field's column another name."""
    hints = get_type_hints(record)
    return tuple(
        Column(
            renamed.get(one.name, one.name),
            TYPES[_plain(hints[one.name])],
            one.metadata["description"],
            is_nullable=_is_optional(hints[one.name]),
            # What was measured may be: a distance between samples that have nothing in common.
            may_be_infinite=_plain(hints[one.name]) is float,
        )
        for one in fields(record)
    )


def as_rows(records: Iterable[Any], **renamed: str) -> list[Row]:
    """Records as rows of their table."""
    return [{renamed.get(k, k): v for k, v in asdict(record).items()} for record in records]


def from_rows(
    record: type[R], rows: Iterable[Mapping[str, Any]], table: str = "", /, **renamed: str
) -> list[R]:
    """Rows of a record's table as instances.

    Raises:
        ContractError: the table was made by another version, and lacks a column.
    """
    names = [(one.name, renamed.get(one.name, one.name)) for one in fields(record)]  # type: ignore[arg-type]
    found = []
    for row in rows:
        missing = [column for _, column in names if column not in row]
        if missing:
            raise ContractError(
                f"the stored rows lack {', '.join(missing)}: another version of this package made "
                "the table",
                where=table or f"a table of {record.__name__}",
                remedy="move the home away and run again, or go on with the version that made it",
            )
        found.append(record(**{name: row[column] for name, column in names}))
    return found


def _is_optional(hint: Any) -> bool:
    return isinstance(hint, types.UnionType) and type(None) in get_args(hint)


def _plain(hint: Any) -> type:
    """The type itself, without `| None`."""
    if not _is_optional(hint):
        return hint  # type: ignore[no-any-return]
    [plain] = [one for one in get_args(hint) if one is not type(None)]
    return plain  # type: ignore[no-any-return]
