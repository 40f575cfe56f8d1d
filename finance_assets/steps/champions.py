"""Champions in force: the promotion history as the lakehouse holds it, read point-in-time."""

from dataclasses import dataclass

from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.spec import ModelSpec
from finance_assets.steps.model_contracts import champion_contract


@dataclass(frozen=True)
class Decision:
    """A row of the promotion history."""

    as_of_month: str
    candidate_version: str
    is_promoted: bool
    failed_criteria: str
    champion_version: str | None
    champion_as_of: str | None
    gate_report: str

    @property
    def failed(self) -> list[str]:
        """Names of the criteria that did not pass."""
        return [name for name in self.failed_criteria.split(",") if name]


@dataclass(frozen=True)
class Champion:
    """A champion: its version, and the as-of month of its training."""

    version: str
    as_of: str


def decisions(lakehouse: Lakehouse, spec: ModelSpec) -> list[Decision]:
    """Every decision, oldest as-of month first."""
    rows = lakehouse.history(champion_contract(spec).table).rows()
    return sorted((Decision(**row) for row in rows), key=lambda d: d.as_of_month)


def champion_before(lakehouse: Lakehouse, spec: ModelSpec, partition: str) -> Champion | None:
    """The champion in force at a partition: by the last decision as of an earlier one.

    None means that the history was read and names no champion.
    """
    earlier = [d for d in decisions(lakehouse, spec) if d.as_of_month < partition]
    if not earlier or earlier[-1].champion_version is None:
        return None
    last = earlier[-1]
    return Champion(str(last.champion_version), str(last.champion_as_of))
