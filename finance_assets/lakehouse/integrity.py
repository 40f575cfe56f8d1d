"""Integrity: whether a table's stored rows are still those that were published.

Compares rows with the fingerprint in the commit that published them, so it needs the engine.
Whether commits were made around us at all is asked of the log alone (`foreign_versions`).
"""

from finance_assets.lakehouse import audit
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.windows import Window


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
