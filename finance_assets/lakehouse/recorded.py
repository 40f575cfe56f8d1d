"""Recorded: what the log proves about a partition, so that its rows need not be read again.

Only the proof belongs here. Who cannot have it reads the rows: audit.py measures them.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from finance_assets.calendar import Window
from finance_assets.lakehouse import audit
from finance_assets.lakehouse.catalog import CatalogHistory
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import TableHistory

if TYPE_CHECKING:
    from finance_assets.lakehouse.store import Lakehouse

EMPTY = audit.EMPTY.fingerprint
# Path and size in bytes of each data file.
Files = dict[str, int]


def stored_fingerprints(
    lakehouse: "Lakehouse", contract: Contract, window: Window, proposed: dict[str, str]
) -> dict[str, str]:
    """The fingerprint of every partition of the window as it is stored.

    Taken from the log where that proves the partition empty, or as proposed. Another recorded
    fingerprint than the proposed one does not prove other rows: it may have been made by another
    edition of this package. Then the stored rows are measured as the proposed ones were.
    """
    recorded = recorded_fingerprints(lakehouse.history(contract.table), window)
    if all(recorded.get(p) in (EMPTY, proposed[p]) for p in window):
        return recorded
    measured = audit.fingerprints(lakehouse.read(contract, window), contract)
    return {partition: measured.get(partition, EMPTY) for partition in window}


def stored_rows(lakehouse: "Lakehouse", contract: Contract, window: Window) -> dict[str, int]:
    """The number of rows of every partition of the window as it is stored.

    Taken from the log where that proves all of them, and else counted.
    """
    known = recorded_fingerprints(lakehouse.history(contract.table), window)
    if len(known) == len(list(window)):
        return {partition: audit.rows_in(fingerprint) for partition, fingerprint in known.items()}
    counted = audit.count_rows(lakehouse.read(contract, window), contract.partition_column)
    return {partition: counted.get(partition, 0) for partition in window}


def recorded_fingerprints(history: TableHistory, window: Window) -> dict[str, str]:
    """The fingerprint of each partition that holds exactly the files that its publication wrote.

    Nothing else is believed of the log, its statistics least of all. A partition is left out when
    a writer around publish added, deleted, restored or compacted files of it, when a file is lost,
    cut short or touched after its commit, and when the log cannot tell: in a catalog, which hides
    the files, with deletion vectors, which change rows and leave their file, and after the entry
    of the publication was cleaned away.
    """
    if isinstance(history, CatalogHistory) or not history.exists:
        return {}
    table = history.open()
    if "deletionVectors" in (table.protocol().reader_features or ()):
        return {}
    [column] = table.metadata().partition_columns
    live = _live_files(table, column)
    written: dict[Path, dict[str, Files]] = {}
    proven = {}
    for partition in window:
        publication, files = history.publication_of(partition), live.get(partition, {})
        if publication is None:
            if not files:
                proven[partition] = EMPTY
            continue
        entry = history.path / "_delta_log" / f"{publication.version:020d}.json"
        if entry not in written:
            written[entry] = _written_files(entry, column)
        if written[entry].get(partition, {}) == files and _are_as_committed(files, entry):
            proven[partition] = publication.fingerprints[partition]
    return proven


def _live_files(table: object, column: str) -> dict[str, Files]:
    """The data files of each partition in the newest version."""
    import pyarrow as pa

    actions = pa.table(table.get_add_actions(flatten=True))  # type: ignore[attr-defined]
    columns = (actions[name].to_pylist() for name in (f"partition.{column}", "path", "size_bytes"))
    live: dict[str, Files] = {}
    for partition, path, size in zip(*columns, strict=True):
        live.setdefault(str(partition), {})[path] = size
    return live


def _written_files(entry: Path, column: str) -> dict[str, Files]:
    """The data files that a commit added to each partition."""
    written: dict[str, Files] = {}
    # Not splitlines(): values in the statistics may hold what Unicode calls a line end.
    for line in entry.read_text("utf-8").split("\n") if entry.exists() else ():
        added = json.loads(line).get("add") if line else None
        if added:
            files = written.setdefault(str(added["partitionValues"][column]), {})
            files[added["path"]] = added["size"]
    return written


def _are_as_committed(files: Files, entry: Path) -> bool:
    """Whether the files lie there, have their size, and are no younger than their commit."""
    if not entry.exists():
        return False
    committed_ns = entry.stat().st_mtime_ns
    found = ((entry.parent.parent / unquote(path), size) for path, size in files.items())
    return all(
        file.exists() and file.stat().st_size == size and file.stat().st_mtime_ns <= committed_ns
        for file, size in found
    )
