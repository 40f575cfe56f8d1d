"""Verdicts: what is thought of each partition that was measured, as sensors and people read it.

Thinking it is in monitoring/, measuring beside this; the monitoring step stores both.
"""

from dataclasses import dataclass

from finance_assets.lakehouse.record import from_rows
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.contracts import TriageRecord, drift_contract, triage_contract
from finance_assets.monitoring.triage import Triage


@dataclass(frozen=True)
class Summary:
    """What a sensor and a person need to know about a partition; `drifted` by comma.

    What has a default was not stated by the first versions of this package.
    """

    verdict: str
    action: str
    evidence: tuple[str, ...] = ()
    drifted: str = ""
    champion_version: str = ""
    champion_sha256: str = ""
    max_psi: float = 0.0
    rows: int = 0
    better_version: str = ""
    better_sha256: str = ""

    @property
    def moved(self) -> tuple[str, ...]:
        """The variables that moved, worst first."""
        return tuple(name for name in self.drifted.split(",") if name)


def summary(found: Triage, max_psi: float, rows: int) -> Summary:
    """The summary of one partition."""
    return Summary(
        verdict=str(found.verdict),
        action=str(found.action),
        evidence=found.evidence,
        drifted=",".join(found.drifted),
        champion_version=found.champion_version,
        champion_sha256=found.champion_sha256,
        max_psi=max_psi,
        rows=rows,
        better_version=found.better_version,
        better_sha256=found.better_sha256,
    )


def stored_triage(lakehouse: Lakehouse, spec: ModelSpec) -> dict[str, Triage]:
    """What is thought of each partition that was measured, from the stored rows."""
    contract = triage_contract(spec)
    stored = lakehouse.history(contract.table).rows()
    records = from_rows(TriageRecord, stored, contract.table, partition=contract.partition_column)
    return {r.partition: r.triage for r in sorted(records, key=lambda r: r.partition)}


def stored_summaries(lakehouse: Lakehouse, spec: ModelSpec) -> dict[str, Summary]:
    """The summary of each partition that was measured, from the stored rows.

    Each variable has a row of drift; the engine that reads them brings one for each partition.
    """
    contract = drift_contract(spec)
    column = contract.partition_column
    # As `DriftReport.max_psi`: what is not a number counts as infinitely large.
    size = "CASE WHEN isnan(psi) THEN cast('Infinity' AS double) ELSE psi END"
    drifts = lakehouse.history(contract.table).rows(
        f"{column} AS p, max({size}) AS worst, max(rows) AS n", f"true GROUP BY {column}"
    )
    sizes = {str(row["p"]): (float(str(row["worst"])), int(str(row["n"]))) for row in drifts}
    return {
        partition: summary(found, *sizes.get(partition, (0.0, 0)))
        for partition, found in stored_triage(lakehouse, spec).items()
    }
