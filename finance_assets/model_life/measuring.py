"""Measuring: candidate, champion and baselines on the same temporal holdout.

It measures; it does not judge. A model that cannot be measured is recorded as such, with the
reason, so that the gate can say so; a registry that does not answer fails the step instead, as
that says nothing about the model and may pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finance_assets.errors import ModelError
from finance_assets.ml.criteria import BeatsChampion
from finance_assets.ml.estimates import auc_gain
from finance_assets.ml.evaluation import (
    ALL,
    CANDIDATE,
    CHAMPION,
    NAIVE,
    SCORECARD,
    Holdout,
    assess,
    measure_segments,
)
from finance_assets.ml.frames import LabelledRows, TimeSplit, labelled_rows
from finance_assets.ml.identity import verified
from finance_assets.ml.metrics import Metrics, measure
from finance_assets.ml.model_files import RECIPE_FILE, SCORECARD_FILE, Version, digest
from finance_assets.ml.models import Model
from finance_assets.ml.reseeding import reseeded
from finance_assets.ml.scorecard import Scorecard
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.training import Recipe, train
from finance_assets.model_life.champion_history import ChampionEvent
from finance_assets.model_life.contests import Contest
from finance_assets.model_life.contracts import evaluation_contract
from finance_assets.model_life.evaluation_plots import evaluation_plots
from finance_assets.model_life.evaluation_records import as_failure, as_row
from finance_assets.model_life.holdout_looks import count_look
from finance_assets.step.declaration import StepContext, StepResult
from finance_assets.step.records import publish_records

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Evaluated:
    """What one as-of partition gave: rows for the table, plots, and the candidate's headline."""

    version: Version
    records: list[dict[str, Any]]
    images: dict[str, bytes]
    headline: dict[str, float]


def measure_and_publish(
    ctx: StepContext, spec: ModelSpec, contests: Sequence[Contest]
) -> StepResult:
    """Measure the contests of the window and publish them as the evaluation table's partitions."""
    evaluated = [evaluate(ctx, spec, one) for one in contests]
    records = [record for one in evaluated for record in one.records]
    result = publish_records(ctx, evaluation_contract(spec), records)
    for one in evaluated:
        ctx.registry.record_evaluation(one.version, one.headline, one.images)
    last = evaluated[-1]
    result.metadata.update(last.headline)
    result.metadata["look_at_holdout"] = max(r["look"] or 0 for r in last.records)
    result.metadata["mlflow_run"] = ctx.registry.run_url(last.version)
    result.plots.update(last.images)
    return result


def _holdout(ctx: StepContext, spec: ModelSpec, rows: LabelledRows, split: TimeSplit) -> Holdout:
    """The holdout with the groups of its rows, and the last training month."""
    frame = rows.within(split.holdout).frame
    if spec.protected:
        attributes = (
            ctx.lakehouse.read(spec.protected.source, split.holdout)
            .selectExpr(
                *spec.key, *(f"{a.expression} as `{a.name}`" for a in spec.protected.attributes)
            )
            .toPandas()
        )
        frame = frame.merge(attributes.drop_duplicates(list(spec.key)), "left", list(spec.key))
    return Holdout(spec, frame, rows.within(split.train).frame)


def evaluate(ctx: StepContext, spec: ModelSpec, contest: Contest) -> Evaluated:
    """Measure everybody on the holdout; one more look at it, if these two never met there."""
    split, candidate, champion = contest.split, contest.candidate, contest.champion
    look = count_look(
        ctx, spec, split.as_of, split.holdout, contest.model_sha256, contest.champion_sha256
    )
    rows = labelled_rows(ctx.lakehouse, spec, split.rows)
    ctx.report(
        f"measuring on {split.holdout}: {len(rows.frame)} labelled rows in all; "
        f"look {look} at this holdout"
    )
    holdout = _holdout(ctx, spec, rows, split)
    versions: dict[str, Version | ChampionEvent] = dict.fromkeys(
        (CANDIDATE, SCORECARD, NAIVE), candidate
    )
    if champion is not None:
        versions[CHAMPION] = champion
    scores, models, errors = _scores(ctx, holdout, versions)
    trained_on = rows.within(split.train)
    assessment = None
    if CANDIDATE in scores:
        model = models[CANDIDATE]
        before = model.predict(model.inputs(holdout.last_trained))
        again = _reseeded(ctx, candidate, trained_on, holdout, scores)
        assessment = assess(holdout, scores, before, model.gain_shares(), again)
    measured = _measured(holdout, scores)
    records = _records(contest, measured, errors)
    for record in records:
        if (record["role"], record["segment"]) == (CANDIDATE, ALL):
            record |= {
                "assessment": assessment.to_json() if assessment else None,
                "look": look,
                "retrained_sha256": _retrained(ctx, candidate, trained_on),
                "train_rows": len(trained_on.frame),
                "train_positives": int(trained_on.frame[spec.target].sum()),
            }
    shown = {role: scores[role] for role in (CANDIDATE, CHAMPION, SCORECARD) if role in scores}
    images = evaluation_plots(holdout.outcome, shown, assessment)
    headline = measured[CANDIDATE][ALL].scalars() if CANDIDATE in measured else {}
    return Evaluated(
        candidate, records, images, {f"holdout_{name}": value for name, value in headline.items()}
    )


def _measured(holdout: Holdout, scores: dict[str, "np.ndarray"]) -> dict[str, dict[str, Metrics]]:
    """Metrics by role and segment; baselines are measured as a whole only."""
    return {
        role: measure_segments(holdout, score)
        if role in (CANDIDATE, CHAMPION)
        else {ALL: measure(holdout.outcome, score)}
        for role, score in scores.items()
    }


def _records(
    contest: Contest, measured: dict[str, dict[str, Metrics]], errors: dict[str, str]
) -> list[dict[str, Any]]:
    """A row for each role and segment, and for each role that could not be measured."""
    records = [
        as_row(contest, role, segment, metrics)
        for role, by_segment in measured.items()
        for segment, metrics in by_segment.items()
    ]
    return records + [as_failure(contest, role, why) for role, why in errors.items()]


def _scores(
    ctx: StepContext, holdout: Holdout, versions: dict[str, Version | ChampionEvent]
) -> tuple[dict[str, "np.ndarray"], dict[str, Model], dict[str, str]]:
    """Scores and models by role, and why a role has none."""
    import numpy as np

    scores: dict[str, np.ndarray] = {}
    models: dict[str, Model] = {}
    errors: dict[str, str] = {}
    for role, version in versions.items():
        try:
            if role == NAIVE:
                score = _naive(holdout.frame[holdout.spec.naive].to_numpy("float64"))
            elif role == SCORECARD:
                card = ctx.registry.record(version, SCORECARD_FILE)  # type: ignore[arg-type]
                score = Scorecard.from_dict(card).predict(holdout.frame)
            else:
                models[role] = _model(ctx, holdout.spec, version)
                score = models[role].predict(models[role].inputs(holdout.frame))
            if not np.isfinite(score).all():
                raise ValueError(f"{int((~np.isfinite(score)).sum())} scores are no numbers")
            measure(holdout.outcome, score)
            scores[role] = score
        except (ModelError, ValueError, LookupError) as error:
            errors[role] = f"{type(error).__name__}: {error}"
    return scores, models, errors


def _model(ctx: StepContext, spec: ModelSpec, version: Version | ChampionEvent) -> Model:
    """A candidate as registered; a champion as its event names it."""
    if isinstance(version, ChampionEvent):
        return verified(ctx.registry, spec.name, version.identity).model
    return ctx.registry.model(version)


def _naive(values: "np.ndarray") -> "np.ndarray":
    """The plain feature as a score: its rank among the holdout's rows, from 0 to 1."""
    import numpy as np
    from scipy.stats import rankdata

    return np.asarray(
        rankdata(np.nan_to_num(values, nan=values[~np.isnan(values)].min())) / len(values)
    )


def _retrained(ctx: StepContext, version: Version, rows: LabelledRows) -> str:
    """Digest of a second training from the recorded recipe, or why there is none."""
    try:
        recipe = Recipe.from_dict(ctx.registry.record(version, RECIPE_FILE))
        return digest(train(recipe, rows).text)
    except (ModelError, ValueError, LookupError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def _reseeded(
    ctx: StepContext,
    version: Version,
    rows: LabelledRows,
    holdout: Holdout,
    scores: dict[str, "np.ndarray"],
) -> list["np.ndarray"]:
    """Holdout scores of retrainings with other seeds; none, and the gate fails, without recipe.

    None either where nothing hangs on them: no champion, or no gain even without their noise.
    """
    if CHAMPION not in scores:
        return []
    [bound] = [c.min_gain for c in holdout.spec.gate.criteria if isinstance(c, BeatsChampion)]
    if not auc_gain(holdout.outcome, scores[CANDIDATE], scores[CHAMPION]).may_exceed(bound):
        return []
    try:
        recipe = Recipe.from_dict(ctx.registry.record(version, RECIPE_FILE))
        models = reseeded(recipe, rows)
        return [model.predict(model.inputs(holdout.frame)) for model in models]
    except (ModelError, ValueError, LookupError, TypeError):
        return []
