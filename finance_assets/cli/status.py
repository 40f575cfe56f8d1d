"""Status: what the lakehouse and the registry hold for a use case, as plain data.

Reads commit logs and small record tables only; no engine is started. Showing it is render.py's
business.
"""

from typing import Any

from finance_assets.compute.runner import open_lakehouse
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.settings import Settings
from finance_assets.steps.champions import Decision, decisions
from finance_assets.steps.evaluation import ALL as WHOLE_HOLDOUT
from finance_assets.steps.evaluation import CANDIDATE
from finance_assets.steps.model_contracts import (
    drift_contract,
    evaluation_contract,
    prediction_contract,
)
from finance_assets.steps.monitoring import report_from, summary
from finance_assets.steps.use_case import UseCase

METRICS = ("auc", "pr_auc", "brier", "calibration_error", "ks", "lift_top_decile")


def status(settings: Settings, use_cases: dict[str, UseCase]) -> dict[str, Any]:
    """State of every use case, in the layout that `status --json` prints."""
    lakehouse = open_lakehouse(settings)
    return {"use_cases": {name: _use_case(lakehouse, u) for name, u in use_cases.items()}}


def _use_case(lakehouse: Lakehouse, use_case: UseCase) -> dict[str, Any]:
    first = lakehouse.history(use_case.steps[0].key)
    history = decisions(lakehouse, use_case.model)
    evaluations = lakehouse.history(evaluation_contract(use_case.model).table).rows()
    return {
        "partitions": [p for p in use_case.calendar.partitions() if p in first.ledgers()],
        "tables": {step.key: _table(lakehouse, step.key) for step in use_case.steps},
        "champion": _champion(history, evaluations),
        "candidates": [_candidate(d, evaluations) for d in history],
        "predictions": _predictions(lakehouse, use_case),
        "drift": _drift(lakehouse, use_case),
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


def _metrics(evaluations: list[dict[str, Any]], as_of: str) -> dict[str, float]:
    """Holdout metrics of the candidate as of a month."""
    for row in evaluations:
        if (row["as_of_month"], row["role"], row["holdout_month"]) == (
            as_of,
            CANDIDATE,
            WHOLE_HOLDOUT,
        ):
            return {name: row[name] for name in METRICS}
    return {}


def _champion(history: list[Decision], evaluations: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not history or history[-1].champion_version is None:
        return None
    last = history[-1]
    return {
        "version": last.champion_version,
        "as_of": last.champion_as_of,
        "metrics": _metrics(evaluations, str(last.champion_as_of)),
    }


def _candidate(decision: Decision, evaluations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": decision.candidate_version,
        "as_of": decision.as_of_month,
        "promoted": decision.is_promoted,
        "failed_criteria": decision.failed,
        "metrics": _metrics(evaluations, decision.as_of_month),
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


def _drift(lakehouse: Lakehouse, use_case: UseCase) -> dict[str, Any]:
    contract = drift_contract(use_case.model)
    rows = lakehouse.history(contract.table).rows()
    months: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        months.setdefault(row[contract.partition_column], []).append(row)
    return {
        month: summary(records[0]["model_version"], report_from(records, use_case.model))
        for month, records in sorted(months.items())
    }
