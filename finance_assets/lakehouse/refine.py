"""Refine: from rows as they came (strings) to typed rows, rejected rows and exact duplicates.

Every row gets exactly one fate, and every rejected row gets every reason that applies to it.
The rules themselves live in the contract of the target table.
"""

from typing import TYPE_CHECKING

from finance_assets.lakehouse.audit import breaks
from finance_assets.lakehouse.contract import Column, Contract

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PUBLISHED, QUARANTINED, DUPLICATE = "published", "quarantined", "duplicate"

# What a delivered text must look like to be read as the type; a cast alone would let an engine
# round or truncate ('12.7' as 12), and engines differ in what they accept.
PATTERNS = {
    "int": "^[+-]?[0-9]{1,9}$",
    "bigint": "^[+-]?[0-9]{1,18}$",
    "double": "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$",
}


def refine(delivered: "DataFrame", source: Contract, target: Contract) -> "DataFrame":
    """Give every delivered row its fate, its typed values and its reasons.

    Args:
        delivered: rows of `source`, strings plus where they came from.
        source: contract of the rows as they came.
        target: contract of the typed table; its columns are read from those of the same name.

    Returns:
        Columns of `source`, plus `_typed_<column>` for each target column, `_fate` and
        `_reasons` (null unless quarantined).
    """
    typed = _with_conflicts(_typed(_with_copies(delivered, source), target), source, target)
    names = {column.name for column in target.columns}
    # A rule speaks about the target's columns, so it is evaluated where these are in place.
    plain = typed.selectExpr(
        *[f"`{c}` as `_raw_{c}`" if c in names else f"`{c}`" for c in source.column_names],
        *[f"`_typed_{c.name}` as `{c.name}`" for c in target.columns],
        *[f"`_problem_{c.name}`" for c in target.columns],
        "_is_copy",
        "_is_conflict",
    )
    problems = ", ".join(f"`_problem_{column.name}`" for column in target.columns)
    readable = f"coalesce(_malformed_line, {problems}) IS NULL"
    reasons = [
        _reason("_malformed_line IS NOT NULL", "malformed_line: the number of fields is wrong"),
        *[f"`_problem_{c.name}`" for c in target.columns],
        _reason(
            f"`{target.partition_column}` <> `{source.partition_column}`",
            f"other_month: {target.partition_column} is not the month of the delivery",
        ),
        _reason(
            "_is_conflict",
            "conflicting_duplicate: the key came more than once with different values",
        ),
        *[
            # A rule has something to say only about a row whose values could be read.
            _reason(f"{readable} AND {breaks(rule)}", f"{rule.name}: {rule.reason}")
            for rule in target.row_rules
        ],
    ]
    judged = plain.selectExpr("*", f"concat_ws('; ', {', '.join(reasons)}) as _all_reasons")
    return judged.selectExpr(
        *[f"`_raw_{c}` as `{c}`" if c in names else f"`{c}`" for c in source.column_names],
        *[f"`{c.name}` as `_typed_{c.name}`" for c in target.columns],
        f"CASE WHEN _is_copy THEN '{DUPLICATE}' WHEN _all_reasons <> '' THEN '{QUARANTINED}'"
        f" ELSE '{PUBLISHED}' END as _fate",
        "nullif(_all_reasons, '') as _reasons",
    )


def _compared(source: Contract) -> list[str]:
    """The columns that copies of a row have in common: all but where it came from, and when."""
    payload = [name for name in source.column_names if name not in source.key and name[0] != "_"]
    return [*payload, "_malformed_line"]


def _with_copies(delivered: "DataFrame", source: Contract) -> "DataFrame":
    """Add `_is_copy`: the row is identical to another one that stands before it in the file.

    Only rows that have the hash of another row are compared, which is none of a clean delivery.
    Without windows: numbering 840,000 rows by `row_number()` took Sail 0.7.2 2.4 to 7 s.
    """
    from pyspark.sql import functions as F

    same, order = _compared(source), f"struct({', '.join(f'`{name}`' for name in source.key)})"
    hashed = delivered.withColumn("_hash", F.xxhash64(*same))
    shared = (
        hashed.groupBy("_hash").count().where("count > 1").selectExpr("_hash", "true as _is_shared")
    )
    compared = hashed.join(shared, "_hash", "left_semi")
    first = compared.groupBy(*same).agg(
        *(F.expr(f"min_by(`{name}`, {order})").alias(name) for name in source.key)
    )
    # A key is unique within its partition only.
    row = list(dict.fromkeys((source.partition_column, *source.key)))
    firsts = first.selectExpr(*row, "true as _is_first")
    marked = hashed.join(shared, "_hash", "left").join(firsts, row, "left")
    return marked.selectExpr(
        *[f"`{name}`" for name in source.column_names],
        "_is_shared IS NOT NULL AND _is_first IS NULL as _is_copy",
    )


def _typed(rows: "DataFrame", target: Contract) -> "DataFrame":
    """Add the typed value and the problem of every target column."""
    return rows.selectExpr(
        "*",
        *[f"{_value(column)} as `_typed_{column.name}`" for column in target.columns],
        *[f"{_problem(column)} as `_problem_{column.name}`" for column in target.columns],
    )


def _with_conflicts(typed: "DataFrame", source: Contract, target: Contract) -> "DataFrame":
    """Add `_is_conflict`: another row has the same key and differs; one without a key cannot."""
    key = [f"_typed_{name}" for name in target.key]
    known = " AND ".join(f"`{name}` IS NOT NULL" for name in key)
    versions = typed.where(known).select(*key, *_compared(source)).distinct()
    conflicts = versions.groupBy(*key).count().where("count > 1")
    return typed.join(conflicts.selectExpr(*key, "true as _is_conflict"), key, "left")


def _text(column: Column) -> str:
    return f"nullif(trim(`{column.name}`), '')"


def _value(column: Column) -> str:
    if column.type not in PATTERNS:
        return _text(column)
    return f"CASE WHEN {_is_readable(column)} THEN cast({_text(column)} as {column.type}) END"


def _is_readable(column: Column) -> str:
    return f"{_text(column)} RLIKE '{PATTERNS[column.type]}'"


def _problem(column: Column) -> str:
    """SQL for the reason why a column of a row cannot be read, null when it can."""
    missing = f"{column.name}: required, but missing"
    absent = "CAST(NULL AS STRING)" if column.is_nullable else f"'{missing}'"
    malformed = "WHEN _malformed_line IS NOT NULL THEN CAST(NULL AS STRING)"
    unreadable = ""
    if column.type in PATTERNS:
        unreadable = (
            f"WHEN NOT ({_is_readable(column)}) THEN '{column.name}: not readable as {column.type}'"
        )
    return f"CASE {malformed} WHEN {_text(column)} IS NULL THEN {absent} {unreadable} END"


def _reason(condition: str, text: str) -> str:
    escaped = text.replace("'", "\\'")
    return f"CASE WHEN {condition} THEN '{escaped}' END"
