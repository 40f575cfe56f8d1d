"""Data versions: what Dagster compares to tell whether a partition has new content.

They follow the content, whatever run wrote it. Dagster gives all partitions of a range run one
data version, so a partition keeps the one it has for as long as its fingerprint stays the same.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

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
    known = {p: _recorded(instance, key, p) for p in _materialized(instance, key, fingerprints)}
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
    for partition, version in versions.kept.items():
        stored = _latest(instance, key, partition)
        if stored is not None:
            yield dg.AssetMaterialization(
                key,
                metadata=stored.metadata,
                partition=partition,
                tags={**(stored.tags or {}), DATA_VERSION_TAG: version},
            )


def _materialized(
    instance: dg.DagsterInstance, key: dg.AssetKey, fingerprints: dict[str, str]
) -> list[str]:
    if len(fingerprints) == 1:
        return list(fingerprints)
    return sorted(set(fingerprints) & set(instance.get_materialized_partitions(key)))


def _recorded(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str) -> tuple[str, str]:
    """Data version and fingerprint of the newest materialisation of a partition."""
    stored = _latest(instance, key, partition)
    if stored is None:
        return "", ""
    found: Any = stored.metadata.get(FINGERPRINT)
    version = (stored.tags or {}).get(DATA_VERSION_TAG, "")
    return version, str(found.value) if found is not None and version else ""


def _latest(
    instance: dg.DagsterInstance, key: dg.AssetKey, partition: str
) -> dg.AssetMaterialization | None:
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    records = instance.fetch_materializations(wanted, limit=1).records
    return records[0].asset_materialization if records else None
