"""Data versions: what Dagster compares to tell whether a partition has new content.

They follow the content, whatever run wrote it. Dagster gives all partitions of a range run one
data version, so a partition keeps the one it has for as long as its fingerprint stays the same.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from finance_assets.assets.materializations import newest_of

FINGERPRINT = "content_fingerprint"
DATA_VERSION_TAG = "dagster/data_version"


@dataclass(frozen=True)
class DataVersions:
    """The data version for a run's partitions, and those of them that keep another one."""

    common: str
    kept: dict[str, str]


def data_versions(
    instance: dg.DagsterInstance, key: dg.AssetKey, fingerprints: dict[str, str]
) -> DataVersions:
    """The data versions of a run over partitions with these fingerprints.

    A partition whose content is what Dagster last recorded keeps its version. The others get one
    made of their fingerprints.
    """
    newest = _newest(instance, key, fingerprints)
    known = {partition: _recorded(stored) for partition, stored in newest.items()}
    kept = {p: known[p][0] for p in known if known[p][1] == fingerprints[p]}
    if len(kept) == len(fingerprints) and len(set(kept.values())) == 1:
        return DataVersions(next(iter(kept.values())), {})
    if len(fingerprints) == 1:
        return DataVersions(next(iter(fingerprints.values())), {})
    text = "\n".join(f"{p} {fingerprints[p]}" for p in sorted(fingerprints))
    return DataVersions(hashlib.sha256(text.encode()).hexdigest()[:16], kept)


def restored(
    instance: dg.DagsterInstance, key: dg.AssetKey, versions: DataVersions
) -> Iterator[dg.AssetMaterialization]:
    """Events that give partitions of a range run their own data versions back.

    They repeat the materialisation that Dagster just stored, with its provenance.
    """
    for partition, stored in sorted(_newest(instance, key, versions.kept).items()):
        yield dg.AssetMaterialization(
            key,
            metadata=stored.metadata,
            partition=partition,
            tags={**(stored.tags or {}), DATA_VERSION_TAG: versions.kept[partition]},
        )


def _recorded(stored: dg.AssetMaterialization) -> tuple[str, str]:
    """Data version and fingerprint of a materialisation."""
    found: Any = stored.metadata.get(FINGERPRINT)
    version = (stored.tags or {}).get(DATA_VERSION_TAG, "")
    return version, str(found.value) if found is not None and version else ""


def _newest(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Collection[str]
) -> dict[str, dg.AssetMaterialization]:
    """The newest materialisation of each of these partitions that has any."""
    found = newest_of(instance, key, partitions)
    return {p: one.asset_materialization for p, one in found.items() if one.asset_materialization}
