"""Recorded: what the log proves about a partition, so that its rows need not be read again.

Only the proof belongs here. Who cannot have it reads the rows: audit.py measures them.
"""

from typing import TYPE_CHECKING

from finance_assets.calendar import Window
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import TableHistory

if TYPE_CHECKING:
    from finance_assets.lakehouse.store import Lakehouse

EMPTY = audit.EMPTY.fingerprint


def stored_fingerprints(
    history: TableHistory, contract: Contract, window: Window, proposed: dict[str, str]
) -> dict[str, str]:
    """The fingerprint of every partition of the window as it is stored.

    Taken from the log where that proves the partition empty, or as proposed. Another recorded
    fingerprint than the proposed one does not prove other rows: it may have been made by another
    edition of this package. Then the stored rows are measured as the proposed ones were.
    """
    recorded = recorded_fingerprints(history, window)
    if all(recorded.get(p) in (EMPTY, said) for p, said in proposed.items()):
        return recorded
    rows = history.stored.frame().where(window.predicate(contract.partition_column))
    measured = audit.fingerprints(rows, contract)
    return {partition: measured.get(partition, EMPTY) for partition in window}


def stored_rows(
    lakehouse: "Lakehouse", contract: Contract, window: Window, at: int | None = None
) -> dict[str, int]:
    """The number of rows of every partition of the window as it is stored, or was at a version.

    Taken from the log where that proves all of them, and else counted.
    """
    history = lakehouse.history(contract.table)
    if at is None or at == history.version:
        known = recorded_fingerprints(history, window)
        if len(known) == len(list(window)):
            return {p: audit.rows_in(fingerprint) for p, fingerprint in known.items()}
    counted = audit.count_rows(lakehouse.read(contract, window, at), contract.partition_column)
    return {partition: counted.get(partition, 0) for partition in window}


def recorded_fingerprints(history: TableHistory, window: Window) -> dict[str, str]:
    """The fingerprint of each partition that holds exactly the files that its publication wrote.

    A partition is left out when that is not so, or the stored table cannot know it.
    """
    found = {partition: history.publication_of(partition) for partition in window}
    proven = history.untouched({p: x.version if x else None for p, x in found.items()})
    return {
        partition: publication.fingerprints[partition] if publication else EMPTY
        for partition, publication in found.items()
        if partition in proven
    }
