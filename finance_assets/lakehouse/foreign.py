"""Foreign commits: which partitions' rows a commit changed that publish did not make."""

import json
from pathlib import Path

# What a commit may be without changing rows, where only its operation is known (in a catalog).
HARMLESS = frozenset(
    {
        *("CREATE TABLE", "ADD CONSTRAINT", "DROP CONSTRAINT", "SET TBLPROPERTIES"),
        *("SET TABLE PROPERTIES", "UNSET TBLPROPERTIES", "UPGRADE PROTOCOL", "CHANGE COLUMN"),
        *("UPDATE COLUMN METADATA", "ADD FEATURE", "DROP FEATURE", "CLUSTER BY", "COMPUTE STATS"),
        *("OPTIMIZE", "REORG", "VACUUM START", "VACUUM END", "FSCK", "SET OWNER"),
    }
)


def partitions_changed(table: Path, version: int, operation: str) -> frozenset[str] | None:
    """The partitions whose rows a commit changed; None if it may be any of them.

    The log's entry names the files. Compaction marks its files as no change of data.
    """
    entry = table / "_delta_log" / f"{version:020d}.json"
    if not entry.exists():
        return frozenset() if operation.upper() in HARMLESS else None
    changed: set[str] = set()
    # Not splitlines(): values in the statistics may hold what Unicode calls a line end.
    for line in filter(None, entry.read_text("utf-8").split("\n")):
        action = json.loads(line)
        file = action.get("add") or action.get("remove") or {}
        if file.get("dataChange"):
            values = file.get("partitionValues")
            if not values:
                return None
            changed.update(str(value) for value in values.values())
    return frozenset(changed)
