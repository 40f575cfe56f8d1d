"""Integrity: whether a table's stored rows are still those that were published.

Measures the rows and compares them with the fingerprint in the commit that published them. Only
that notices a file that was replaced by another of the same size and date.
"""

from finance_assets.calendar import Window
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.store import Lakehouse


def altered_partitions(lakehouse: Lakehouse, contract: Contract, window: Window) -> list[str]:
    """Partitions of the window whose rows are not the published ones, or never were published."""
    history = lakehouse.history(contract.table)
    if not history.exists:
        return list(window)
    stored = audit.fingerprints(lakehouse.read(contract, window), contract)
    altered = []
    for partition in window:
        published = history.publication_of(partition)
        found = stored.get(partition, audit.EMPTY.fingerprint)
        if published is None or published.fingerprints.get(partition) != found:
            altered.append(partition)
    return altered
