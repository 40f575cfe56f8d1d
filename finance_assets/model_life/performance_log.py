"""Performance: how each scored partition fared, as rows of a table that keeps what it said before.

Measuring is the monitoring step's business. What a label version said stays when a later version
says otherwise.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finance_assets.lakehouse.contract import Contract, RowRule
from finance_assets.lakehouse.record import columns_of, described
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.evaluation import ALL
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent
from finance_assets.model_life.contracts import triage_contract
from finance_assets.model_life.decision_log import now
from finance_assets.monitoring.significance import Figure

if TYPE_CHECKING:
    from finance_assets.ml.estimates import Interval

ESTIMATED, OBSERVED, ERROR = "estimated", "observed", "error"
LEVEL, LOST = "level", "lost"


@dataclass(frozen=True)
class PerformanceRecord:
    """One figure of a champion on a partition that it scored.

    The contract names `partition` as the features do: it is where the figure became known.
    """

    partition: str = described("Partition in which the figure became known")
    scored: str = described("Partition that was scored")
    model_version: str = described("Champion that scored it")
    model_sha256: str = described("Digest of that champion")
    kind: str = described("estimated before outcomes, observed, or error: estimated less observed")
    segment: str = described("'all', or group as `column=value`")
    metric: str = described("Name of the figure")
    value: float = described("The figure")
    low: float | None = described("Lower end of its 95 % interval, where one was computed")
    high: float | None = described("Upper end of the same")
    labels_version: int = described("Delta version of the labels it rests on; -1: none")
    recorded_at: str = described("When it was recorded (UTC, ISO 8601)")

    @property
    def figure(self) -> Figure:
        """The figure with its interval; a point where there is none."""
        low = self.value if self.low is None else self.low
        return Figure(self.value, low, self.value if self.high is None else self.high)


@dataclass(frozen=True)
class Recorder:
    """Makes the records of one champion on one partition, of one kind."""

    partition: str
    scored: str
    model_version: str
    model_sha256: str
    kind: str
    labels_version: int
    recorded_at: str = field(default_factory=now)

    @classmethod
    def of(
        cls, partition: str, scored: str, champion: ChampionEvent, kind: str, labels_version: int
    ) -> "Recorder":
        """The recorder of a champion; `labels_version` is -1 where it rests on no outcomes."""
        who = champion.model_version, champion.model_sha256
        return cls(partition, scored, *who, kind, labels_version)

    def __call__(self, segment: str, metric: str, one: "float | Interval") -> PerformanceRecord:
        """The record of a figure, with its interval where it has one."""
        bounds = None if isinstance(one, int | float) else (float(one.low), float(one.high))
        return PerformanceRecord(
            **vars(self),
            segment=segment,
            metric=metric,
            value=float(one if isinstance(one, int | float) else one.value),
            low=bounds[0] if bounds else None,
            high=bounds[1] if bounds else None,
        )


@dataclass
class Recorded:
    """What was recorded, as far as a run needs it, and what the run itself has recorded since.

    By the partition in which it became known, oldest first; and the newest level of each scored
    one, by when it was recorded: a table that was made anew counts its versions anew.
    """

    _by_partition: dict[str, list[PerformanceRecord]] = field(default_factory=dict)
    _levels: dict[str, PerformanceRecord] = field(default_factory=dict)

    def of(self, partition: str) -> list[PerformanceRecord]:
        """What became known in a partition."""
        return self._by_partition.get(partition, [])

    def put(self, partition: str, records: list[PerformanceRecord]) -> None:
        """From now on this is what became known in a partition."""
        self._by_partition[partition] = records
        for record in records:
            if (record.metric, record.kind, record.segment) == (LEVEL, OBSERVED, ALL):
                known = self._levels.get(record.scored)
                if known is None or known.recorded_at <= record.recorded_at:
                    self._levels[record.scored] = record

    def level_before(self, scored: str) -> PerformanceRecord | None:
        """The level of the newest partition before a scored one that has any."""
        earlier = max((one for one in self._levels if one < scored), default=None)
        return None if earlier is None else self._levels[earlier]


def performance_contract(spec: ModelSpec) -> Contract:
    """One row per partition scored, champion, version of the labels, segment and figure."""
    partition = spec.partition_column
    kinds = ", ".join(f"'{kind}'" for kind in (ESTIMATED, OBSERVED, ERROR))
    return Contract(
        table=f"monitoring.{spec.name}_performance",
        description="How champions fare: estimated before outcomes are known, observed once they "
        "are, and once more when labels were corrected.",
        columns=columns_of(PerformanceRecord, partition=partition),
        key=(
            *(partition, "scored", "model_sha256", "kind", "segment", "metric"),
            "labels_version",
        ),
        partition_column=partition,
        row_rules=(RowRule("kind_known", f"kind IN ({kinds})", "Only these are measured."),),
    )


@dataclass(frozen=True)
class QualityRecord:
    """What became of a table's rows of a partition; named as the features name it."""

    partition: str = described("Partition of the table")
    measured_table: str = described("Table of the use case")
    delivered: int = described("Rows that went in")
    published: int = described("Rows that came out")
    quarantined: int = described("Rows that were rejected")
    duplicates: int = described("Rows that were there twice")
    reasons: str = described("Why rows were rejected, most frequent first")
    failed_checks: str = described("Checks that warned")
    missing: bool = described("Whether the partition was never published, though it is due")


def quality_contract(spec: ModelSpec) -> Contract:
    """One row per partition and table."""
    partition = spec.partition_column
    return Contract(
        table=f"monitoring.{spec.name}_quality",
        description="Volumes, rejected rows with their reasons, and warnings of every table.",
        columns=columns_of(QualityRecord, partition=partition),
        key=(partition, "measured_table"),
        partition_column=partition,
    )


def monitoring_contracts(spec: ModelSpec) -> tuple[Contract, ...]:
    """The tables that monitoring writes beside the drift."""
    return triage_contract(spec), performance_contract(spec), quality_contract(spec)


def first_recorded(lakehouse: Lakehouse, spec: ModelSpec) -> dict[str, str]:
    """When each partition was measured for the first time (UTC, ISO 8601), whoever scored it."""
    contract = performance_contract(spec)
    column = contract.partition_column
    rows = lakehouse.history(contract.table).rows(
        f"{column} AS p, min(recorded_at) AS first", f"true GROUP BY {column}"
    )
    return {str(row["p"]): str(row["first"]) for row in rows}
