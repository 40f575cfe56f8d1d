"""What the gate decided on candidates: a journal.

Nothing here changes the champion: a candidate that was promoted is named in the champion history
as well, one that was turned down or waits stands here alone.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from finance_assets.errors import LostRaceError
from finance_assets.lakehouse.contract import Contract, RowRule
from finance_assets.lakehouse.journal import Journal, append, read_journal
from finance_assets.lakehouse.record import columns_of, described, from_rows
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.lakehouse.stored import Row
from finance_assets.ml.gate_report import GateReport
from finance_assets.ml.spec import ModelSpec
from finance_assets.step.declaration import StepContext

ATTEMPTS = 20


class Outcome(StrEnum):
    """What the gate decided on a candidate."""

    promoted = "promoted"
    turned_down = "turned_down"
    held = "held"


@dataclass(frozen=True)
class Decision:
    """A decision of the gate on one candidate; the fields are the table's columns."""

    as_of: str = described("Partition as of which the candidate was trained")
    candidate_version: str = described("Version that was judged")
    model_sha256: str = described("Digest of its text; empty if it could not be read")
    outcome: str = described("promoted, turned_down, or held for approval")
    failed_criteria: str = described("Criteria that did not pass, by comma")
    champion_version: str | None = described("Champion it was compared with")
    trained_by: str = described("Who ran the training")
    dataset_version: str = described("Input tables of the training, with versions")
    gate_report: str = described("The whole report, JSON")
    git_sha: str = described("Commit of the code that decided")
    run_id: str = described("Run that decided")
    recorded_at: str = described("When it was recorded (UTC, ISO 8601)", default="")
    decision_id: str = described("Unique id of the decision", default="")

    @property
    def report(self) -> GateReport:
        """The whole report."""
        return GateReport.from_json(self.gate_report)

    def is_repeated_by(self, other: "Decision") -> bool:
        """Whether another decision says the same of the same candidate."""
        said = ("candidate_version", "model_sha256", "outcome", "champion_version")
        is_same = all(getattr(self, name) == getattr(other, name) for name in said)
        return is_same and json.loads(self.gate_report) == json.loads(other.gate_report)


def decision_contract(spec: ModelSpec) -> Contract:
    """One row per decision; rows are only ever added."""
    return Contract(
        table=f"models.{spec.name}_decision",
        description="Every decision of the gate on a candidate. What changed the champion is in "
        f"models.{spec.name}_champion_history.",
        columns=columns_of(Decision),
        key=("decision_id",),
        partition_column="as_of",
        row_rules=(
            RowRule(
                "outcome_known",
                "outcome IN ('promoted', 'turned_down', 'held')",
                "The gate decides nothing else.",
            ),
        ),
        min_rows=1,
        is_append_only=True,
    )


def read_decisions(lakehouse: Lakehouse, spec: ModelSpec) -> list[Decision]:
    """Every decision, in the order in which they were recorded."""
    return _in_order(read_journal(lakehouse, decision_contract(spec)))


def _in_order(journal: Journal) -> list[Decision]:
    """The decisions of a journal by the commits that carry them: clocks can be put back.

    What no commit carries comes first, so that it is the newest of nothing.
    """
    rows = sorted(journal.rows, key=lambda row: journal.carried.get(record_digest(row), -1))
    return from_rows(Decision, rows, journal.contract.table)


def newest_on(known: Sequence[Decision], version: str) -> Decision | None:
    """The newest of the decisions on a version."""
    about = [decision for decision in known if decision.candidate_version == version]
    return about[-1] if about else None


def log_decision(ctx: StepContext, spec: ModelSpec, decision: Decision, since: str = "") -> bool:
    """Append a decision, unless the newest one on this candidate says the same.

    Args:
        ctx: a context of the use case.
        spec: its model.
        decision: what was decided.
        since: when a person accepted that the champion was lost: what was decided before that was
            against others, and is decided anew.

    Returns:
        Whether it was appended.
    """
    contract = decision_contract(spec)
    for _ in range(ATTEMPTS):
        journal = read_journal(ctx.lakehouse, contract)
        # As of then: where MLflow's store was made anew, its numbers begin anew.
        known = [one for one in _in_order(journal) if one.as_of == decision.as_of]
        newest = newest_on(known, decision.candidate_version)
        if newest and newest.recorded_at > since and newest.is_repeated_by(decision):
            return False
        stamped = replace(decision, recorded_at=now(), decision_id=uuid.uuid4().hex)
        record = asdict(stamped)
        try:
            append(ctx.lakehouse, journal, record, record_digest(record), ctx.origin)
        except LostRaceError:
            continue
        return True
    raise worn_out(contract)


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def record_digest(record: Row) -> str:
    """sha256 of a row, as its publication states it."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def worn_out(contract: Contract) -> LostRaceError:
    """The error of a journal that others kept writing to."""
    return LostRaceError(
        f"{ATTEMPTS} attempts met another writer's commit",
        where=contract.table,
        remedy="see who writes this table, then run the partition again",
    )
