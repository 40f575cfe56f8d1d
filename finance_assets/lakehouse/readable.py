"""Readable: what a delivered value must look like to be read as a type, as SQL.

A cast alone would let an engine round or truncate ('12.7' as 12), and engines differ in what they
accept. So a text must match the type's pattern first, and then be a value of the type: '2005-02-30'
looks like a date and is none. What is read is the same on every engine.
"""

import re
from collections.abc import Iterator

from finance_assets.declarations import Mistake, refuse
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.lakehouse.ddl import quoted
from finance_assets.lakehouse.types import decimal_of

# What may stand around a text and says nothing; a text of nothing else is blank. What SQL's
# trim() takes away on every engine: no tab, no line end and no blank that never breaks a line.
BLANK = " "

# `\\z` and not `$`, which Java lets match before a line end. Two backslashes: it is SQL text.
_END = "\\\\z"
_YEAR = "(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_DATE = f"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_WHOLE = "[+-]?[0-9]+"
_FLOATING = "[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?"
_ZONE = "(Z|[+-][0-9]{2}:[0-9]{2})"
PATTERNS = {
    "tinyint": _WHOLE,
    "smallint": _WHOLE,
    "int": _WHOLE,
    "bigint": _WHOLE,
    "float": _FLOATING,
    "double": _FLOATING,
    "date": _DATE,
    "timestamp": f"{_DATE}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]{{1,6}})?{_ZONE}?",
    "boolean": "(true|t|yes|y|1|false|f|no|n|0)",
}
TRUE = "('true', 't', 'yes', 'y', '1')"
# The largest finite value of a type; text beyond it would become infinite.
FINITE = {"float": "3.4028234663852886E38D", "double": "1.7976931348623157E308D"}
# Delivered types whose values are all values of the target's.
WIDER = {
    "tinyint": ("smallint", "int", "bigint", "double"),
    "smallint": ("int", "bigint", "double"),
    "int": ("bigint", "double"),
    "float": ("double",),
}


def require_readable(source: Contract, target: Contract) -> None:
    """Refuse a target with a column that its source has not, or that cannot be read from it.

    Raises:
        DeclarationError: naming every such column.
    """
    refuse(f"contract {target.table}", _unreadable(source, target))


def _unreadable(source: Contract, target: Contract) -> Iterator[Mistake]:
    delivered = {column.name: column for column in source.columns}
    for column in target.columns:
        if column.name not in delivered:
            yield Mistake(
                f"column {column.name}",
                f"{source.table} has no column {column.name} to read it from",
                f"one of {', '.join(delivered)}; rename a column in its Source",
            )
        elif not _is_readable(column, delivered[column.name].type):
            yield Mistake(
                f"type of {column.name}",
                f"a delivered {delivered[column.name].type} cannot be read as {column.type}",
                "int, bigint, double, decimal(p,s), date, timestamp, boolean or string; "
                "of a typed source the same type or a wider one",
            )


def _is_readable(column: Column, found: str) -> bool:
    if found == "string":
        return column.type == "string" or pattern_of(column.type) is not None
    return column.type == found or column.type in WIDER.get(found, ())


def is_token(token: str, kind: str) -> bool:
    """Whether a text can stand for a missing value in a delivered column of a type."""
    pattern, text = pattern_of(kind), token.strip(BLANK)
    if kind == "boolean":
        text = text.lower()
    return pattern is None or re.fullmatch(pattern, text) is not None


def known_of(delivered: Column) -> str:
    """SQL for what stands in a delivered column; null where that says that nothing is known."""
    known = f"`{delivered.name}`"
    if delivered.type == "string":
        known = f"nullif(trim({known}), '')"
    elif delivered.type in FINITE:
        # Where numbers have no null, this is the missing one.
        known = f"CASE WHEN NOT isnan({known}) THEN {known} END"
    tokens = [token for token in delivered.null_tokens if is_token(token, delivered.type)]
    if not tokens:
        return known
    said = [quoted(token.strip(BLANK)) for token in tokens]
    if delivered.type == "string":
        is_known = f"{known} NOT IN ({', '.join(said)})"
    else:
        typed = ", ".join(_read(text, delivered.type) for text in said)
        # A token that is no value of the type after all, such as 30 February, never stands there.
        is_known = f"coalesce({known} NOT IN ({typed}), true)"
    return f"CASE WHEN {is_known} THEN {known} END"


def value_of(column: Column, delivered: Column) -> str:
    """SQL for the value of a target's column; null where there is none or it cannot be read."""
    known = known_of(delivered)
    if delivered.type != "string":
        return _finite(column.type, f"cast({known} as {column.type})")
    pattern = pattern_of(column.type)
    if pattern is None:
        return known
    shown = f"lower({known})" if column.type == "boolean" else known
    value = f"CASE WHEN {shown} RLIKE '^{pattern}{_END}' THEN {_read(known, column.type)} END"
    return _finite(column.type, value)


def problem_of(column: Column, delivered: Column, value: str, malformed: str) -> str:
    """SQL for the reason why a column of a row cannot be read, null when it can.

    `value` is SQL for what was read. `malformed` is a condition: of such a row no column says
    anything.
    """
    missing = f"{column.name}: required, but missing"
    absent = "CAST(NULL AS STRING)" if column.is_nullable else f"'{missing}'"
    unreadable = ""
    if column.type != "string":
        unreadable = f"WHEN {value} IS NULL THEN '{column.name}: not readable as {column.type}'"
    return (
        f"CASE WHEN {malformed} THEN CAST(NULL AS STRING)"
        f" WHEN {known_of(delivered)} IS NULL THEN {absent} {unreadable} END"
    )


def pattern_of(kind: str) -> str | None:
    """The pattern of a type; None if there is none."""
    decimal = decimal_of(kind)
    if decimal is None:
        return PATTERNS.get(kind)
    # Zeros in front, and after the last digit, change nothing; any other digit there would be
    # rounded away.
    some, any_ = f"0*[0-9]{{1,{max(decimal.whole, 1)}}}", f"0*[0-9]{{0,{decimal.whole}}}"
    if not decimal.scale:
        return f"[+-]?{some}([.]0*)?"
    return f"[+-]?({any_}[.][0-9]{{0,{decimal.scale}}}0*|{some})"


def _read(text: str, kind: str) -> str:
    """SQL for a text that matches the pattern of a type, as a value of it; null if it is none."""
    if kind == "boolean":
        return f"lower({text}) IN {TRUE}"
    if kind == "timestamp":
        # Without a zone it is UTC's, whatever the session's is.
        text = f"CASE WHEN {text} RLIKE '{_ZONE}{_END}' THEN {text} ELSE concat({text}, 'Z') END"
    return f"try_cast({text} as {kind})"


def _finite(kind: str, value: str) -> str:
    if kind not in FINITE:
        return value
    return f"CASE WHEN abs({value}) <= {FINITE[kind]} THEN {value} END"
