"""Commits to tables in folders that need no engine: rows behind a known version, or a text alone.

Publishing a window belongs to publish.py.
"""

from pathlib import Path
from typing import Any

from finance_assets.errors import LostRaceError
from finance_assets.lakehouse.contract import Contract


def append_after(
    table: str,
    path: Path,
    contract: Contract,
    records: list[dict[str, Any]],
    statement: str,
    after: int,
) -> None:
    """Add rows in one commit that directly follows version `after`, with a text.

    Raises:
        LostRaceError: another writer committed since; nothing was written.
    """
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable, write_deltalake
    from deltalake.exceptions import CommitFailedError

    types = _arrow_types()
    schema = pa.schema([(c.name, types[c.type]) for c in contract.columns])
    # No retries: deltalake would put the rows behind the other writer's.
    properties = CommitProperties(max_commit_retries=0, custom_metadata={"userMetadata": statement})
    try:
        stored = DeltaTable(str(path), version=after)
        rows = pa.Table.from_pylist(records, schema=schema)
        write_deltalake(stored, rows, mode="append", commit_properties=properties)
    except CommitFailedError as error:
        raise LostRaceError(
            f"version {after} is no longer the newest",
            where=f"{table} at {path}",
            remedy="read the table again, and decide anew",
        ) from error


def annotate(table: Any, text: str) -> None:
    """Commit a text without rows to an opened table."""
    import pyarrow as pa
    from deltalake import CommitProperties, write_deltalake

    none = pa.schema(table.schema().to_arrow()).empty_table()
    said = CommitProperties(custom_metadata={"userMetadata": text})
    write_deltalake(table, none, mode="append", commit_properties=said)


def _arrow_types() -> dict[str, Any]:
    import pyarrow as pa

    return {
        "string": pa.string(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
    }
