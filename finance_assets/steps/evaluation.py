"""Evaluation step: candidate, champion and baselines on the same temporal holdout.

It measures and judges nothing. A model that cannot be measured is recorded as such, with the
reason, so that the gate can say so; a registry that does not answer fails the step instead, as
that says nothing about the model and may pass.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finance_assets.errors import ModelError
from finance_assets.lakehouse.windows import Calendar, Window
from finance_assets.ml import plots
from finance_assets.ml.assessment import Assessment
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
from finance_assets.ml.frames import LabelledRows, TimeSplit, labelled_rows, split_as_of
from finance_assets.ml.metrics import Metrics, measure
from finance_assets.ml.models import Model
from finance_assets.ml.registry import RECIPE_FILE, SCORECARD_FILE, Version, digest
from finance_assets.ml.reseeding import reseeded
from finance_assets.ml.scorecard import Scorecard
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.training import Recipe, train
from finance_assets.steps.model_contracts import (
    EVALUATION_COLUMNS,
    candidate_contract,
    evaluation_contract,
)
from finance_assets.steps.promotions import champion_at
from finance_assets.steps.records import publish_records
from finance_assets.steps.step import Input, Kind, Step, StepContext, StepResult

if TYPE_CHECKING:
    import numpy as np

SHOWN_GROUPS = 12
METRICS = ("rows", "positives", "auc", "pr_auc", "brier", "calibration_error", "ks")


@dataclass(frozen=True)
class Evaluated:
    """What one as-of month gave: rows for the table, plots, and the candidate's headline."""

    version: Version
    records: list[dict[str, Any]]
    images: dict[str, bytes]
    headline: dict[str, float]


def evaluation_step(spec: ModelSpec, calendar: Calendar) -> Step:
    """Score the holdout with every contender, and measure and compare them."""
    past = -len(calendar.partitions())
    inputs = [
        Input(candidate_contract(spec)),
        Input(spec.features, first_offset=past, last_offset=-1),
        Input(spec.labels, first_offset=past, last_offset=0),
    ]
    if spec.protected:
        inputs.append(Input(spec.protected.source, first_offset=past, last_offset=-1))

    def run(ctx: StepContext) -> StepResult:
        evaluated = [
            _evaluate(ctx, spec, split_as_of(calendar, spec, as_of)) for as_of in ctx.window
        ]
        records = [record for one in evaluated for record in one.records]
        result = publish_records(ctx, evaluation_contract(spec), records)
        for one in evaluated:
            ctx.registry.record_evaluation(one.version, one.headline, one.images)
        last = evaluated[-1]
        result.metadata.update(last.headline)
        result.metadata["mlflow_run"] = ctx.registry.run_url(last.version)
        result.plots.update(last.images)
        return result

    contract = evaluation_contract(spec)
    code = (measure, assess, _evaluate)
    return Step(spec.name, Kind.evaluation, contract, tuple(inputs), run, code)


def candidate_version(ctx: StepContext, spec: ModelSpec, as_of: str) -> Version:
    """The registered candidate as of a month.

    Raises:
        ModelError: none was trained.
    """
    for row in ctx.lakehouse.history(candidate_contract(spec).table).rows():
        if row["as_of_month"] == as_of:
            return ctx.registry.version(spec.name, row["model_version"])
    raise ModelError(
        "no candidate was trained",
        where=f"{candidate_contract(spec).table}, as of {as_of}",
        remedy="materialise the candidate of this partition first",
    )


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


def _evaluate(ctx: StepContext, spec: ModelSpec, split: TimeSplit) -> Evaluated:
    candidate = candidate_version(ctx, spec, split.as_of)
    champion = champion_at(ctx.lakehouse, spec.name, split.as_of)
    rows = labelled_rows(ctx.lakehouse, spec, Window(split.train.first, split.holdout.last))
    ctx.report(f"measuring on {split.holdout}: {len(rows.frame)} labelled rows in all")
    holdout = _holdout(ctx, spec, rows, split)
    versions = {role: candidate for role in (CANDIDATE, SCORECARD, NAIVE)}
    if champion is not None:
        versions[CHAMPION] = ctx.registry.version(spec.name, champion.version)
    scores, models, errors = _scores(ctx, holdout, versions)
    measured = {role: measure_segments(holdout, score) for role, score in scores.items()}
    assessment = None
    if CANDIDATE in scores:
        model = models[CANDIDATE]
        before = model.predict(model.inputs(holdout.last_trained))
        again = _reseeded(ctx, candidate, rows.within(split.train), holdout, scores)
        assessment = assess(holdout, scores, before, model.gain_shares(), again)
    records = [
        _record(split.as_of, role, versions[role], segment, metrics)
        for role, by_segment in measured.items()
        for segment, metrics in by_segment.items()
        if segment == ALL or role in (CANDIDATE, CHAMPION)
    ]
    records += [_failure(split.as_of, role, versions[role], why) for role, why in errors.items()]
    trained_on = rows.within(split.train)
    for record in records:
        if (record["role"], record["segment"]) == (CANDIDATE, ALL):
            record |= {
                "assessment": assessment.to_json() if assessment else None,
                "retrained_sha256": _retrained(ctx, candidate, trained_on),
                "train_rows": len(trained_on.frame),
                "train_positives": int(trained_on.frame[spec.target].sum()),
            }
    shown = {role: scores[role] for role in (CANDIDATE, CHAMPION, SCORECARD) if role in scores}
    images = _plots(holdout.outcome, shown, assessment)
    headline = measured[CANDIDATE][ALL].scalars() if CANDIDATE in measured else {}
    return Evaluated(
        candidate, records, images, {f"holdout_{name}": value for name, value in headline.items()}
    )


def _scores(
    ctx: StepContext, holdout: Holdout, versions: dict[str, Version]
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
                card = ctx.registry.record(version, SCORECARD_FILE)
                score = Scorecard.from_dict(card).predict(holdout.frame)
            else:
                models[role] = ctx.registry.model(version)
                score = models[role].predict(models[role].inputs(holdout.frame))
            if not np.isfinite(score).all():
                raise ValueError(f"{int((~np.isfinite(score)).sum())} scores are no numbers")
            measure(holdout.outcome, score)
            scores[role] = score
        except (ModelError, ValueError, LookupError) as error:
            errors[role] = f"{type(error).__name__}: {error}"
    return scores, models, errors


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


def _plots(
    outcome: "np.ndarray", scores: dict[str, "np.ndarray"], assessment: Assessment | None
) -> dict[str, bytes]:
    if assessment is None:
        return {}
    flagged = [gap for gap in assessment.gaps if gap.threshold == assessment.threshold]
    worst = sorted(flagged, key=lambda gap: gap.ratio.value)[:SHOWN_GROUPS]
    ratios = {gap.group: gap.ratio.value for gap in worst}
    images = {
        "roc": plots.roc(outcome, scores),
        "calibration": plots.calibration(outcome, scores),
        "lift": plots.lift(measure(outcome, scores[CANDIDATE])),
    }
    if ratios:
        title = "Favourable decisions, share of the best-off group's"
        images["fairness"] = plots.bars(title, ratios, 0.8)
    return images


def _record(
    as_of: str, role: str, version: Version, segment: str, measured: Metrics
) -> dict[str, Any]:
    return {
        **_failure(as_of, role, version, None),
        "segment": segment,
        **measured.scalars(),
        "lift_by_decile": json.dumps(measured.lift_by_decile),
    }


def _failure(as_of: str, role: str, version: Version, why: str | None) -> dict[str, Any]:
    """A row of a role that could not be measured; also the frame of one that could."""
    empty = dict.fromkeys(column.name for column in EVALUATION_COLUMNS if column.is_nullable)
    return {
        **empty,
        "as_of_month": as_of,
        "role": role,
        "model_version": version.number,
        "segment": ALL,
        "rows": 0,
        "positives": 0,
        "problem": why,
    }


def metrics_from(record: dict[str, Any]) -> Metrics:
    """A row of the evaluation table as metrics again."""
    lift = tuple(json.loads(record["lift_by_decile"]))
    return Metrics(**{name: record[name] for name in METRICS}, lift_by_decile=lift)
