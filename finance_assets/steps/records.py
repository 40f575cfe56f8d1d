"""Records: publishing the small tables whose rows are made in Python (models, monitoring)."""

from collections.abc import Sequence
from typing import Any

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.steps.step import StepContext, StepResult
from finance_assets.steps.table import as_result


def publish_records(
    ctx: StepContext, contract: Contract, records: Sequence[dict[str, Any]]
) -> StepResult:
    """Publish the records as the window's rows."""
    ddl = ", ".join(f"`{column.name}` {column.type}" for column in contract.columns)
    rows = [tuple(record[name] for name in contract.column_names) for record in records]
    frame = ctx.lakehouse.spark.createDataFrame(rows, ddl)
    partitions = [record[contract.partition_column] for record in records]
    ledgers = {p: Ledger(partitions.count(p), partitions.count(p)) for p in ctx.window}
    published = ctx.publish(Proposal(contract, ctx.window, frame, ledgers))
    return as_result(published, ledgers, list(records)[:20])
