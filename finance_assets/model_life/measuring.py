"""Measuring: candidate, champion and baselines on the same temporal holdout.

It measures; it does not judge. A model that cannot be measured is recorded as such, with the
reason, so that the gate can say so; a registry that does not answer fails the step instead, as
that says nothing about the model and may pass.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.errors import ModelError
from finance_assets.lakehouse.record import as_rows
from finance_assets.ml.evaluation import ALL, CANDIDATE, CHAMPION, Holdout, measure_segments
from finance_assets.ml.families import Model
from finance_assets.ml.frames import LabelledRows, labelled_rows, with_groups
from finance_assets.ml.identity import reader
from finance_assets.ml.known import known_outcomes
from finance_assets.ml.model_files import RECIPE_FILE, Version, digest
from finance_assets.ml.reseeding import reseeded
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.training import Recipe, train
from finance_assets.model_life.contests import Contest
from finance_assets.model_life.evaluations import (
    Contender,
    Evaluation,
    declared_digest,
    evaluation_contract,
)
from finance_assets.model_life.holdout_looks import count_look
from finance_assets.model_life.usable import usable
from finance_assets.step.declaration import StepContext, StepResult
from finance_assets.step.records import publish_records

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Evaluated:
    """What one as-of partition gave: the evaluation, and the plots of it."""

    version: Version
    evaluation: Evaluation
    images: dict[str, bytes]

    @property
    def headline(self) -> dict[str, float]:
        """The candidate's figures over the whole holdout, as MLflow names them."""
        own = self.evaluation.of_role(CANDIDATE)
        whole = own.whole if own else None
        found = whole.scalars() if whole else {}
        return {f"holdout_{name}": value for name, value in found.items()}


def measure_and_publish(
    ctx: StepContext, spec: ModelSpec, contests: Sequence[Contest]
) -> StepResult:
    """Measure the contests of the window and publish them as the evaluation table's partitions."""
    evaluated = [evaluate(ctx, spec, one) for one in contests]
    records = [row for one in evaluated for row in one.evaluation.measurements(spec.task)]
    result = publish_records(ctx, evaluation_contract(spec), as_rows(records))
    for one in evaluated:
        ctx.registry.record_evaluation(one.version, one.headline, one.images)
    last = evaluated[-1]
    result.metadata.update(last.headline)
    result.metadata["look_at_holdout"] = last.evaluation.look
    result.metadata["mlflow_run"] = ctx.registry.run_url(last.version)
    result.plots.update(last.images)
    return result


def evaluate(ctx: StepContext, spec: ModelSpec, contest: Contest) -> Evaluated:
    """Measure everybody on the holdout; one more look at it, if these two never met there."""
    split, task = contest.split, spec.task
    look = count_look(
        ctx, spec, split.as_of, split.holdout, contest.model_sha256, contest.champion_sha256
    )
    rows = labelled_rows(ctx.inputs, spec, split)
    ctx.report(
        f"measuring on {split.holdout}: {len(rows.frame)} labelled rows in all; "
        f"look {look} at this holdout"
    )
    trained_on = rows.within(split.train)
    holdout = _holdout(ctx, spec, rows.within(split.holdout), trained_on)
    outputs, models, errors = _outputs(ctx, holdout, contest)
    retrained = _retraining(ctx, contest.candidate, trained_on)
    assessment, images, unassessed = None, {}, ""
    if CANDIDATE in outputs:
        model = models[CANDIDATE]
        before = model.predict(model.inputs(holdout.last_trained))
        again = _reseeded(ctx, contest.candidate, trained_on, holdout, outputs)
        try:
            assessment = task.assess(holdout, outputs, before, model.gain_shares(), again)
            images = task.plots(holdout, outputs, assessment)
        except ValueError as error:
            unassessed = str(error)
    outcomes = trained_on.frame[spec.target].to_numpy("float64")
    evaluation = Evaluation(
        as_of=split.as_of,
        contenders=_contenders(holdout, contest, outputs, errors),
        assessment=assessment,
        unassessed=unassessed,
        look=look,
        retrained_sha256=retrained(),
        train_rows=str(len(outcomes)),
        train_outcomes=task.describe(outcomes),
        declared_sha256=declared_digest(spec),
        known=known_outcomes(ctx.inputs, rows, split),
    )
    return Evaluated(contest.candidate, evaluation, images)


def _holdout(
    ctx: StepContext, spec: ModelSpec, held: LabelledRows, trained_on: LabelledRows
) -> Holdout:
    """The holdout with the groups of its rows, and the training rows."""
    rows = with_groups(spec, held.frame, lambda table: ctx.inputs.read(table, held.window))
    return Holdout(spec, rows, trained_on.frame)


def _outputs(
    ctx: StepContext, holdout: Holdout, contest: Contest
) -> tuple[dict[str, "np.ndarray"], dict[str, Model], dict[str, str]]:
    """Outputs and models by role, and why a role has none."""
    import numpy as np

    spec = holdout.spec
    roles = [CANDIDATE, *spec.task.baselines]
    if contest.champion is not None:
        roles.append(CHAMPION)
    outputs: dict[str, np.ndarray] = {}
    models: dict[str, Model] = {}
    errors: dict[str, str] = {}
    for role in roles:
        try:
            if role in spec.task.baselines:
                output = spec.task.baseline(
                    role, holdout, lambda file: ctx.registry.record(contest.candidate, file)
                )
            else:
                models[role] = _model(ctx, spec, contest, role)
                output = models[role].predict(models[role].inputs(holdout.frame))
            if not np.isfinite(output).all():
                raise ValueError(f"{int((~np.isfinite(output)).sum())} scores are no numbers")
            spec.task.measure(holdout.outcome, output)
            outputs[role] = output
        except (ModelError, ValueError, LookupError) as error:
            errors[role] = f"{type(error).__name__}: {error}"
    return outputs, models, errors


def _model(ctx: StepContext, spec: ModelSpec, contest: Contest, role: str) -> Model:
    """A candidate as registered; a champion as its event names it."""
    if role == CHAMPION and contest.champion is not None:
        return usable(reader(ctx.registry, spec.name), spec, contest.champion).model
    return ctx.registry.model(contest.candidate)


def _contenders(
    holdout: Holdout,
    contest: Contest,
    outputs: dict[str, "np.ndarray"],
    errors: dict[str, str],
) -> tuple[Contender, ...]:
    """Every role with its metrics, or with why there are none; baselines as a whole only."""
    task, found = holdout.spec.task, []
    for role in (*outputs, *errors):
        number, sha256 = contest.candidate.number, contest.model_sha256
        if role == CHAMPION and contest.champion is not None:
            number, sha256 = contest.champion.model_version, contest.champion.model_sha256
        metrics = {}
        if role in outputs and role not in task.baselines:
            metrics = measure_segments(holdout, outputs[role])
        elif role in outputs:
            metrics = {ALL: task.measure(holdout.outcome, outputs[role])}
        found.append(Contender(role, number, sha256, metrics, errors.get(role, "")))
    return tuple(found)


def _retraining(ctx: StepContext, version: Version, rows: LabelledRows) -> Callable[[], str]:
    """Begin a second training from the recorded recipe; the call waits for its digest, or for why
    there is none.

    On purpose: the gate compares it with what was registered, so that no file gets through that
    its recipe does not give.

    A library trains outside Python's lock, so the holdout is measured meanwhile. On a cluster it
    is trained when it is waited for.
    """

    def train_again() -> str:
        try:
            return digest(train(recipe, rows).text)
        except (ModelError, ValueError, LookupError, TypeError) as error:
            return f"{type(error).__name__}: {error}"

    try:
        recipe = Recipe.from_dict(ctx.registry.record(version, RECIPE_FILE))
    except (ModelError, ValueError, LookupError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
        return lambda: problem
    if "num_workers" in recipe.params:
        return train_again
    pool = ThreadPoolExecutor(1)
    begun = pool.submit(train_again)
    pool.shutdown(wait=False)
    return begun.result


def _reseeded(
    ctx: StepContext,
    version: Version,
    rows: LabelledRows,
    holdout: Holdout,
    outputs: dict[str, "np.ndarray"],
) -> list["np.ndarray"]:
    """Holdout outputs of retrainings with other seeds; none, and the gate fails, without recipe.

    None either where nothing hangs on them: no champion, or no gain even without their noise.
    """
    if CHAMPION not in outputs:
        return []
    if not holdout.spec.task.may_beat(holdout, outputs[CANDIDATE], outputs[CHAMPION]):
        return []
    try:
        recipe = Recipe.from_dict(ctx.registry.record(version, RECIPE_FILE))
        models = reseeded(recipe, rows)
        return [model.predict(model.inputs(holdout.frame)) for model in models]
    except (ModelError, ValueError, LookupError, TypeError):
        return []
