"""Rejections: why rows were rejected, the most frequent reasons first, each with examples.

Personal data stays out of the examples, as they go into checks, errors and events. The rejected
rows themselves are in the quarantine, or shown by `finance-assets rejects`.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.stored import Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SEPARATOR = "; "
TOP = 3
SHOWN_CHARACTERS = 40
SHOWN_REASONS = 200


@dataclass(frozen=True)
class Rejection:
    """A reason, how many rows have it (a row can have several), and where the first and the last
    of them stand, with the values that the reason speaks about.
    """

    reason: str
    rows: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        """The rejection as one sentence."""
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return f"{self.reason} ({rows}, such as {' and '.join(self.examples)})"


def why_rejected(
    rejected: "DataFrame", source: Contract, target: Contract
) -> dict[str, list[Rejection]]:
    """The reasons of each partition of some rejected rows, in one action.

    `rejected` has the columns of the source and `_reasons`.
    """
    shown = _shown(source)
    values = ", ".join(
        f"'{name}', substr(cast(`{name}` as string), 1, {SHOWN_CHARACTERS})" for name in shown
    )
    row = f"named_struct('_source_file', _source_file, '_source_line', _source_line, {values})"
    grouped = (
        rejected.selectExpr(
            f"`{source.partition_column}` as _partition",
            f"explode(split(_reasons, '{SEPARATOR}')) as _reason",
            "_source_line",
            f"{row} as _row",
        )
        .groupBy("_partition", "_reason")
        .agg(*_aggregates())
        .collect()
    )
    columns = _columns_by_name(source, target)
    found: dict[str, list[Rejection]] = {}
    for one in sorted(grouped, key=lambda one: (-one["_count"], one["_reason"])):
        name = one["_reason"].split(":")[0]
        rows = [one["_first"].asDict(), one["_last"].asDict()]
        examples = dict.fromkeys(_example(r, columns.get(name, ())) for r in rows)
        rejection = Rejection(one["_reason"], int(one["_count"]), tuple(examples))
        found.setdefault(str(one["_partition"]), []).append(rejection)
    return found


def as_markdown(rejected: dict[str, list[Rejection]]) -> str:
    """The reasons as a table for Dagster's pages."""
    lines = [
        " | ".join(
            cell.replace("|", "\\|")
            for cell in (partition, one.reason, str(one.rows), ", ".join(one.examples))
        )
        for partition, rejections in sorted(rejected.items())
        for one in rejections
    ]
    more = f"\n\n{len(lines) - SHOWN_REASONS} more" if len(lines) > SHOWN_REASONS else ""
    shown = "\n".join(f"| {line} |" for line in lines[:SHOWN_REASONS])
    return f"| partition | reason | rows | such as |\n|---|---|---|---|\n{shown}{more}"


def _aggregates() -> list[Any]:
    from pyspark.sql import functions as F

    return [
        F.expr("count(*) as _count"),
        F.expr("min_by(_row, _source_line) as _first"),
        F.expr("max_by(_row, _source_line) as _last"),
    ]


def _shown(source: Contract) -> list[str]:
    """The delivered columns whose values may be shown."""
    return [c.name for c in source.columns if not c.is_pii and not c.name.startswith("_")]


def _columns_by_name(source: Contract, target: Contract) -> dict[str, tuple[str, ...]]:
    """The columns that a reason speaks about, by the name in front of it."""
    known = _shown(source)
    spoken: dict[str, tuple[str, ...]] = {name: (name,) for name in known}
    for rule in target.row_rules:
        words = set(re.findall(r"\w+", rule.condition))
        spoken[rule.name] = tuple(name for name in known if name in words)
    spoken["other_partition"] = tuple(name for name in known if name == target.partition_column)
    spoken["conflicting_duplicate"] = tuple(name for name in known if name in target.key)
    return spoken


def _example(row: Row, columns: tuple[str, ...]) -> str:
    place = f"{row['_source_file']}:{row['_source_line']}"
    values = ", ".join(f"{name}={row[name]!r}" for name in columns)
    return f"{place} ({values})" if values else place
