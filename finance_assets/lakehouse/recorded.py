"""Recorded: what the log proves about a partition, so that its rows need not be read again.

Only the proof belongs here. Who cannot have it reads the rows: audit.py measures them.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from finance_assets.lakehouse import audit
from finance_assets.lakehouse.catalog import CatalogHistory
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.windows import Window

if TYPE_CHECKING:
    from finance_assets.lakehouse.store import Lakehouse

EMPTY = audit.EMPTY.fingerprint
# Path and size in bytes of each data file.
Files = dict[str, int]


def stored_fingerprints(
    lakehouse: "Lakehouse", contract: Contract, window: Window
) -> dict[str, str]:
    """The fingerprint of every partition of the window as it is stored.

    Taken from the log where that proves all of them, and else measured over the stored rows.
    """
    known = recorded_fingerprints(lakehouse.history(contract.table), window)
    if len(known) == len(list(window)):
        return known
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
    a writer around publish added, deleted, restored or compacted files of it, when a file is lost
    or cut short, and when the log cannot tell: in a catalog, which hides the files, with deletion
    vectors, which change rows and leave their file, and after its entry was cleaned away.
    """
    if isinstance(history, CatalogHistory) or not history.exists:
        return {}
    table = history.open()
    if "deletionVectors" in (table.protocol().reader_features or ()):
        return {}
    [column] = table.metadata().partition_columns
    live = _live_files(table, column)
    written: dict[int, dict[str, Files] | None] = {}
    proven = {}
    for partition in window:
        publication = history.publication_of(partition)
        files = live.get(partition, {})
        if publication is None:
            if not files:
                proven[partition] = EMPTY
            continue
        version = publication.version
        if version not in written:
            written[version] = _written_files(history.path, version, column)
        by_partition = written[version]
        if by_partition is None or by_partition.get(partition, {}) != files:
            continue
        if all(_is_whole(history.path / unquote(path), size) for path, size in files.items()):
            proven[partition] = publication.fingerprints[partition]
    return proven


def _live_files(table: object, column: str) -> dict[str, Files]:
    """The data files of each partition in the newest version."""
    import pyarrow as pa

    live: dict[str, Files] = {}
    for action in pa.table(table.get_add_actions(flatten=True)).to_pylist():  # type: ignore[attr-defined]
        files = live.setdefault(str(action[f"partition.{column}"]), {})
        files[action["path"]] = action["size_bytes"]
    return live


def _written_files(table: Path, version: int, column: str) -> dict[str, Files] | None:
    """The data files that one commit added to each partition; None if its entry is gone."""
    entry = table / "_delta_log" / f"{version:020d}.json"
    if not entry.exists():
        return None
    written: dict[str, Files] = {}
    for line in entry.read_text().splitlines():
        added = json.loads(line).get("add") if line else None
        if added:
            files = written.setdefault(str(added["partitionValues"][column]), {})
            files[added["path"]] = added["size"]
    return written


def _is_whole(file: Path, size: int) -> bool:
    return file.exists() and file.stat().st_size == size
