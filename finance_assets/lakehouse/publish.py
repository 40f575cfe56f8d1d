"""Publish: the one way a table changes. Audit first, then one atomic commit per table.

The rows are staged as Parquet, so that what is audited is, byte for byte, what is committed; where
the staged files are as the table's would be, they become these. A partition whose stable columns
did not change is not written again: the table keeps its version, and nothing downstream is taken
for new.
"""

from dataclasses import dataclass, field, replace

from finance_assets.errors import PublishConflictError
from finance_assets.lakehouse import audit, constraints
from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.columns import schema_problems
from finance_assets.lakehouse.committing import commit, confirm
from finance_assets.lakehouse.contract import Severity
from finance_assets.lakehouse.history import Ledger, Publication, TableHistory
from finance_assets.lakehouse.in_force import changed_partitions, covered, is_news, overtaken
from finance_assets.lakehouse.log_index import renew_index
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.store import Lakehouse


@dataclass(frozen=True)
class Origin:
    """Which run and code a publication comes from, the version of each input table, and a digest
    of what each partition is made from.
    """

    run_id: str
    code_sha: str
    inputs: dict[str, int] = field(default_factory=dict)
    made_from: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishResult:
    """The outcome: the checks, and the publication in force unless a blocking check refused it.

    `changed` lists the partitions whose rows differ from what was stored before, or from what the
    log said of them; without any, no more than a confirmation was committed. `ledgers` are
    complete, also those of refused rows. `fingerprints` tell the content of each partition of the
    window as it stands now.
    """

    outcomes: list[CheckOutcome]
    publication: Publication | None
    changed: tuple[str, ...]
    ledgers: dict[str, Ledger]
    fingerprints: dict[str, str] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        """Whether the table was left as it was because a blocking check failed."""
        return self.publication is None


def publish(lakehouse: Lakehouse, proposal: Proposal, origin: Origin) -> PublishResult:
    """Audit the proposal and, if no blocking check fails, make it the window's content.

    Raises:
        PublishConflictError: other writers won every allowed attempt, or replaced this run's
            rows while it put its rejected ones in order.
    """
    contract, window = proposal.contract, proposal.window
    problems = [p for schema in proposal.schemas for p in schema_problems(schema, contract)]
    if problems:
        return _misshaped(proposal, list(dict.fromkeys(problems)))
    # One action: facts, fingerprints and what the ledgers still lack.
    facts = proposal.facts
    if facts is None:
        facts = audit.measure(proposal.rows, contract, proposal.counted_by)
    empty = [p for p in proposal.meant if p not in facts]
    facts = {**facts, **audit.of_no_rows(proposal.rows, contract, empty)}
    ledgers = proposal.completed(facts)
    outcomes = audit.judge(contract, window, [], facts, ledgers, proposal.rejected)
    outcomes += proposal.outcomes
    failed = [outcome.check for outcome in outcomes if not outcome.is_passed]
    if any(check.severity is Severity.block for check in failed):
        return PublishResult(outcomes, None, (), ledgers)
    publication = Publication(
        table=contract.table,
        first=window.first,
        last=window.last,
        ledgers=ledgers,
        fingerprints={p: facts[p].fingerprint for p in proposal.meant},
        failed_checks=_failed_by_partition(outcomes),
        run_id=origin.run_id,
        code_sha=origin.code_sha,
        inputs=origin.inputs,
        made_from=origin.made_from,
        deliveries=proposal.deliveries,
        files=proposal.delivered_files,
        constants=proposal.constants,
        measured_by=audit.measured_by(contract),
    )
    return _commit_with_rejected(lakehouse, proposal, publication, outcomes)


def _commit_with_rejected(
    lakehouse: Lakehouse,
    proposal: Proposal,
    publication: Publication,
    outcomes: list[CheckOutcome],
) -> PublishResult:
    """Commit the rows, and what was rejected of them before: each partition's are of one run."""
    if proposal.quarantine is None:
        return _commit_changes(lakehouse, proposal, publication, outcomes)
    sibling = _publish_quarantine(lakehouse, proposal, publication)
    result = _commit_changes(lakehouse, proposal, publication, outcomes)
    # In this order: a run writes its rejected rows before its rows. Where those are ours still, it
    # comes here after us.
    theirs = overtaken(lakehouse.history(sibling.table), sibling)
    lost = overtaken(lakehouse.history(publication.table), publication) if theirs else ()
    mixed = [p for p in theirs if p not in lost]
    if mixed:
        # Another run of these put its rejected rows there, and ours are the good ones.
        ours = publication.only(mixed)
        _publish_quarantine(lakehouse, proposal, ours)
        if lost := overtaken(lakehouse.history(ours.table), ours):
            raise PublishConflictError(
                "another run published its rows while this one wrote those that it rejected",
                where=f"{ours.table}, {', '.join(lost)}",
                remedy="run these partitions again: their rows and rejected rows are of two runs",
            )
    return result


def _misshaped(proposal: Proposal, problems: list[str]) -> PublishResult:
    """What becomes of rows that are not the contract's: nothing else is asked of them."""
    ledgers = proposal.completed({})
    outcomes = audit.judge(proposal.contract, proposal.window, problems, {}, ledgers)
    return PublishResult([o for o in outcomes if o.check.name == "schema"], None, (), ledgers)


def _failed_by_partition(outcomes: list[CheckOutcome]) -> dict[str, list[str]]:
    """Names of the failed checks of each partition that has any."""
    failed: dict[str, list[str]] = {}
    for outcome in outcomes:
        if not outcome.is_passed:
            for partition in outcome.by_partition:
                failed.setdefault(partition, []).append(outcome.check.name)
    return failed


def _publish_quarantine(
    lakehouse: Lakehouse, proposal: Proposal, publication: Publication
) -> Publication:
    """Write the rejected rows first: a crash in between loses nothing and a re-run mends it.

    Returns what is said of them.
    """
    assert proposal.quarantine is not None
    contract, rows = proposal.quarantine
    is_any = any(ledger.quarantined for ledger in publication.ledgers.values())
    found = audit.fingerprints(rows, contract) if is_any else {}
    ledgers = {p: Ledger(x.quarantined, x.quarantined) for p, x in publication.ledgers.items()}
    sibling = replace(
        publication,
        table=contract.table,
        ledgers=ledgers,
        fingerprints={p: found.get(p, audit.EMPTY.fingerprint) for p in publication.partitions},
        measured_by=audit.measured_by(contract),
        failed_checks={},
        made_from={},
        deliveries={},
        files={},
        constants={},
    )
    rejected = Proposal(contract, proposal.window, rows, ledgers).only(publication.partitions)
    _commit_changes(lakehouse, rejected, sibling, [])
    return sibling


def _commit_changes(
    lakehouse: Lakehouse,
    proposal: Proposal,
    publication: Publication,
    outcomes: list[CheckOutcome],
) -> PublishResult:
    """Commit the partitions that do not yet hold these very rows with this very accounting."""
    contract, window = proposal.contract, proposal.window
    history = lakehouse.ensure(contract)
    changed, looked_at = changed_partitions(history, proposal, publication), history.reading.newest
    meant = proposal.meant
    written = [p for p in meant if p in changed or history.in_force(p) is None] if changed else []
    news = [p for p in meant if p not in written and is_news(history, publication, p)]
    if written:
        constraints.release_outdated(history.stored, contract)
        commit(lakehouse, proposal.only(written), publication.only(written))
        history = TableHistory(lakehouse.table(contract.table), history.reading)
        constraints.enforce(history.stored, contract)
    if news:
        confirmation = replace(publication.only(news), is_confirmation=True)
        confirm(lakehouse, history.stored, proposal.only(news), confirmation)
        if met := covered(lakehouse.history(contract.table), confirmation, looked_at):
            # Others changed the rows before our word came: it would be said of theirs.
            commit(lakehouse, proposal.only(met), publication.only(met))
            history = lakehouse.history(contract.table)
            changed = tuple(p for p in meant if p in changed or p in met)
    if written or news:
        _keep_fast(history)
    # A partition that was empty and stays empty has no rows of its own to publish.
    unwritten = replace(publication, version=history.version)
    known = [one for one in map(history.publication_of, window) if one is not None]
    in_force = max(known, key=lambda one: one.version, default=unwritten)
    return PublishResult(outcomes, in_force, changed, publication.ledgers, publication.fingerprints)


def _keep_fast(history: TableHistory) -> None:
    """Let the next publication read as little of the log as this one."""
    if renew_index(history.stored, history.reading):
        history.stored.checkpoint()
