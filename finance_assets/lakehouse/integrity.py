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
    stored = audit.fingerprints(lakehouse.read(contract, window), contract)
    published = {p for one in history.publications for p in one.partitions}
    partitions = list(window) if window is not None else sorted(published | set(stored))
    return _differing(lakehouse, contract, history, partitions, stored)


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
    stored = audit.fingerprints(lakehouse.read(contract, around), contract)
    return _differing(lakehouse, contract, history, doubtful, stored)


def _differing(
    lakehouse: Lakehouse,
    contract: Contract,
    history: TableHistory,
    partitions: list[str],
    stored: dict[str, str],
) -> list[str]:
    """Those of the partitions that hold other rows than were published, or never were.

    Since a contract's columns changed, fingerprints are made in another way than the recorded ones
    were. Then the rows are measured once more, as they were when they were published.
    """
    found = {p: history.publication_of(p) for p in partitions}
    ours = audit.measured_by(contract)
    published = {
        p: one.fingerprints.get(p) for p, one in found.items() if one and one.is_comparable(ours)
    }
    others = {p: one.version for p, one in found.items() if one and p not in published}
    for version in sorted(set(others.values())):
        alike = [p for p, at in others.items() if at == version]
        rows = lakehouse.read(contract, Window(min(alike), max(alike)), version)
        then = audit.fingerprints(rows, contract)
        published |= {p: then.get(p, EMPTY) for p in alike}
    return [p for p in partitions if stored.get(p, EMPTY) != published.get(p)]
