"""The data files of a table in a folder: how many, how small, and whether they are as committed.

Nothing but their names and sizes is believed of the log, its statistics least of all.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from finance_assets.lakehouse.commit_files import Files, entry_path, written_files
from finance_assets.lakehouse.stored import Size

if TYPE_CHECKING:
    import pyarrow as pa

# Files of this size are read at full speed; deltalake's own choice.
TARGET_BYTES = 100 * 1024 * 1024


def size_of(delta: Any) -> Size:
    """The data files of the newest version."""
    sizes = [size for files in _live_files(delta).values() for size in files.values()]
    return Size(len(sizes), sum(sizes))


def mergeable_files(delta: Any) -> int:
    """How many files are small and not alone in their partition."""
    merged = 0
    for files in _live_files(delta).values():
        small = sorted(size for size in files.values() if size < TARGET_BYTES)
        # Two that are nearly large do not fit into one.
        if len(small) > 1 and sum(small[:2]) <= TARGET_BYTES:
            merged += len(small)
    return merged


def row_counts(delta: Any, path: Path) -> dict[str, int]:
    """Rows of the live data files per partition value, by their own footers.

    deltalake answers `count(*)` from the log's statistics, so a query would believe them too.
    """
    from pyarrow.parquet import read_metadata

    counts = {
        partition: sum(read_metadata(path / unquote(name)).num_rows for name in files)
        for partition, files in _live_files(delta).items()
    }
    return dict(sorted(counts.items()))


def untouched_partitions(delta: Any, path: Path, written: dict[str, int | None]) -> frozenset[str]:
    """The partitions that hold exactly the files that a commit wrote, as it wrote them.

    A partition is left out when a writer around publish added, deleted, restored or compacted
    files of it, when a file is lost, cut short or touched after its commit, and when the log
    cannot tell: with deletion vectors, which change rows and leave their file, and after the entry
    of the commit was cleaned away.
    """
    if "deletionVectors" in (delta.protocol().reader_features or ()):
        return frozenset()
    [column] = delta.metadata().partition_columns
    live = _live_files(delta, frozenset(written))
    by_commit: dict[int, dict[str, Files]] = {}
    proven = set()
    for partition, version in written.items():
        files = live.get(partition, {})
        if version is None:
            if not files:
                proven.add(partition)
            continue
        if version not in by_commit:
            by_commit[version] = written_files(path, version, column)
        entry = entry_path(path, version)
        if by_commit[version].get(partition, {}) == files and _are_as_committed(files, entry):
            proven.add(partition)
    return frozenset(proven)


def arrow(found: Any) -> "pa.Table":
    """What delta-rs answers with, as pyarrow's table; `pa.table` would import pandas, to ask
    whether it is one of its frames.
    """
    import pyarrow as pa

    return pa.RecordBatchReader.from_stream(found).read_all()


def _live_files(delta: Any, partitions: frozenset[str] | None = None) -> dict[str, Files]:
    """The data files of the partitions, or of all, in the newest version."""
    import pyarrow as pa
    import pyarrow.compute as pc

    [column] = delta.metadata().partition_columns
    actions = arrow(delta.get_add_actions(flatten=True))
    values = actions[f"partition.{column}"].cast(pa.string())
    if partitions is not None:
        wanted = pc.is_in(values, pa.array(list(partitions), pa.string()))
        actions, values = actions.filter(wanted), values.filter(wanted)
    columns = (values, actions["path"], actions["size_bytes"])
    live: dict[str, Files] = {}
    for partition, path, size in zip(*(c.to_pylist() for c in columns), strict=True):
        live.setdefault(str(partition), {})[path] = size
    return live


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
