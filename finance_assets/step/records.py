"""Results of publications, and publishing small tables whose rows are made in Python."""

from collections.abc import Sequence
from typing import Any

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.publish import PublishResult
from finance_assets.step.declaration import StepContext, StepResult


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


def as_result(
    published: PublishResult, ledgers: dict[str, Ledger], preview: list[dict[str, object]]
) -> StepResult:
    """The step result of a publication, with its accounting as metadata."""
    return StepResult(
        outcomes=published.outcomes,
        publication=published.publication,
        changed=published.changed,
        fingerprints=published.fingerprints,
        metadata={
            "rows": sum(x.published for x in ledgers.values()),
            "rows_delivered": sum(x.delivered for x in ledgers.values()),
            "rows_quarantined": sum(x.quarantined for x in ledgers.values()),
            "rows_duplicate": sum(x.duplicates for x in ledgers.values()),
        },
        preview=preview,
    )
