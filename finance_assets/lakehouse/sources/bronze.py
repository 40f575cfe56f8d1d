"""Bronze: the table that takes over a source's rows as they came, derived from the source."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from finance_assets.declarations import Mistake, refuse
from finance_assets.lakehouse.contract import Column, Contract

if TYPE_CHECKING:
    from finance_assets.lakehouse.sources.source import Source, SourceColumn

MALFORMED, SOURCE_FILE, LINE, INGESTED_AT = (
    *("_malformed_line", "_source_file"),
    *("_source_line", "_ingested_at"),
)


def bronze_contract(
    source: "Source",
    table: str,
    description: str,
    partition_column: str = "delivered_for",
    partition_description: str = "Partition that the delivery is for",
) -> Contract:
    """The contract of the table that holds a source's rows as they came, and where from.

    Raises:
        DeclarationError: the source declares no column, or the table is no good contract.
    """
    if not source.columns:
        nothing = Mistake("columns", "no column is declared", "declare `columns`")
        refuse(f"source {source.file_pattern!r}", [nothing])
    return Contract(
        table=table,
        description=description,
        columns=(
            *(_column(source, column) for column in source.columns),
            Column(partition_column, "string", partition_description),
            Column(
                MALFORMED,
                "string",
                f"The whole line, when {_its(source.format.malformed)}",
                is_nullable=True,
                is_pii=True,
            ),
            Column(SOURCE_FILE, "string", "Name of the delivered file"),
            Column(LINE, "bigint", "Line in that file; the header is line 1"),
            Column(INGESTED_AT, "timestamp", "When the row was taken over (UTC)", is_volatile=True),
        ),
        key=(SOURCE_FILE, LINE),
        partition_column=partition_column,
        min_rows=0 if source.may_be_absent else 1,
        malformed=source.format.malformed,
    )


def require_bronze(source: "Source", contract: Contract) -> None:
    """Refuse a bronze contract that is not the source's.

    Raises:
        DeclarationError: naming every column that differs.
    """
    refuse(f"contract {contract.table}", _mistakes(source, contract))


def _mistakes(source: "Source", contract: Contract) -> Iterator[Mistake]:
    wanted = bronze_contract(
        source, contract.table, contract.description, contract.partition_column
    )
    derived = "derive the contract: bronze_contract(source, table, description)"
    found = {column.name: column for column in contract.columns}
    for column in wanted.columns:
        known = found.pop(column.name, None)
        if known is None or (known.type, known.null_tokens) != (column.type, column.null_tokens):
            what = f"is not as the source {source.file_pattern!r} declares it"
            yield Mistake(f"column {column.name}", what, derived)
    for name in found:
        yield Mistake(
            f"column {name}", f"the source {source.file_pattern!r} does not deliver it", derived
        )
    if source.may_be_absent and contract.min_rows:
        what = "a partition may come without a file, but the table wants rows in each"
        yield Mistake("min_rows", what, "min_rows=0")


def _column(source: "Source", column: "SourceColumn") -> Column:
    return Column(
        column.name,
        column.type,
        column.description or f"`{column.delivered_name}` as delivered",
        is_nullable=True,
        is_pii=column.is_pii,
        null_tokens=(*source.null_tokens, *column.null_tokens),
        may_be_infinite=column.type == "double",
    )


def _its(what: str) -> str:
    """`the number of fields is wrong` as a part of a sentence about the line."""
    return what.replace("the number", "its number", 1)
