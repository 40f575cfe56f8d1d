"""Promotion step: the gate judges the candidate, and a passed report makes it champion.

Gathers the evidence, records the decision, writes the model card. What people decide afterwards
(approve, roll back) is in governance.py.
"""

from typing import Any

from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Check, Severity
from finance_assets.lakehouse.windows import Calendar, Window, shift_month
from finance_assets.ml.assessment import Assessment
from finance_assets.ml.evaluation import ALL, CANDIDATE
from finance_assets.ml.frames import TimeSplit, dataset_version, split_as_of
from finance_assets.ml.gate import Evidence, GateReport, evaluate_gate
from finance_assets.ml.registry import Version
from finance_assets.ml.spec import Approval, ModelSpec
from finance_assets.steps.cards import write_card
from finance_assets.steps.evaluation import candidate_version, metrics_from
from finance_assets.steps.model_contracts import (
    candidate_contract,
    champion_contract,
    evaluation_contract,
)
from finance_assets.steps.promotions import (
    PROMOTIONS,
    Champion,
    Event,
    champion_at,
    is_same_decision,
    last_decision,
    mirror_aliases,
    promotions,
    record,
    stated,
)
from finance_assets.steps.records import publish_records
from finance_assets.steps.step import Input, Kind, Step, StepContext, StepResult


def promotion_step(spec: ModelSpec, calendar: Calendar) -> Step:
    """Judge the candidate as of each month and record the decision, then move the aliases.

    The Delta commits come first: if the process dies before the aliases moved, running this
    step again moves them, as does every later decision.
    """
    contract = champion_contract(spec)
    inputs = (Input(candidate_contract(spec)), Input(evaluation_contract(spec)))
    checks = tuple(
        # A candidate that is turned down is the gate at work, not damage: it warns.
        Check(f"gate_{criterion.name}", criterion.sentence, Severity.warn)
        for criterion in spec.gate.criteria
    )

    def run(ctx: StepContext) -> StepResult:
        reports: dict[str, GateReport] = {}
        records: list[dict[str, Any]] = []
        last: Version | None = None
        for as_of in ctx.window:
            # Before anything else: too early a month is not the same as a missing candidate.
            split = split_as_of(calendar, spec, as_of)
            last = candidate_version(ctx, spec, as_of)
            champion = champion_at(ctx.lakehouse, spec.name, as_of)
            evidence = gather_evidence(ctx, spec, split, last, champion)
            report = evaluate_gate(spec.gate, evidence)
            event = _decide(ctx, spec, as_of, report, champion, last)
            ctx.report(f"v{last.number}: {event} {', '.join(report.failed_criteria)}")
            records.append(_record(as_of, report, event))
            reports[as_of] = report
        result = publish_records(ctx, contract, records)
        mirror_aliases(ctx, spec.name)
        result.outcomes.extend(_gate_outcomes(checks, reports))
        for decided in records:
            result.by_partition[decided["as_of_month"]] = {
                key: decided[key] or "" for key in ("decision", "candidate_version")
            }
        result.stated[PROMOTIONS.table] = stated(ctx.lakehouse, spec.name)
        if last is not None:
            card = write_card(ctx, spec, last)
            result.metadata["model_card_page"] = ctx.registry.card_url(last)
            result.documents["model_card"] = card
        return result

    code = (evaluate_gate, gather_evidence)
    return Step(spec.name, Kind.promotion, contract, inputs, run, code, checks, spec.gate)


def _decide(
    ctx: StepContext,
    spec: ModelSpec,
    as_of: str,
    report: GateReport,
    champion: Champion | None,
    candidate: Version,
) -> Event:
    """Append the decision to the history, unless this very one is its newest as of the month."""
    event = Event.turned_down
    if report.is_passed:
        event = Event.promoted if spec.approval is Approval.automatic else Event.held
    known = last_decision(promotions(ctx.lakehouse, spec.name), as_of)
    if not is_same_decision(known, event, report):
        after = Champion(candidate.number, as_of) if event is Event.promoted else champion
        reasons = {
            Event.promoted: "every criterion passed",
            Event.held: "every criterion passed; waits for approval",
            Event.turned_down: f"failed: {', '.join(report.failed_criteria)}",
        }
        record(
            ctx,
            use_case=spec.name,
            event=event,
            report=report,
            as_of=as_of,
            effective_from=shift_month(as_of, 1),
            champion=after,
            dataset_version=candidate.tags.get("dataset_version", ""),
            decided_by="gate",
            reason=reasons[event],
        )
    return event


def gather_evidence(
    ctx: StepContext,
    spec: ModelSpec,
    split: TimeSplit,
    candidate: Version,
    champion: Champion | None,
) -> Evidence:
    """Everything the gate judges on, as the tables and the registry have it now."""
    versions = {"candidate": candidate.number, "scorecard": candidate.number}
    versions |= {"naive": candidate.number, "champion": champion.version if champion else ""}
    rows = [
        row
        for row in ctx.lakehouse.history(evaluation_contract(spec).table).rows(
            where=f"as_of_month = '{split.as_of}' AND segment = '{ALL}'"
        )
        # An evaluation of another version says nothing about this one.
        if row["model_version"] == versions[row["role"]]
    ]
    own = next((row for row in rows if row["role"] == CANDIDATE), {})
    crowned = ctx.registry.version(spec.name, champion.version) if champion else None
    stored = own.get("assessment")
    return Evidence(
        candidate_version=candidate.number,
        champion_version=champion.version if champion else None,
        measured={row["role"]: metrics_from(row) for row in rows if row["problem"] is None},
        unmeasured={row["role"]: row["problem"] for row in rows if row["problem"] is not None},
        assessment=Assessment.from_json(stored) if stored else None,
        tags=candidate.tags,
        expected={
            "as_of": split.as_of,
            "train_window": str(split.train),
            "holdout_window": str(split.holdout),
            "dataset_version": dataset_version(ctx.lakehouse, spec, split),
            "train_rows": str(own.get("train_rows")),
            "train_positives": str(own.get("train_positives")),
        },
        signature=ctx.registry.signature(candidate),
        expected_signature=spec.feature_names,
        champion_signature=ctx.registry.signature(crowned) if crowned else (),
        data_checks={
            **_failed_checks(
                ctx, spec.features.table, Window(split.train.first, split.holdout.last)
            ),
            **_failed_checks(ctx, spec.labels.table, split.matured),
        },
        artifact_problem=ctx.registry.problem(candidate),
        retrained_sha256=own.get("retrained_sha256") or "",
        env=str(ctx.settings.env),
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


def _record(as_of: str, report: GateReport, event: Event) -> dict[str, Any]:
    return {
        "as_of_month": as_of,
        "candidate_version": report.candidate_version,
        "decision": event.value,
        "failed_criteria": ",".join(report.failed_criteria),
        "champion_version": report.champion_version,
        "gate_report": report.to_json(),
    }


def _gate_outcomes(checks: tuple[Check, ...], reports: dict[str, GateReport]) -> list[CheckOutcome]:
    """One outcome per criterion, with the observation as of each month."""
    outcomes = []
    for index, check in enumerate(checks):
        verdicts = {as_of: report.verdicts[index] for as_of, report in reports.items()}
        observed = "; ".join(f"{p}: {v.observed} ({v.required})" for p, v in verdicts.items())
        passed = all(verdict.is_passed for verdict in verdicts.values())
        figures = {as_of: verdict.observed for as_of, verdict in verdicts.items()}
        outcomes.append(CheckOutcome(check, passed, observed, figures))
    return outcomes
