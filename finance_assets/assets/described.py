"""The asset graph of a use case in words that a person can read: what its snapshot holds."""

import json

from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from finance_assets.codec import Json


def described(graph: AssetGraph, group: str) -> str:
    """Assets of a use case with what users would notice a change of, as JSON."""
    assets: dict[str, Json] = {}
    for key in sorted(graph.get_all_asset_keys(), key=str):
        node = graph.get(key)
        if node.group_name != group:
            continue
        checks = sorted(k.name for k in graph.get_check_keys_for_assets({key}))
        assets[".".join(key.path)] = {
            "upstream": sorted(".".join(parent.path) for parent in node.parent_keys),
            "group": node.group_name,
            "kinds": sorted(node.kinds),
            "owners": sorted(node.owners),
            "partitions": [
                node.partitions_def.get_first_partition_key(),
                node.partitions_def.get_last_partition_key(),
            ]
            if node.partitions_def
            else None,
            "runs_per_backfill": node.backfill_policy
            and str(node.backfill_policy.policy_type.value),
            "checks": checks,
        }
    return json.dumps(assets, indent=1) + "\n"
