"""Status: what the lakehouse and the registry hold for a use case, as plain data.

Reads commit logs and small record tables only; where these lie in folders, no engine is started.
Showing it is render.py's business.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from finance_assets.commands.command import Command
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.evaluation import ALL, CANDIDATE
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import ChampionHistory
from finance_assets.model_life.contracts import (
    evaluation_contract,
    prediction_contract,
)
from finance_assets.model_life.decision_log import Decision, decision_contract
from finance_assets.step.declaration import StepContext
from finance_assets.step.use_case import UseCase
from finance_assets.steps.monitoring import stored_summaries

EVENT_FACTS = (
    *("sequence", "event", "model_version", "as_of", "effective_from"),
    *("replaces", "decided_by", "reason"),
)
METRICS = ("auc", "pr_auc", "brier", "calibration_error", "ks", "lift_top_decile")


@dataclass(frozen=True)
class Status(Command[dict[str, Any]]):
    """What there is of a use case."""

    name: ClassVar[str] = "status"
    needs_models: ClassVar[bool] = False

    def run(self, ctx: StepContext, use_case: UseCase) -> dict[str, Any]:
        """The state, in the layout that `status --json` prints for each use case."""
        return _state(ctx.lakehouse, use_case)


def _state(lakehouse: Lakehouse, use_case: UseCase) -> dict[str, Any]:
    first = lakehouse.history(use_case.steps[0].key)
    history = read_history(lakehouse, use_case.name)
    stored = lakehouse.history(decision_contract(use_case.model).table).rows()
    decisions = sorted((Decision(**row) for row in stored), key=lambda d: (d.as_of, d.recorded_at))
    evaluations = lakehouse.history(evaluation_contract(use_case.model).table).rows()
    return {
        "partitions": [p for p in use_case.calendar.partitions() if p in first.ledgers()],
        "overdue": use_case.calendar.overdue(set(first.ledgers())),
        "tables": {step.key: _table(lakehouse, step.key) for step in use_case.steps},
        "champion": _champion(history, evaluations),
        "candidates": [_candidate(decision, evaluations) for decision in decisions],
        "champion_history": [
            {name: getattr(event, name) for name in EVENT_FACTS} for event in history.events
        ],
        "champion_history_problems": list(history.problems),
        "predictions": _predictions(lakehouse, use_case),
        "drift": stored_summaries(lakehouse, use_case.model),
    }


def _table(lakehouse: Lakehouse, table: str) -> dict[str, Any]:
    history = lakehouse.history(table)
    ledgers, counts = history.ledgers(), history.row_counts()
    return {
        "version": history.version,
        "rows": sum(counts.values()),
        "delivered": sum(ledger.delivered for ledger in ledgers.values()),
        "published": sum(ledger.published for ledger in ledgers.values()),
        "quarantined": sum(lakehouse.history(f"{table}_quarantine").row_counts().values()),
        "duplicates": sum(ledger.duplicates for ledger in ledgers.values()),
        "is_conserved": all(ledger.is_balanced for ledger in ledgers.values()),
        "partitions": {
            p: {
                "delivered": ledger.delivered,
                "published": ledger.published,
                "quarantined": ledger.quarantined,
                "duplicates": ledger.duplicates,
                "rows": counts.get(p, 0),
            }
            for p, ledger in ledgers.items()
        },
        "failed_checks": sorted(
            {
                f"{name}[{partition}]"
                for partition in ledgers
                if (publication := history.publication_of(partition)) is not None
                for name in publication.failed_checks.get(partition, ())
            }
        ),
    }


def _metrics(evaluations: list[dict[str, Any]], as_of: str, sha256: str) -> dict[str, float]:
    """Holdout metrics of the candidate as of a partition; none where it could not be measured."""
    wanted = (as_of, CANDIDATE, ALL, sha256)
    for row in evaluations:
        found = (row["as_of_month"], row["role"], row["segment"], row["model_sha256"])
        if found == wanted and row["problem"] is None:
            return {name: row[name] for name in METRICS}
    return {}


def _champion(history: ChampionHistory, evaluations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Today's champion, and the event that put it in force."""
    event = history.newest
    if event is None:
        return None
    return {
        "version": event.model_version,
        "as_of": event.as_of,
        "since": event.effective_from,
        "event": event.event,
        "decided_by": event.decided_by,
        "metrics": _metrics(evaluations, event.as_of, event.model_sha256),
    }


def _candidate(decision: Decision, evaluations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": decision.candidate_version,
        "as_of": decision.as_of,
        "decision": decision.outcome,
        "failed_criteria": [name for name in decision.failed_criteria.split(",") if name],
        "metrics": _metrics(evaluations, decision.as_of, decision.model_sha256),
    }


def _predictions(lakehouse: Lakehouse, use_case: UseCase) -> dict[str, Any]:
    contract = prediction_contract(use_case.model)
    history = lakehouse.history(contract.table)
    month = contract.partition_column
    versions = {r[month]: r for r in history.rows(f"DISTINCT {month}, model_version")}
    return {
        partition: {"rows": rows, "model_version": versions[partition]["model_version"]}
        for partition, rows in history.row_counts().items()
    }
