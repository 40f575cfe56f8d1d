"""State: what there is of a use case, as `status --json` prints it, field by field.

Gathering it is status.py's business, showing it cli/render.py's.
"""

from dataclasses import dataclass

from finance_assets.model_life.verdicts import Summary


@dataclass(frozen=True)
class PartitionState:
    """What became of the rows of one partition, and how many are stored."""

    delivered: int
    published: int
    quarantined: int
    duplicates: int
    rows: int


@dataclass(frozen=True)
class TableState:
    """A table over all its partitions.

    `failed_checks` are the warnings in force, as `check[partition]`; `is_conserved`:
    every delivered row is accounted for, and the rejected ones are those that lie beside it.
    """

    version: int
    rows: int
    delivered: int
    published: int
    quarantined: int
    duplicates: int
    is_conserved: bool
    partitions: dict[str, PartitionState]
    failed_checks: list[str]


@dataclass(frozen=True)
class ChampionState:
    """Today's champion, the event that put it in force, and its metrics on a holdout by name."""

    version: str
    as_of: str
    since: str
    event: str
    decided_by: str
    is_baseline: bool
    metrics: dict[str, float]


@dataclass(frozen=True)
class CandidateState:
    """A decision on a candidate, with the candidate's metrics on its holdout by name."""

    version: str
    as_of: str
    decision: str
    failed_criteria: list[str]
    metrics: dict[str, float]


@dataclass(frozen=True)
class ChangeState:
    """A change of champion."""

    sequence: int
    event: str
    model_version: str
    as_of: str
    effective_from: str
    replaces: str | None
    decided_by: str
    reason: str


@dataclass(frozen=True)
class ScoredState:
    """The predictions of a partition."""

    rows: int
    model_version: str


@dataclass(frozen=True)
class State:
    """Everything of a use case; tables by key, what was scored and measured by partition.

    `headline` has the metrics that a summary shows, with their titles; `not_measured` are the
    partitions whose tables were made and that have no verdict.
    """

    partitions: list[str]
    overdue: list[str]
    tables: dict[str, TableState]
    headline: dict[str, str]
    champion: ChampionState | None
    candidates: list[CandidateState]
    champion_history: list[ChangeState]
    champion_history_problems: list[str]
    predictions: dict[str, ScoredState]
    drift: dict[str, Summary]
    not_measured: list[str]
