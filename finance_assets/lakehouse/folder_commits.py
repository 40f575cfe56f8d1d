"""Commits to a table in a folder that need no engine: rows of a journal, texts without rows, and
staged files as they are.
"""

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from finance_assets.errors import LostRaceError
from finance_assets.lakehouse.contract import Contract
from finance_assets.lakehouse.staged import arrow_schema
from finance_assets.lakehouse.stored import Row


def append_rows(
    path: Path, contract: Contract, records: list[Row], statement: str, after: int
) -> None:
    """Add rows in one commit that directly follows version `after`.

    Raises:
        LostRaceError: another writer committed since; nothing was written.
    """
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable, write_deltalake
    from deltalake.exceptions import CommitFailedError

    # No retries: deltalake would put the rows behind the other writer's.
    properties = CommitProperties(max_commit_retries=0, custom_metadata={"userMetadata": statement})
    try:
        table = DeltaTable(str(path), version=after)
        rows = pa.Table.from_pylist(records, schema=arrow_schema(contract))
        write_deltalake(table, rows, mode="append", commit_properties=properties)
    except CommitFailedError as error:
        raise LostRaceError(
            f"version {after} is no longer the newest",
            where=f"{contract.table} at {path}",
            remedy="read the table again, and decide anew",
        ) from error


def append_nothing(table: Any, text: str) -> None:
    """A commit of a text alone."""
    import pyarrow as pa
    from deltalake import CommitProperties, write_deltalake

    none = pa.schema(table.schema().to_arrow()).empty_table()
    said = CommitProperties(custom_metadata={"userMetadata": text})
    write_deltalake(table, none, mode="append", commit_properties=said)


def replace_partitions(
    table: Any, path: Path, files: dict[str, list[Path]], statement: str
) -> None:
    """Make Parquet files the content of their partitions, in one commit after the table's version.

    The files are linked, not written anew: what was audited is what the table holds. They must have
    the table's columns; a partition without files becomes empty.

    Raises:
        CommitFailedError: another writer committed since; nothing of the files is in the table.
    """
    from deltalake import CommitProperties, PostCommitHookProperties
    from deltalake.exceptions import CommitFailedError

    [column] = table.metadata().partition_columns
    linked = [
        _linked(path, column, partition, file)
        for partition, staged in files.items()
        for file in staged
    ]
    # No retries: what is replaced was read from this version, and no later one.
    properties = CommitProperties(max_commit_retries=0, custom_metadata={"userMetadata": statement})
    try:
        table.create_write_transaction(
            [action for action in linked if action is not None],
            mode="overwrite",
            schema=table.schema(),
            partition_by=[column],
            partition_filters=[(column, "in", list(files))],
            commit_properties=properties,
            post_commithook_properties=PostCommitHookProperties(
                create_checkpoint=False, cleanup_expired_logs=False
            ),
        )
    except CommitFailedError:
        for action in linked:
            if action is not None:
                (path / action.path).unlink(missing_ok=True)
        raise


def _linked(path: Path, column: str, partition: str, file: Path) -> Any:
    """Put a staged file among the table's; the action that adds it, none if it has no rows."""
    import pyarrow.parquet as pq
    from deltalake.transaction import AddAction

    rows = pq.read_metadata(file).num_rows
    if not rows:
        return None
    # The log holds paths encoded, so only plain values give their folder a name.
    folder = f"{column}={partition}/" if quote(partition) == partition else ""
    name = f"{folder}part-{uuid.uuid4()}.parquet"
    place = path / name
    place.parent.mkdir(exist_ok=True)
    try:
        os.link(file, place)
    except OSError:
        # Another file system, or one without links.
        shutil.copyfile(file, place)
    found = place.stat()
    stats = json.dumps({"numRecords": rows})
    when = found.st_mtime_ns // 1_000_000
    return AddAction(name, found.st_size, {column: partition}, when, True, stats)
