"""Repeats: the same delivery for two partitions of a source, which is a mistake and refused.

Compared are the file's bytes, its rows in any order (however they are compressed), and the rows
apart from the partition itself (so January's rows with the month changed are still January's).
Rows that are merely alike are not judged here.
"""

from collections import defaultdict
from collections.abc import Callable

from finance_assets.errors import DeliveryError
from finance_assets.lakehouse.audit import PartitionFacts
from finance_assets.lakehouse.history import Delivery
from finance_assets.lakehouse.sources.bronze import MALFORMED
from finance_assets.lakehouse.sources.source import Source, SourceColumn

SAMENESS = {
    "sha256": "byte for byte",
    "rows": "row for row",
    "content": "row for row, but for the partition that the rows name",
}


def digests(source: Source, partition_column: str) -> dict[str, str]:
    """SQL aggregates over the rows of a partition, for what a `Delivery` says of them."""
    columns = (*source.columns, SourceColumn(MALFORMED))
    texts = [f"coalesce({_text(column)}, '\\u0000')" for column in columns]
    neutral = [f"replace({text}, `{partition_column}`, '\\u0001')" for text in texts]
    return {"rows": _digest(texts), "content": _digest(neutral)}


def delivery_of(sha256: str, facts: PartitionFacts | None) -> Delivery:
    """What was delivered: a file, and the rows in it, for which `digests` was asked; a source that
    is optional may deliver a file without rows.
    """
    if facts is None:
        return Delivery(sha256, Delivery.NO_ROWS, Delivery.NO_ROWS)
    said = {name: f"{facts.rows}:{digest}" for name, digest in facts.asked.items()}
    return Delivery(sha256, said["rows"], said["content"])


def refuse_repeats(
    source: Source,
    table: str,
    delivered: dict[str, Delivery],
    in_force: dict[str, Delivery],
    is_replaced: Callable[[str], bool],
) -> None:
    """Refuse deliveries that are another partition's.

    `in_force` is what the table's partitions were ingested from; those that are delivered now are
    compared with one another instead. `is_replaced` says that another delivery of a partition
    lies there by now: what it holds is on its way out and stands in nobody's way, so that two
    that were mixed up can be put right one by one.

    Raises:
        DeliveryError: two partitions would hold the same delivery.
    """
    if source.may_repeat:
        return
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    others = {p: delivery for p, delivery in in_force.items() if p not in delivered}
    for partition, delivery in [*others.items(), *sorted(delivered.items())]:
        if delivery.is_empty:
            continue
        for kind, words in SAMENESS.items():
            known = holders[kind, getattr(delivery, kind)]
            for holder in known if partition in delivered else ():
                if holder in delivered or not is_replaced(holder):
                    raise _repeated(source, table, partition, holder, words)
            known.append(partition)


def _repeated(source: Source, table: str, partition: str, holder: str, words: str) -> DeliveryError:
    return DeliveryError(
        f"the delivery for {partition} is the one for {holder}, {words}",
        where=f"{source.file_name(partition)}, {table}[{holder}]",
        remedy=f"ask {source.system} for the rows of {partition}; if {holder} holds the wrong "
        f"ones, have {holder} delivered again: then each is taken, in either order",
    )


def _text(column: SourceColumn) -> str:
    """SQL for a value as text, the same on every engine: they write floating numbers otherwise."""
    if column.type == "string":
        return f"trim(`{column.name}`)"
    value = (
        f"xxhash64(`{column.name}`)" if column.type in ("float", "double") else f"`{column.name}`"
    )
    return f"CASE WHEN `{column.name}` IS NOT NULL THEN cast({value} as string) END"


def _digest(texts: list[str]) -> str:
    """SQL aggregate over rows in any order."""
    return f"cast(sum(cast(xxhash64({', '.join(texts)}) as decimal(38,0))) as string)"
