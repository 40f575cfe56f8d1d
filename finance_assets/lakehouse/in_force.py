"""In force: what a table's log says of a publication that a run is to make, or has made.

Questions only. What is committed for an answer belongs to publish.py.
"""

from finance_assets.lakehouse.history import Publication, TableHistory
from finance_assets.lakehouse.log_index import Record
from finance_assets.lakehouse.proposal import Proposal
from finance_assets.lakehouse.recorded import stored_fingerprints


def changed_partitions(
    history: TableHistory, proposal: Proposal, publication: Publication
) -> tuple[str, ...]:
    """The partitions that hold other rows, or of which the log says other rows or accounting.

    Both: others may have put back what was once published. What was made from the rows before goes
    by what the log says.
    """
    window, proposed = proposal.window, publication.fingerprints
    stored = stored_fingerprints(history, proposal.contract, window, proposed)
    return tuple(
        partition
        for partition in proposal.meant
        if stored[partition] != proposed[partition] or _differs(history, publication, partition)
    )


def is_news(history: TableHistory, publication: Publication, partition: str) -> bool:
    """Whether the rows are as stored, but the record of them is not what this run says."""
    known = history.in_force(partition)
    return (
        known is None
        or known.says(partition) != publication.says(partition)
        or history.altered_at(partition) is not None
    )


def overtaken(history: TableHistory, publication: Publication) -> tuple[str, ...]:
    """The partitions of which another run said something else since a publication was made."""
    return tuple(
        partition
        for partition in publication.partitions
        if _differs(history, publication, partition) or is_news(history, publication, partition)
    )


def covered(history: TableHistory, confirmed: Publication, since: int) -> tuple[str, ...]:
    """The partitions where a run's confirmation is the newest word, over rows that others changed
    after it had looked at them.

    Args:
        history: as it is after the confirmation.
        confirmed: what the run confirmed.
        since: the version at which it looked.
    """
    later = [record for record in history.reading.records if record.commit.version > since]
    return tuple(
        partition
        for partition in confirmed.partitions
        if (known := history.in_force(partition)) is not None
        and known.run_id == confirmed.run_id
        and known.is_confirmation
        and known.says(partition) == confirmed.says(partition)
        and any(_may_change(record, partition) for record in later)
    )


def _may_change(record: Record, partition: str) -> bool:
    """Whether a commit may have changed the rows of a partition, whoever made it."""
    if record.partitions is not None:
        return partition in record.partitions and not record.is_confirmation
    return record.commit.changed is None or partition in record.commit.changed


def _differs(history: TableHistory, publication: Publication, partition: str) -> bool:
    """Whether the log tells of other rows of a partition, in terms that can be compared, or of
    another accounting.
    """
    if history.ledger_of(partition) != publication.ledgers[partition]:
        return True
    known = history.publication_of(partition)
    if known is None or not known.is_comparable(publication.measured_by):
        return False
    return known.fingerprints[partition] != publication.fingerprints[partition]
