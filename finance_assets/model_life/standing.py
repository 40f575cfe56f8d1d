"""Standing evaluations: whether what was measured before is what measuring now would say.

Measuring is measuring.py's business, deciding on it judging.py's.
"""

from finance_assets.lakehouse.history import Publication
from finance_assets.lakehouse.integrity import altered_partitions
from finance_assets.lakehouse.publish import Origin
from finance_assets.lakehouse.record import from_rows
from finance_assets.ml.evaluation import CANDIDATE, CHAMPION
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.contests import Contest
from finance_assets.model_life.evaluations import (
    Evaluation,
    Measurement,
    declared_digest,
    evaluation_contract,
    evaluations_of,
)
from finance_assets.model_life.inputs import evaluation_inputs
from finance_assets.step.declaration import StepContext
from finance_assets.step.lineage import read_inputs


def standing_evaluation(ctx: StepContext, spec: ModelSpec, one: Contest) -> Evaluation | None:
    """The stored evaluation, if it was measured as is declared today, on the rows of today, by the
    code of today. Code that has no commit is today's in one and the same run.
    """
    table, as_of = evaluation_contract(spec).table, one.split.as_of
    known = ctx.lakehouse.history(table).in_force(as_of)
    if known is None or not is_same_code(known, ctx.origin):
        return None
    now = read_inputs(ctx.lakehouse, evaluation_inputs(spec), one.split.rows.at(as_of))
    if known.made_from.get(as_of) != now.made_from[as_of]:
        return None
    # Last, as it reads rows.
    found = stored_evaluation(ctx, spec, one)
    return found if found and found.declared_sha256 == declared_digest(spec) else None


def is_same_code(known: Publication, now: Origin) -> bool:
    """Whether a publication was made by the code that runs now.

    Commits are compared as far as both are given: a bundle tells them in full, a checkout does not.
    """
    then, today = known.code_sha, now.code_sha
    if any(code == "unknown" or code.endswith("-dirty") for code in (then, today)):
        return (then, known.run_id) == (today, now.run_id)
    return then.startswith(today) or today.startswith(then)


def stored_evaluation(ctx: StepContext, spec: ModelSpec, one: Contest) -> Evaluation | None:
    """The stored evaluation, if it is about just these two, and intact."""
    contract, as_of = evaluation_contract(spec), one.split.as_of
    if altered_partitions(ctx.lakehouse, contract, one.split.rows.at(as_of)):
        return None
    history = ctx.lakehouse.history(contract.table)
    where = f"{contract.partition_column} = '{as_of}'"
    rows = history.rows(where=where, version=history.version)
    found = evaluations_of(spec.task, from_rows(Measurement, rows, contract.table)).get(as_of)
    if found is None:
        return None
    expected = {CANDIDATE: (one.candidate.number, one.model_sha256)}
    if one.champion is not None:
        expected[CHAMPION] = (one.champion.model_version, one.champion.model_sha256)
    measured = {
        contender.role: (contender.model_version, contender.model_sha256)
        for contender in found.contenders
        if contender.role in (CANDIDATE, CHAMPION)
    }
    return found if measured == expected else None
