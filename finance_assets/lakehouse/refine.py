"""Refine: from rows as they came (strings) to typed rows, rejected rows and exact duplicates.

Every row gets exactly one fate, and every rejected row gets every reason that applies to it.
The rules themselves live in the contract of the target table.
"""

from typing import TYPE_CHECKING

from finance_assets.lakehouse.audit import breaks
from finance_assets.lakehouse.contract import Column, Contract
from finance_assets.lakehouse.ddl import quoted
from finance_assets.lakehouse.readable import problem_of, value_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PUBLISHED, QUARANTINED, DUPLICATE = "published", "quarantined", "duplicate"


def refine(
    delivered: "DataFrame", source: Contract, target: Contract, alike: "DataFrame | None"
) -> "DataFrame":
    """Give every delivered row its fate, its typed values and its reasons.

    Args:
        delivered: rows of `source`, strings plus where they came from.
        alike: what `alike_rows` says of them, better staged, as it is read three times; None where
            it found none.
        source: contract of the rows as they came.
        target: contract of the typed table; its columns are read from those of the same name.

    Returns:
        Columns of `source`, plus `_typed_<column>` for each target column, `_fate` and
        `_reasons` (null unless quarantined).
    """
    if alike is None:
        compared = delivered.selectExpr("*", "false as _is_copy", "false as _is_conflict")
    else:
        compared = _compared(delivered, alike, source, target)
    typed = _typed(compared, source, target)
    names = {column.name for column in target.columns}
    # A rule speaks about the target's columns, so it is evaluated where these are in place.
    plain = typed.selectExpr(
        *[f"`{c}` as `_raw_{c}`" if c in names else f"`{c}`" for c in source.column_names],
        *[f"`_typed_{c.name}` as `{c.name}`" for c in target.columns],
        *[f"`_problem_{c.name}`" for c in target.columns],
        "_is_copy",
        "_is_conflict",
    )
    reasons = ", ".join(_reasons(source, target))
    judged = plain.selectExpr("*", f"concat_ws('; ', {reasons}) as _all_reasons")
    return judged.selectExpr(
        *[f"`_raw_{c}` as `{c}`" if c in names else f"`{c}`" for c in source.column_names],
        *[f"`{c.name}` as `_typed_{c.name}`" for c in target.columns],
        f"CASE WHEN _is_copy THEN '{DUPLICATE}' WHEN _all_reasons <> '' THEN '{QUARANTINED}'"
        f" ELSE '{PUBLISHED}' END as _fate",
        "nullif(_all_reasons, '') as _reasons",
    )


def _reasons(source: Contract, target: Contract) -> list[str]:
    """SQL for every reason to reject a row, each null where it does not apply."""
    problems = ", ".join(f"`_problem_{column.name}`" for column in target.columns)
    readable = f"coalesce(_malformed_line, {problems}) IS NULL"
    return [
        _reason("_malformed_line IS NOT NULL", f"malformed_line: {source.malformed}"),
        *[f"`_problem_{c.name}`" for c in target.columns],
        _reason(
            f"`{target.partition_column}` <> `{source.partition_column}`",
            f"other_partition: {target.partition_column} is not the partition of the delivery",
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


def alike_rows(delivered: "DataFrame", source: Contract, target: Contract) -> "DataFrame":
    """The rows that could be copies or conflicts: those whose key others have too, and those
    without a whole key. None of a clean delivery.

    Returns:
        Columns of `source`, plus `_key_<column>` for each column of the target's key.
    """
    keyed = delivered.selectExpr(
        "*",
        *[
            f"{value_of(*pair)} as `_key_{pair[0].name}`"
            for pair in _pairs(source, target)
            if pair[0].name in target.key
        ],
    )
    key, whole = _compared_by(source, target), _whole(target)
    repeated = keyed.select(*key).where(whole).groupBy(*key).count().where("count > 1")
    same_key = keyed.join(repeated.drop("count"), key, "left_semi")
    return same_key.unionByName(keyed.where(f"NOT ({whole})"))


def _compared(
    delivered: "DataFrame", alike: "DataFrame", source: Contract, target: Contract
) -> "DataFrame":
    """Add what a row is to the others: `_is_copy` and `_is_conflict`.

    A copy is identical to a row that stands before it in the file. A conflict has the key of
    another row and differs from it; a row without a whole key has none.

    Without windows: `row_number()` alone took Sail 0.7.2 2.4 to 7 s for 840,000 rows.
    """
    from pyspark.sql import functions as F

    delivery = source.partition_column
    # All but where a row came from, and when.
    aside = {delivery, *source.key}
    payload = [name for name in source.column_names if name not in aside and name[0] != "_"]
    same = [*payload, "_malformed_line"]
    order = f"struct({', '.join(f'`{name}`' for name in source.key)})"
    firsts = alike.groupBy(delivery, *same).agg(
        *(F.expr(f"min_by(`{n}`, {order})").alias(n) for n in source.key if n != delivery)
    )
    # The source's key is unique within its partition only.
    row = list(dict.fromkeys((delivery, *source.key)))
    key = _compared_by(source, target)
    versions = alike.where(_whole(target)).select(*key, *same).distinct()
    conflicts = versions.groupBy(*key).count().where("count > 1")
    marks = (
        alike.select(*dict.fromkeys((*row, *key)))
        .join(firsts.selectExpr(*row, "true as _is_first"), row, "left")
        .join(conflicts.selectExpr(*key, "true as _is_conflict"), key, "left")
        .selectExpr(*row, "_is_first IS NULL as _is_repeat", "_is_conflict")
    )
    joined = delivered.join(marks, row, "left")
    return joined.withColumn("_is_copy", F.expr("coalesce(_is_repeat, false)"))


def _compared_by(source: Contract, target: Contract) -> list[str]:
    """The columns by which rows are compared: those of one delivery alone, whatever others are
    read with it. So a row has the same fate in a run of many partitions as in one of its own.
    """
    return [source.partition_column, *_keys(target)]


def _keys(target: Contract) -> list[str]:
    return [f"_key_{name}" for name in target.key]


def _whole(target: Contract) -> str:
    """SQL that holds for rows whose key could be read."""
    return " AND ".join(f"`{name}` IS NOT NULL" for name in _keys(target))


def _typed(rows: "DataFrame", source: Contract, target: Contract) -> "DataFrame":
    """Add the typed value and the problem of every target column."""
    pairs, malformed = _pairs(source, target), "_malformed_line IS NOT NULL"
    values = [f"{value_of(*pair)} as `_typed_{pair[0].name}`" for pair in pairs]
    problems = [
        f"{problem_of(column, found, f'`_typed_{column.name}`', malformed)}"
        f" as `_problem_{column.name}`"
        for column, found in pairs
    ]
    return rows.selectExpr("*", *values).selectExpr("*", *problems)


def _pairs(source: Contract, target: Contract) -> list[tuple[Column, Column]]:
    """Each column of the target with the delivered one that it is read from."""
    delivered = {column.name: column for column in source.columns}
    return [(column, delivered[column.name]) for column in target.columns]


def _reason(condition: str, text: str) -> str:
    # '; ' stands between reasons.
    said = quoted(text.replace("; ", ", "))
    return f"CASE WHEN {condition} THEN {said} END"
