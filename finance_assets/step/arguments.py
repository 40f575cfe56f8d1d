"""Arguments: what people type, checked against calendar and columns before it reaches SQL."""

import re

from finance_assets.calendar import Calendar
from finance_assets.errors import SettingsError
from finance_assets.lakehouse.contract import Contract

BIGINT = 2**63
WHOLE_NUMBER = r"[+-]?[0-9]{1,19}"
WHOLE_TYPES = frozenset({"tinyint", "smallint", "int", "bigint"})


def require_partition(calendar: Calendar, text: str, where: str, later: int = 0) -> str:
    """The text, which names a partition of the calendar, or one of the `later` ones after it.

    Raises:
        SettingsError: it does not. `where` is what the person typed it for, such as `--from`.
    """
    last = max([calendar.first, *calendar.partitions()])
    known = list(calendar.window(calendar.first, last).widened(0, later))
    if text not in known:
        raise SettingsError(
            f"{text!r} is no partition of the calendar",
            where=where,
            remedy=f"one from {known[0]} to {known[-1]}, written like these",
        )
    return text


def require_key(contract: Contract, pairs: list[str], where: str = "--key") -> dict[str, str]:
    """`column=value` for each key column but the partition's, as a dict.

    Raises:
        SettingsError: a column is missing or unknown, or a value is not of its type.
    """
    wanted = [name for name in contract.key if name != contract.partition_column]
    types = {column.name: column.type for column in contract.columns}
    key = dict(pair.partition("=")[::2] for pair in pairs)
    if set(key) != set(wanted) or len(pairs) != len(wanted):
        raise SettingsError(
            f"{', '.join(pairs) or 'nothing'} does not name {contract.table}'s key",
            where=where,
            remedy=" ".join(f"{where} {name}=…" for name in wanted),
        )
    for name, value in key.items():
        if types[name] in WHOLE_TYPES and not _is_whole(value):
            raise SettingsError(
                f"{value!r} is not a whole number, as {name} ({types[name]}) is",
                where=f"{where} {name}",
                remedy=f"{where} {name}=123",
            )
    return key


def matches(contract: Contract, key: dict[str, str]) -> str:
    """SQL condition for the rows of a key; false where the table has not all of its columns.

    Text as delivered is compared as a number if one is sought: `' 0123'` is account 123.
    """
    types = {column.name: column.type for column in contract.columns}
    if not set(key) <= set(types):
        return "false"
    return " AND ".join(_matches(name, types[name], value) for name, value in key.items())


def _matches(name: str, kind: str, value: str) -> str:
    if kind in WHOLE_TYPES:
        return f"{name} = {int(value)}"
    if kind == "string" and _is_whole(value):
        return f"try_cast(trim({name}) AS BIGINT) = {int(value)}"
    quoted = value.replace("'", "''")
    return f"trim(cast({name} AS STRING)) = '{quoted}'"


def _is_whole(value: str) -> bool:
    return bool(re.fullmatch(WHOLE_NUMBER, value)) and -BIGINT <= int(value) < BIGINT
