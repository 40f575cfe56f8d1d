"""Judging: from a candidate's evaluation to a decision, and to a new champion if it passed.

A decision rests on an evaluation against the champion that the candidate would replace, of
today's data and declarations (standing.py); without such an evaluation it measures itself. If
somebody changes the champion meanwhile, the candidate is judged anew.
"""

from dataclasses import dataclass, replace
from typing import Any

from finance_assets.calendar import Calendar
from finance_assets.errors import GoneError, LostRaceError, ModelError
from finance_assets.lakehouse.journal import prepare
from finance_assets.ml.criterion import Evidence
from finance_assets.ml.frames import dataset_of
from finance_assets.ml.gate import evaluate_gate
from finance_assets.ml.gate_report import GateReport
from finance_assets.ml.identity import verified
from finance_assets.ml.spec import Approval, ModelSpec
from finance_assets.ml.splits import split_as_of
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import (
    ChampionHistory,
    Event,
    champion_history_contract,
)
from finance_assets.model_life.contests import Contest, contest
from finance_assets.model_life.crowning import Crowning, crown, first_open_partition, history_of
from finance_assets.model_life.decision_log import Decision, Outcome, log_decision
from finance_assets.model_life.evaluations import Evaluation
from finance_assets.model_life.input_problems import input_problems
from finance_assets.model_life.inputs import evaluation_inputs
from finance_assets.model_life.measuring import measure_and_publish
from finance_assets.model_life.standing import standing_evaluation, stored_evaluation
from finance_assets.model_life.usable import lacking_columns
from finance_assets.step.declaration import Step, StepContext
from finance_assets.step.lineage import read_inputs
from finance_assets.step.use_case import UseCase

ATTEMPTS = 20


@dataclass(frozen=True)
class Judged:
    """A decision, and the report it rests on.

    `is_new` tells a decision that was recorded now from one that stands already.
    """

    contest: Contest
    outcome: Outcome
    report: GateReport
    is_new: bool


@dataclass(frozen=True)
class Judge:
    """What judging has to know of a use case: its model, its calendar, and its table steps."""

    spec: ModelSpec
    calendar: Calendar
    tables: tuple[Step, ...]

    @classmethod
    def of(cls, use_case: UseCase) -> "Judge":
        """The judge of a use case's candidates."""
        tables = tuple(step for step in use_case.steps if step.kind.is_table)
        return cls(use_case.model, use_case.calendar, tables)

    def decide(self, ctx: StepContext, as_of: str) -> Judged:
        """Judge the candidate as of a partition; crown it if it passed and needs no approval.

        Raises:
            LostRaceError: others kept changing the champion for longer than this tries.
            TooEarlyError: too few outcomes are known as of the partition.
            ModelError: no candidate was trained, or the champion history cannot be trusted.
        """
        split = split_as_of(self.calendar, self.spec, as_of)
        for _ in range(ATTEMPTS):
            # Before anybody can be asked to approve or accept: the table shall be the pipeline's.
            prepare(ctx.lakehouse, champion_history_contract(self.spec.name))
            history = history_of(ctx, self.spec).trusted()
            one = contest(ctx, self.spec, split, history)
            crowned = history.crowning(one.identity) if one.identity else None
            if crowned is not None:
                # What became champion is not judged twice; a crash may have lost its record.
                outcome = Outcome.promoted if crowned.event == Event.promoted else Outcome.held
                return self._judged(ctx, one, outcome, crowned.report)
            report = self.judge(ctx, one)
            if not report.is_passed:
                return self._judged(ctx, one, Outcome.turned_down, report)
            # Whom it would replace may have been lost: then it takes a second person.
            if self.spec.approval is Approval.required or history.awaits_a_person:
                return self._judged(ctx, one, Outcome.held, report)
            try:
                self._promote(ctx, one, report, history)
            except LostRaceError as error:
                ctx.report(f"judged anew: {error.what}")
                continue
            return self._judged(ctx, one, Outcome.promoted, report)
        raise LostRaceError(
            f"{ATTEMPTS} decisions were overtaken by another change of champion",
            where=f"{self.spec.name}, as of {as_of}",
            remedy="see `finance-assets history` for who decides, then run this partition again",
        )

    def judge(self, ctx: StepContext, one: Contest) -> GateReport:
        """The gate's report on a candidate against the champion that it would replace."""
        # One version of each table, for the evaluation and for what it is held to. Readers come
        # before what they read: of a publication in between nothing sound looks stale.
        tables = [step.key for step in reversed(self.tables)]
        now = ctx.snapshot(tables)
        found = standing_evaluation(now, self.spec, one)
        if found is None:
            ctx.report("no stored evaluation is of today's champion and data: measuring now")
            self._measure(ctx, one)
            now = ctx.snapshot(tables)
            found = stored_evaluation(now, self.spec, one) or Evaluation(one.split.as_of, ())
        return evaluate_gate(self.spec.gate, self.gather_evidence(now, one, found))

    def _measure(self, ctx: StepContext, one: Contest) -> None:
        window, inputs = self.calendar.window(one.split.as_of), ctx.lakehouse.snapshot()
        read = read_inputs(inputs, evaluation_inputs(self.spec), window)
        origin = replace(ctx.origin, inputs=read.versions, made_from=read.made_from)
        here = replace(ctx, window=window, inputs=inputs, origin=origin)
        measure_and_publish(here, self.spec, [one])

    def gather_evidence(
        self, ctx: StepContext, one: Contest, found: Evaluation
    ) -> Evidence[Any, Any]:
        """Everything the gate judges on, as `ctx` has the tables, and the registry has it now."""
        spec, split, candidate = self.spec, one.split, one.candidate
        champion_signature, champion_gone = _champion(ctx, spec, one)
        return Evidence(
            candidate_version=candidate.number,
            champion_version=one.champion.model_version if one.champion else None,
            champion_gone=champion_gone,
            champion_is_baseline=one.champion is not None and one.champion.is_baseline,
            measured={c.role: c.whole for c in found.contenders if c.whole is not None},
            unmeasured={c.role: c.problem for c in found.contenders if c.whole is None},
            assessment=found.assessment,
            unassessed=found.unassessed,
            looks=found.look,
            known=found.known,
            tags=candidate.tags,
            expected={
                "as_of": split.as_of,
                "train_window": str(split.train),
                "holdout_window": str(split.holdout),
                "dataset_version": dataset_of(ctx.lakehouse, spec, split).version,
                "train_rows": found.train_rows,
                "train_outcomes": found.train_outcomes,
            },
            signature=ctx.registry.signature(candidate),
            expected_signature=spec.feature_names,
            champion_signature=champion_signature,
            data_checks=input_problems(ctx, spec, self.calendar, self.tables, split),
            artifact_problem=ctx.registry.problem(candidate),
            retrained_sha256=found.retrained_sha256,
            env=str(ctx.settings.env),
        )

    def _judged(
        self, ctx: StepContext, one: Contest, outcome: Outcome, report: GateReport
    ) -> Judged:
        """Record the decision, unless it stands already."""
        history = read_history(ctx.lakehouse, self.spec.name)
        decision = as_decision(ctx, one, report, outcome)
        is_new = log_decision(ctx, self.spec, decision, since=history.lost_at)
        champion = f"v{history.newest.model_version}" if history.newest else "none"
        failed = ", ".join(report.failed_criteria)
        ctx.report(f"v{one.candidate.number}: {outcome} {failed}; champion: {champion}")
        return Judged(one, outcome, report, is_new)

    def _promote(
        self, ctx: StepContext, one: Contest, report: GateReport, history: ChampionHistory
    ) -> None:
        """Crown the candidate.

        Raises:
            LostRaceError: the champion changed since the history was read.
            ModelError: the candidate's files are not what was registered.
        """
        if one.identity is None:
            raise ModelError(
                "a model whose files are not what was registered cannot become champion",
                where=f"{self.spec.name} v{one.candidate.number}",
                remedy="train anew",
            )
        crowning = Crowning(
            event=Event.promoted,
            identity=one.identity,
            as_of=one.split.as_of,
            dataset_version=one.candidate.tags.get("dataset_version", ""),
            trained_by=one.candidate.tags.get("trained_by", ""),
            report=report,
            decided_by="gate",
            reason="every criterion passed",
        )
        effective_from = first_open_partition(
            ctx, self.spec, self.calendar, history, one.split.as_of
        )
        crown(ctx, self.spec, crowning, effective_from, history)


def _champion(ctx: StepContext, spec: ModelSpec, one: Contest) -> tuple[tuple[str, ...], str]:
    """The champion's features, and why it cannot be compared with: its files are gone, or columns
    that it takes, by a change that the gate declares.

    Files that are there and were altered give neither: that a person has to look into. Nor is a
    column missed that nobody declared to be gone.
    """
    if one.champion is None:
        return (), ""
    try:
        features = verified(ctx.registry, spec.name, one.champion.identity).model.features
    except GoneError as error:
        return (), error.what
    except ModelError:
        return (), ""
    lacking = lacking_columns(spec, features)
    declared: str = vars(spec.gate.criterion("signature"))["declared_change"]
    if lacking and declared:
        return features, f"{', '.join(lacking)}, which it takes, are gone: {declared}"
    return features, ""


def as_decision(ctx: StepContext, one: Contest, report: GateReport, outcome: Outcome) -> Decision:
    """The decision as it is recorded."""
    tags = one.candidate.tags
    return Decision(
        as_of=one.split.as_of,
        candidate_version=one.candidate.number,
        model_sha256=one.model_sha256,
        outcome=outcome.value,
        failed_criteria=",".join(report.failed_criteria),
        champion_version=report.champion_version,
        trained_by=tags.get("trained_by", ""),
        dataset_version=tags.get("dataset_version", ""),
        gate_report=report.to_json(),
        git_sha=ctx.origin.code_sha,
        run_id=ctx.origin.run_id,
    )
