"""Decision step: the gate judges the candidate, and a passed report makes it champion.

Shows what was decided. How a decision comes about is in judging.py, what people decide afterwards
(approve, roll back) in model_life/.
"""

from finance_assets.lakehouse.audit import CheckOutcome
from finance_assets.lakehouse.contract import Check, Severity
from finance_assets.lakehouse.history import Ledger
from finance_assets.lakehouse.journal import outcomes
from finance_assets.ml.gate import evaluate_gate
from finance_assets.ml.gate_report import GateReport
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.cards import write_card
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import champion_history_contract
from finance_assets.model_life.contracts import candidate_contract
from finance_assets.model_life.crowning import mirror, stated, unlost
from finance_assets.model_life.decision_log import decision_contract, read_decisions
from finance_assets.model_life.evaluations import evaluation_contract
from finance_assets.model_life.judging import Judge, Judged
from finance_assets.model_life.scored import outdated
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult


def decision_step(judge: Judge) -> Step:
    """Judge the candidate as of each partition, record the decision, and crown who passed.

    The Delta commits come first: if the process dies before the aliases moved, running this
    step again moves them, as does every later decision.
    """
    spec = judge.spec
    contract = decision_contract(spec)
    inputs = (Input(candidate_contract(spec)), Input(evaluation_contract(spec)))
    checks = tuple(
        # A candidate that is turned down is the gate at work, not damage: it warns.
        Check(f"gate_{criterion.name}", criterion.sentence, Severity.warn)
        for criterion in spec.gate.criteria
    )

    def run(ctx: StepContext) -> StepResult:
        judged = [judge.decide(ctx, as_of) for as_of in ctx.window]
        result = _recorded(ctx, spec, judged)
        reports = {one.contest.split.as_of: one.report for one in judged}
        result.outcomes.extend(_gate_outcomes(checks, reports))
        _follow_up(ctx, spec, judged, result)
        return result

    code = (evaluate_gate, Judge)
    return Step(spec.name, Kind.decision, contract, inputs, run, code, checks, spec.gate)


def _recorded(ctx: StepContext, spec: ModelSpec, judged: list[Judged]) -> StepResult:
    """The decisions as they stand in the table now."""
    contract = decision_contract(spec)
    decisions = [d for d in read_decisions(ctx.lakehouse, spec) if d.as_of in set(ctx.window)]
    known = [vars(decision) for decision in decisions]
    decided_by = {decision.candidate_version: decision.run_id for decision in decisions}
    counts = {p: sum(row["as_of"] == p for row in known) for p in ctx.window}
    ledgers = {partition: Ledger(n, n) for partition, n in counts.items()}
    history = ctx.lakehouse.history(contract.table)
    return StepResult(
        outcomes=outcomes(ctx.lakehouse, contract, known, ctx.window, ledgers),
        publication=history.publication_of(ctx.window.last),
        changed=tuple(one.contest.split.as_of for one in judged if one.is_new),
        ledgers=ledgers,
        metadata={
            "decision": ", ".join(f"v{j.contest.candidate.number}: {j.outcome}" for j in judged),
        },
        by_partition={
            j.contest.split.as_of: {
                "decision": j.outcome.value,
                "candidate_version": j.contest.candidate.number,
                "failed_criteria": ",".join(j.report.failed_criteria),
                "run_id": decided_by.get(j.contest.candidate.number, ""),
            }
            for j in judged
        },
        preview=known[-20:],
        fingerprints={partition: history.content_of(partition) for partition in ctx.window},
    )


def _follow_up(ctx: StepContext, spec: ModelSpec, judged: list[Judged], result: StepResult) -> None:
    """Aliases, then card. Neither loses the event or its statement if it fails."""
    last = judged[-1]
    problems = [unlost("MLflow's aliases", lambda: mirror(ctx, spec))]
    version = last.contest.candidate

    def card() -> None:
        result.documents["model_card"] = write_card(ctx, spec, version)
        result.metadata["model_card_page"] = ctx.registry.card_url(version)

    problems.append(unlost("The model card", card))
    # Scored by the champion before, while this was decided.
    now = read_history(ctx.lakehouse, spec.name)
    problems += outdated(ctx, spec, now)
    # Read last: what somebody decided meanwhile was stated before this will be.
    result.stated[champion_history_contract(spec.name).table] = stated(now)
    for problem in filter(None, problems):
        ctx.report(problem)
    if any(problems):
        result.metadata["follow_up"] = "; ".join(filter(None, problems))


def _gate_outcomes(checks: tuple[Check, ...], reports: dict[str, GateReport]) -> list[CheckOutcome]:
    """One outcome per criterion, with the observation as of each partition."""
    found = []
    for check in checks:
        verdicts = {
            as_of: verdict
            for as_of, report in reports.items()
            for verdict in report.verdicts
            if f"gate_{verdict.name}" == check.name
        }
        observed = "; ".join(f"{p}: {v.observed} ({v.required})" for p, v in verdicts.items())
        passed = all(verdict.is_passed for verdict in verdicts.values())
        figures = {as_of: verdict.observed for as_of, verdict in verdicts.items()}
        found.append(CheckOutcome(check, passed, observed, figures))
    return found
