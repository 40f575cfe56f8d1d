"""Materialisations: the newest of each partition of an asset, as Dagster's event log has them."""

from collections.abc import Collection

import dagster as dg

EVENTS_AT_ONCE = 500


def newest_of(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Collection[str] | None = None
) -> dict[str, dg.EventLogRecord]:
    """The newest materialisation of each of these partitions (None: of all) that has any.

    However often a partition was materialised, one event of it is read.
    """
    # Dagster takes no partitions for all of them.
    if partitions is not None and not partitions:
        return {}
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    storage = instance.event_log_storage
    wanted = None if partitions is None else set(partitions)
    numbers = sorted(storage.get_latest_storage_id_by_partition(key, kind, wanted).values())
    found: dict[str, dg.EventLogRecord] = {}
    for begin in range(0, len(numbers), EVENTS_AT_ONCE):
        page = numbers[begin : begin + EVENTS_AT_ONCE]
        among = dg.AssetRecordsFilter(asset_key=key, storage_ids=page)
        for record in instance.fetch_materializations(among, limit=len(page)).records:
            if record.partition_key is not None:
                found[record.partition_key] = record
    return found
