"""Integrity: whether a table's stored rows are still those that were published.

The log proves it where a partition holds exactly the files that its publication wrote; else the
rows are measured and compared with the fingerprint in the commit that published them.
"""

from finance_assets.lakehouse import audit
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.recorded import recorded_fingerprints
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.windows import Window


def altered_partitions(lakehouse: Lakehouse, contract: Contract, window: Window) -> list[str]:
    """Partitions of the window whose rows are not the published ones, or never were published."""
    history = lakehouse.history(contract.table)
    if not history.exists:
        return list(window)
    published = {partition: history.publication_of(partition) for partition in window}
    proven = recorded_fingerprints(history, window)
    if all(partition in proven for partition in window):
        return [partition for partition in window if published[partition] is None]
    stored = audit.fingerprints(lakehouse.read(contract, window), contract)
    altered = []
    for partition, publication in published.items():
        found = stored.get(partition, audit.EMPTY.fingerprint)
        if publication is None or publication.fingerprints.get(partition) != found:
            altered.append(partition)
    return altered
