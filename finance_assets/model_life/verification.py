"""Verification: whether the champion history, and all that it rests on, is as it was recorded.

Reads everything and changes nothing. Each finding is a sentence that names what is wrong; none
means that history, models, evaluations, journals and predictions agree.
"""

from dataclasses import dataclass

from finance_assets.errors import ModelError
from finance_assets.lakehouse.integrity import altered_partitions
from finance_assets.lakehouse.journal import read_journal
from finance_assets.ml.families import BASELINE
from finance_assets.ml.identity import verified
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.chain import read_history
from finance_assets.model_life.champion_history import ChampionHistory, Event
from finance_assets.model_life.decision_log import decision_contract, record_digest
from finance_assets.model_life.evaluations import evaluation_contract
from finance_assets.model_life.holdout_looks import looks_contract
from finance_assets.model_life.scored import outdated
from finance_assets.step.declaration import StepContext


@dataclass(frozen=True)
class Findings:
    """What is wrong with a history: what is `broken`, and what is only `outdated`.

    `untrusted` is that part of what is broken for which nobody may rest on the history. The rest is
    of what it names: a model whose files are gone can be replaced by a candidate.

    Outdated are scored partitions where another champion is in force by now, as after a rollback
    that holds for them, too: they are to be scored again, and nothing was tampered with.
    """

    broken: tuple[str, ...]
    outdated: tuple[str, ...]
    untrusted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Records:
    """What is wrong with journals and evaluations.

    `unexplained` is what commits brought that somebody made around us, as a RESTORE is one, and
    `broken` what no commit explains. As with the history, a person can accept the former only.
    """

    unexplained: tuple[str, ...]
    broken: tuple[str, ...]


def verify(ctx: StepContext, spec: ModelSpec, stated: dict[str, str]) -> list[str]:
    """Everything that somebody has to see to; empty if the chain and all it rests on are sound."""
    found = examine(ctx, spec, stated)
    return [*found.broken, *found.outdated]


def examine(ctx: StepContext, spec: ModelSpec, stated: dict[str, str]) -> Findings:
    """What is wrong with the chain and all it rests on.

    Args:
        ctx: a context of the use case.
        spec: its model.
        stated: the newest event as places other than MLflow state it, by place.
    """
    statement = ctx.registry.statement(spec.name)
    places = {place: said for place, said in {"MLflow": statement, **stated}.items() if said}
    history = read_history(ctx.lakehouse, spec.name, places)
    problems = list(history.problems)
    if history.chain and not statement:
        problems.append("MLflow does not state the newest event; the next decision states it")
    problems += _models(ctx, spec, history)
    records = examine_records(ctx, spec, history)
    problems += [*records.unexplained, *records.broken]
    return Findings(tuple(problems), tuple(outdated(ctx, spec, history)), history.problems)


def _models(ctx: StepContext, spec: ModelSpec, history: ChampionHistory) -> list[str]:
    """Champions, of today and before, whose files are not what became champion."""
    problems = []
    installed = {event.identity for event in history.events if event.event == Event.installed}
    for identity in dict.fromkeys(event.identity for event in history.events):
        try:
            family = verified(ctx.registry, spec.name, identity).recipe["family"]
            if identity in installed and family != BASELINE.name:
                problems.append(f"champion v{identity.model_version}: it is no rule of thumb")
        except (ModelError, ValueError, LookupError) as error:
            what = error.what if isinstance(error, ModelError) else f"{error}"
            problems.append(f"champion v{identity.model_version}: {what}")
    return problems


def examine_records(ctx: StepContext, spec: ModelSpec, history: ChampionHistory) -> Records:
    """What is wrong with journals and evaluations, but for what a person accepted.

    What can be accepted names its table and its commit, so the next commit is another finding.
    """
    unexplained, broken = _altered_evaluations(ctx, spec)
    for contract in (decision_contract(spec), looks_contract(spec)):
        journal = read_journal(ctx.lakehouse, contract)
        unexplained += [f"{contract.table}: commit {v} was made around us" for v in journal.foreign]
        unknown = sum(record_digest(row) not in journal.carried for row in journal.rows)
        if unknown:
            broken.append(f"{contract.table}: {unknown} row(s) were not appended by a decision")
    # Where the events themselves are broken, nobody knows what was accepted.
    accepted = frozenset[str]() if history.broken else history.accepted_problems
    return Records(tuple(p for p in unexplained if p not in accepted), tuple(broken))


def _altered_evaluations(ctx: StepContext, spec: ModelSpec) -> tuple[list[str], list[str]]:
    """As-of partitions whose evaluation is not the published one: by a commit, and without any."""
    contract = evaluation_contract(spec)
    history = ctx.lakehouse.history(contract.table)
    by_commit, without = [], []
    for partition in altered_partitions(ctx.lakehouse, contract):
        what, version = "the rows are not the published ones", history.altered_at(partition)
        if version is None:
            without.append(f"{contract.table}[{partition}]: {what}")
        else:
            since = f"since commit {version}, which was made around us"
            by_commit.append(f"{contract.table}[{partition}]: {what} {since}")
    return by_commit, without
