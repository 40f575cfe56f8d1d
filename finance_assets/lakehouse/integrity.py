"""Integrity: whether a table's stored rows are still those that were published.

Measures the rows and compares them with the fingerprint in the commit that published them. Only
that notices a file that was replaced by another of the same size and date; where the contract's
columns changed since, not even that, until the partition is published again.
"""

from finance_assets.calendar import Window
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.recorded import EMPTY, recorded_fingerprints
from finance_assets.lakehouse.store import Lakehouse


def altered_partitions(
    lakehouse: Lakehouse, contract: Contract, window: Window | None = None
) -> list[str]:
    """Partitions of the window whose rows are not the published ones, or never were published.

    Without a window, of all that are stored or ever were published. All are read at once.
    """
    history = lakehouse.history(contract.table)
    if not history.exists:
        return list(window or ())
    return _other_rows(lakehouse, contract, history, list(window or ()), window)


def unproven_alterations(lakehouse: Lakehouse, contract: Contract, window: Window) -> list[str]:
    """Published partitions of the window whose rows are not the published ones.

    Rows are read only where the log does not prove them: a commit may call itself a compaction and
    bring other rows. Where it does, a file that was replaced by another of the same size and date
    goes unnoticed; see `altered_partitions`.
    """
    history = lakehouse.history(contract.table)
    proven = recorded_fingerprints(history, window)
    doubtful = [p for p in window if p not in proven and history.publication_of(p) is not None]
    if not doubtful:
        return []
    around = Window(doubtful[0], doubtful[-1], window.calendar)
    return _other_rows(lakehouse, contract, history, doubtful, around)


def _other_rows(
    lakehouse: Lakehouse,
    contract: Contract,
    history: TableHistory,
    partitions: list[str],
    around: Window | None,
) -> list[str]:
    """Those of the partitions that hold other rows than were published, or never were."""
    stored = audit.fingerprints(lakehouse.read(contract, around), contract)
    if around is None:
        published = {p for one in history.publications for p in one.partitions}
        partitions = sorted(published | set(stored))
    return [
        partition
        for partition in partitions
        if stored.get(partition, EMPTY)
        != _published(lakehouse, contract, history, Window(partition, partition))
    ]


def _published(
    lakehouse: Lakehouse, contract: Contract, history: TableHistory, partition: Window
) -> str | None:
    """The fingerprint of what was published of a partition; None if nothing ever was.

    Since a contract's columns changed, fingerprints are made in another way than the recorded one
    was. Then the rows are measured once more, as they were when they were published.
    """
    publication = history.publication_of(partition.first)
    if publication is None:
        return None
    if publication.measured_by in ("", audit.measured_by(contract)):
        return publication.fingerprints.get(partition.first)
    then = lakehouse.read(contract, partition, publication.version)
    return audit.fingerprints(then, contract).get(partition.first, EMPTY)
