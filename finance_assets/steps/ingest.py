"""Ingesting: take over a source's deliveries as they came, into its bronze table."""

from datetime import UTC, datetime
from pathlib import Path

from finance_assets.codec import Json
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.archive import DeliveryArchive, Received, sha256_of
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import Delivery, Ledger
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.repeats import delivery_of, digests, refuse_repeats
from finance_assets.lakehouse.sources.bronze import require_bronze
from finance_assets.lakehouse.sources.diagnosis import explain_gone, explain_missing
from finance_assets.lakehouse.sources.reader import Arrival, Staged
from finance_assets.lakehouse.sources.source import Source
from finance_assets.settings import Settings
from finance_assets.step.declaration import Kind, Step, StepContext, StepResult
from finance_assets.step.records import DELIVERED_AT, publish_staged


def deliveries_folder(settings: Settings, use_case: str, samples: Path) -> Path:
    """Where the deliveries of a use case lie: its own folder of the landing, or its samples."""
    return settings.landing / use_case if settings.landing else samples


def has_come(settings: Settings, use_case: str, samples: Path, step: Step, partition: str) -> bool:
    """Whether the file of a partition, which the step would take over, lies there."""
    folder = deliveries_folder(settings, use_case, samples)
    return step.source is not None and step.source.path(folder, partition).exists()


def ingest_step(use_case: str, source: Source, contract: Contract, samples: Path) -> Step:
    """Bronze: take over every delivered row as it came. `samples` is read without a landing.

    Raises:
        DeclarationError: the contract is not that of the source's rows.
    """
    require_bronze(source, contract)

    def run(ctx: StepContext) -> StepResult:
        folder = deliveries_folder(ctx.settings, use_case, samples)
        archive = DeliveryArchive(ctx.settings.archive_root)
        with ctx.lakehouse.staging() as staging, archive.incoming() as incoming:
            received: dict[str, Received] = {}
            arrivals = []
            for partition, path in _present(ctx, source, contract, folder, use_case).items():
                ctx.report(f"reading {path.name}")
                received[partition] = archive.receive(path, incoming)
                arrivals.append(Arrival(partition, path, received[partition].path))
            staged = _staged(ctx, source, contract, arrivals, staging)
            for note in staged.notes:
                ctx.report(note)
            asked = digests(source, contract.partition_column)
            # Of nothing there is nothing to ask the engine.
            facts = audit.measure(staged.rows, contract, asked=asked) if arrivals else {}
            deliveries = {p: delivery_of(r.sha256, facts.get(p)) for p, r in received.items()}
            _refuse_repeats(ctx, source, contract, folder, deliveries)
            # Kept first: a publication never names a file that is not there.
            for copy in received.values():
                archive.keep(copy, stays=source.format.reads_copies)
            staged_rows = {p: facts.get(p, audit.EMPTY).rows for p in ctx.window}
            ledgers = {p: Ledger(staged.counts.get(p, 0), n) for p, n in staged_rows.items()}
            proposal = Proposal(
                contract,
                ctx.window,
                staged.rows,
                ledgers,
                deliveries=deliveries,
                delivered_files={p: copy.file for p, copy in received.items()},
                files=staged.files_of(ctx.window),
                facts=facts,
            )
            return _timed(ctx, contract, publish_staged(ctx, proposal))

    code = (type(source.format),)
    return Step(use_case, Kind.ingest, contract, (), run, code, declared=source, source=source)


def _timed(ctx: StepContext, contract: Contract, result: StepResult) -> StepResult:
    """The result, with when the files came that the rows are of, as the log has it, and how late
    those were that it took over as new. Those of a history that is loaded at once came when it was
    loaded.
    """
    came = ctx.lakehouse.history(contract.table).delivered_at()
    calendar, now = ctx.window.calendar, datetime.now(UTC)
    for partition in ctx.window:
        facts: dict[str, Json] = {}
        if partition in came:
            facts[DELIVERED_AT] = came[partition].isoformat()
        if calendar is not None and partition in result.changed:
            facts["hours_late"] = round(calendar.hours_late(partition, now), 2)
        if facts:
            result.by_partition[partition] = facts
    return result


def _refuse_repeats(
    ctx: StepContext,
    source: Source,
    contract: Contract,
    folder: Path,
    deliveries: dict[str, Delivery],
) -> None:
    """Refuse what another partition holds, unless that has a new delivery lying there itself.

    Raises:
        DeliveryError: two partitions would hold the same delivery.
    """
    in_force = ctx.lakehouse.history(contract.table).deliveries()

    def is_replaced(partition: str) -> bool:
        path = source.path(folder, partition)
        return path.exists() and sha256_of(path) != in_force[partition].sha256

    refuse_repeats(source, contract.table, deliveries, in_force, is_replaced)


def _present(
    ctx: StepContext, source: Source, contract: Contract, folder: Path, use_case: str
) -> dict[str, Path]:
    """The files of the window's partitions, without those that need not come and did not.

    Raises:
        DeliveryError: a file is missing: a partition must have one, or had one with rows before.
    """
    known = ctx.lakehouse.history(contract.table).deliveries()
    paths = {}
    for partition in ctx.window:
        path = source.path(folder, partition)
        if path.exists():
            paths[partition] = path
        elif source.is_expected(partition):
            raise explain_missing(path, use_case)
        elif partition in known and not known[partition].is_empty:
            # After the last one its table has to have rows: then one without them is no way out.
            gone = explain_gone(path) if source.may_be_absent else explain_missing(path, use_case)
            raise gone
        else:
            ctx.report(f"{path.name} did not come, and need not")
    return paths


def _staged(
    ctx: StepContext, source: Source, contract: Contract, arrivals: list[Arrival], folder: Path
) -> Staged:
    """The rows of what arrived, which may be nothing."""
    if not arrivals:
        return Staged(ctx.lakehouse.no_rows(contract), {})
    return source.format.stage(ctx.lakehouse.spark, source, contract, arrivals, folder)
