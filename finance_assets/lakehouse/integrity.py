"""Integrity: whether a table's stored rows are still those that were published.

Measures the rows and compares them with the fingerprint in the commit that published them. Only
that notices a file that was replaced by another of the same size and date.
"""

from finance_assets.calendar import Window
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.recorded import recorded_fingerprints
from finance_assets.lakehouse.store import Lakehouse


def altered_partitions(lakehouse: Lakehouse, contract: Contract, window: Window) -> list[str]:
    """Partitions of the window whose rows are not the published ones, or never were published."""
    history = lakehouse.history(contract.table)
    if not history.exists:
        return list(window)
    stored = audit.fingerprints(lakehouse.read(contract, window), contract)
    return [p for p in window if _published(history, p) != stored.get(p, audit.EMPTY.fingerprint)]


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
    read = lakehouse.read(contract, Window(doubtful[0], doubtful[-1], window.calendar))
    stored = audit.fingerprints(read, contract)
    return [p for p in doubtful if _published(history, p) != stored.get(p, audit.EMPTY.fingerprint)]


def _published(history: TableHistory, partition: str) -> str | None:
    """The fingerprint that was published of a partition; None if it never was."""
    publication = history.publication_of(partition)
    return None if publication is None else publication.fingerprints.get(partition)
