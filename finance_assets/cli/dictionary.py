"""The data dictionary: every table's contract as Markdown, for docs/data_dictionary.md."""

from collections.abc import Iterator

from finance_assets.lakehouse.contract import Contract, RowRule, TableRule
from finance_assets.model_life.journals import journals_of
from finance_assets.step.use_case import UseCase


def data_dictionary(use_cases: dict[str, UseCase]) -> str:
    """Markdown for every table of every use case, in the order of the steps."""
    lines = [
        "# Data dictionary",
        "",
        "Rendered from the contracts by `finance-assets dictionary`; a test fails when stale.",
    ]
    for use_case in use_cases.values():
        lines += ["", f"## {use_case.name}", "", use_case.title]
        for step in use_case.steps:
            lines += _table(step.contract)
        for contract in journals_of(use_case):
            lines += _table(contract)
    return "\n".join(lines) + "\n"


def _table(contract: Contract) -> Iterator[str]:
    yield from ("", f"### {contract.table}", "", contract.description, "")
    yield f"Key: {', '.join(contract.key)}. Partitioned by {contract.partition_column}."
    yield from ("", "| column | type | null | meaning | from |", "|---|---|---|---|---|")
    for column in contract.columns:
        null = "yes" if column.is_nullable else "no"
        sources = ", ".join(column.derived_from)
        yield f"| {column.name} | {column.type} | {null} | {column.comment} | {sources} |"
    rules: list[RowRule | TableRule] = [*contract.row_rules, *contract.table_rules]
    if rules:
        yield from ("", "Rules:", "")
    for rule in rules:
        yield f"- `{rule.name}`: {rule.reason} (`{rule.condition}`)"
