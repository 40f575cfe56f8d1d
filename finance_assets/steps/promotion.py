"""Promotion step: the gate judges the candidate, and a passed report makes it champion."""

from typing import Any

from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Check, Severity
from finance_assets.lakehouse.windows import Calendar, Window
from finance_assets.ml.frames import split_as_of
from finance_assets.ml.gate import CRITERIA, Evidence, GateReport, evaluate_gate
from finance_assets.ml.registry import Version
from finance_assets.ml.spec import ModelSpec
from finance_assets.steps.champions import Champion, champion_before
from finance_assets.steps.evaluation import (
    ALL,
    CANDIDATE,
    CHAMPION,
    candidate_version,
    metrics_from,
)
from finance_assets.steps.model_contracts import (
    candidate_contract,
    champion_contract,
    evaluation_contract,
)
from finance_assets.steps.records import publish_records
from finance_assets.steps.step import Input, Kind, Step, StepContext, StepResult

GATE_CHECKS = tuple(
    # A candidate that is turned down is the gate at work, not damage: it warns.
    Check(f"gate_{criterion.name}", criterion.sentence, Severity.warn)
    for criterion in CRITERIA
)


def promotion_step(spec: ModelSpec, calendar: Calendar) -> Step:
    """Judge the candidate as of each month, record the decision, then move the aliases.

    The Delta commit of the decision comes first: if the process dies before the aliases moved,
    running the step again moves them.
    """
    contract = champion_contract(spec)
    inputs = (Input(candidate_contract(spec)), Input(evaluation_contract(spec)))

    def run(ctx: StepContext) -> StepResult:
        reports: dict[str, GateReport] = {}
        records: list[dict[str, Any]] = []
        for as_of in ctx.window:
            champion = _champion(records, champion_before(ctx.lakehouse, spec, as_of))
            candidate = candidate_version(ctx, spec, as_of)
            report = evaluate_gate(_evidence(ctx, spec, calendar, as_of, candidate, champion))
            ctx.report(f"v{candidate.number}: {'promoted' if report.is_passed else 'turned down'}")
            records.append(_record(as_of, report, champion))
            reports[as_of] = report
        result = publish_records(ctx, contract, records)
        result.outcomes.extend(_gate_outcomes(reports))
        if result.publication is not None:
            for report in reports.values():
                _move_aliases(ctx, spec, report)
        for record in records:
            result.by_partition[record["as_of_month"]] = {
                "is_promoted": record["is_promoted"],
                "champion_version": record["champion_version"] or "",
                "failed_criteria": record["failed_criteria"],
            }
        return result

    return Step(spec.name, Kind.promotion, contract, inputs, run, (evaluate_gate,), GATE_CHECKS)


def _champion(records: list[dict[str, Any]], stored: Champion | None) -> Champion | None:
    """The champion in force: decided earlier in this very run, or as stored."""
    if records and records[-1]["champion_version"]:
        return Champion(records[-1]["champion_version"], records[-1]["champion_as_of"])
    return stored


def _evidence(
    ctx: StepContext,
    spec: ModelSpec,
    calendar: Calendar,
    as_of: str,
    candidate: Version,
    champion: Champion | None,
) -> Evidence:
    rows = ctx.lakehouse.history(evaluation_contract(spec).table).rows()
    measured = {
        (row["role"], row["model_version"]): metrics_from(row)
        for row in rows
        if row["as_of_month"] == as_of and row["holdout_month"] == ALL
    }
    split = split_as_of(calendar, spec, as_of)
    return Evidence(
        candidate_version=candidate.number,
        candidate=measured.get((CANDIDATE, candidate.number)),
        champion_version=champion.version if champion else None,
        champion=measured.get((CHAMPION, champion.version)) if champion else None,
        tags=candidate.tags,
        signature=ctx.registry.signature(candidate),
        expected_signature=spec.feature_names,
        data_checks={
            **_failed_checks(
                ctx, spec.features.table, Window(split.train.first, split.holdout.last)
            ),
            **_failed_checks(ctx, spec.labels.table, split.matured),
        },
        limits=spec.gate,
    )


def _failed_checks(ctx: StepContext, table: str, window: Window) -> dict[str, tuple[str, ...]]:
    """Failed checks of the publication in force for each partition; a gap counts as failed."""
    history = ctx.lakehouse.history(table)
    found = {partition: history.publication_of(partition) for partition in window}
    return {
        f"{table}[{partition}]": ("never_published",)
        if p is None
        else tuple(p.failed_checks.get(partition, ()))
        for partition, p in found.items()
    }


def _record(as_of: str, report: GateReport, champion: Champion | None) -> dict[str, Any]:
    after = Champion(report.candidate_version, as_of) if report.is_passed else champion
    return {
        "as_of_month": as_of,
        "candidate_version": report.candidate_version,
        "is_promoted": report.is_passed,
        "failed_criteria": ",".join(report.failed_criteria),
        "champion_version": after.version if after else None,
        "champion_as_of": after.as_of if after else None,
        "gate_report": report.to_json(),
    }


def _move_aliases(ctx: StepContext, spec: ModelSpec, report: GateReport) -> None:
    """Mirror the decision in the registry, unless it is about a past that was decided since."""
    history = champion_before(ctx.lakehouse, spec, "9999-12")
    if report.is_passed and history and history.version == report.candidate_version:
        ctx.registry.promote(spec.name, report)
    else:
        ctx.registry.mark_challenger(spec.name, report.candidate_version)


def _gate_outcomes(reports: dict[str, GateReport]) -> list[CheckOutcome]:
    """One outcome per criterion, with the observation as of each month."""
    outcomes = []
    for index, check in enumerate(GATE_CHECKS):
        verdicts = {as_of: report.verdicts[index] for as_of, report in reports.items()}
        observed = "; ".join(f"{p}: {v.observed} ({v.required})" for p, v in verdicts.items())
        passed = all(verdict.is_passed for verdict in verdicts.values())
        figures = {as_of: verdict.observed for as_of, verdict in verdicts.items()}
        outcomes.append(CheckOutcome(check, passed, observed, figures))
    return outcomes
