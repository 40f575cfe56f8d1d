"""Publishing what a step made, staged or as records in Python, and its result."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.proposal import Proposal, staged_files
from finance_assets.lakehouse.publish import PublishResult
from finance_assets.lakehouse.rejections import as_markdown
from finance_assets.lakehouse.staged import write_records
from finance_assets.lakehouse.stored import Row
from finance_assets.step.declaration import StepContext, StepResult

PREVIEW_ROWS = 5
# The fact that says when the file of a partition was written.
DELIVERED_AT = "delivered_at"


def publish_records(ctx: StepContext, contract: Contract, records: Sequence[Row]) -> StepResult:
    """Publish the records as the window's rows."""
    counts = Counter(record[contract.partition_column] for record in records)
    ledgers = {p: Ledger(counts[p], counts[p]) for p in ctx.window}
    with ctx.lakehouse.staging() as folder:
        rows = ctx.lakehouse.staged_rows(contract, [write_records(folder, contract, records)])
        files = staged_files(ctx.window, folder)
        published = ctx.publish(Proposal(contract, ctx.window, rows, ledgers, files=files))
    return as_result(published, ledgers, list(records)[:20])


def publish_staged(ctx: StepContext, proposal: Proposal) -> StepResult:
    """Publish staged rows, and report with a few to look at."""
    rows = proposal.preview(PREVIEW_ROWS)
    published = ctx.publish(proposal)
    result = as_result(published, published.ledgers, _masked(proposal.contract, rows))
    if not proposal.rejected:
        return result
    return replace(result, documents={"Rejected rows": as_markdown(proposal.rejected)})


def _masked(contract: Contract, rows: list[Row]) -> list[Row]:
    """Preview rows without personal data: they end up in Dagster's event log."""
    private = {column.name for column in contract.columns if column.is_pii}
    return [{k: "•••" if k in private else v for k, v in row.items()} for row in rows]


def as_result(
    published: PublishResult, ledgers: dict[str, Ledger], preview: list[Row]
) -> StepResult:
    """The step result of a publication, with its accounting."""
    return StepResult(
        outcomes=published.outcomes,
        publication=published.publication,
        changed=published.changed,
        fingerprints=published.fingerprints,
        ledgers=ledgers,
        preview=preview,
    )
