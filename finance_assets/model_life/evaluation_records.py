"""Rows of the evaluation table: metrics of a role on a segment, and back."""

import json
from typing import Any

from finance_assets.ml.evaluation import ALL, CHAMPION
from finance_assets.ml.metrics import Metrics
from finance_assets.model_life.contests import Contest
from finance_assets.model_life.contracts import EVALUATION_COLUMNS

METRICS = ("rows", "positives", "auc", "pr_auc", "brier", "calibration_error", "ks")


def as_row(contest: Contest, role: str, segment: str, measured: Metrics) -> dict[str, Any]:
    """The row of a role that was measured on a segment."""
    return {
        **as_failure(contest, role, None),
        "segment": segment,
        **measured.scalars(),
        "lift_by_decile": json.dumps(measured.lift_by_decile),
    }


def as_failure(contest: Contest, role: str, why: str | None) -> dict[str, Any]:
    """A row of a role that could not be measured; also the frame of one that could."""
    empty = dict.fromkeys(column.name for column in EVALUATION_COLUMNS if column.is_nullable)
    champion = contest.champion if role == CHAMPION else None
    return {
        **empty,
        "as_of_month": contest.split.as_of,
        "role": role,
        "model_version": champion.model_version if champion else contest.candidate.number,
        "model_sha256": champion.model_sha256 if champion else contest.model_sha256,
        "segment": ALL,
        "rows": 0,
        "positives": 0,
        "problem": why,
    }


def metrics_from(record: dict[str, Any]) -> Metrics:
    """A row of the evaluation table as metrics again."""
    lift = tuple(json.loads(record["lift_by_decile"]))
    return Metrics(**{name: record[name] for name in METRICS}, lift_by_decile=lift)
