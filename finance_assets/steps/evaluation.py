"""Evaluation step: candidate, champion and baselines on the same temporal holdout.

It measures and judges nothing. A model that cannot be measured is recorded as such, with the
reason, so that the gate can say so; a registry that does not answer fails the step instead, as
that says nothing about the model and may pass.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finance_assets.errors import ModelError
from finance_assets.lakehouse.windows import Calendar, Window
from finance_assets.ml import plots
from finance_assets.ml.assessment import Assessment
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
from finance_assets.ml.identity import Identity, identify, verified
from finance_assets.ml.metrics import Metrics, measure
from finance_assets.ml.models import Model
from finance_assets.ml.registry import RECIPE_FILE, SCORECARD_FILE, Version, digest
from finance_assets.ml.scorecard import Scorecard
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.training import Recipe, train
from finance_assets.steps.champion_history import ChampionEvent, ChampionHistory
from finance_assets.steps.champions import history_of
from finance_assets.steps.decision_log import count_look
from finance_assets.steps.model_contracts import (
    EVALUATION_COLUMNS,
    candidate_contract,
    evaluation_contract,
)
from finance_assets.steps.records import publish_records
from finance_assets.steps.step import Input, Kind, Step, StepContext, StepResult

if TYPE_CHECKING:
    import numpy as np

METRICS = ("rows", "positives", "auc", "pr_auc", "brier", "calibration_error", "ks")


@dataclass(frozen=True)
class Contest:
    """A candidate and the champion it would replace, on the holdout of its partition.

    `identity` is None if the candidate's files are not what was registered.
    """

    split: TimeSplit
    candidate: Version
    identity: Identity | None
    champion: ChampionEvent | None

    @property
    def model_sha256(self) -> str:
        """Digest of the candidate's text; empty if it cannot be read."""
        return self.identity.model_sha256 if self.identity else ""

    @property
    def champion_sha256(self) -> str:
        """Digest of the champion's text; empty without a champion."""
        return self.champion.model_sha256 if self.champion else ""


@dataclass(frozen=True)
class Evaluated:
    """What one as-of partition gave: rows for the table, plots, and the candidate's headline."""

    version: Version
    records: list[dict[str, Any]]
    images: dict[str, bytes]
    headline: dict[str, float]


def evaluation_inputs(spec: ModelSpec, calendar: Calendar) -> tuple[Input, ...]:
    """The tables that measuring reads."""
    past = -len(calendar.partitions())
    inputs = [
        Input(candidate_contract(spec)),
        Input(spec.features, first_offset=past, last_offset=-1),
        Input(spec.labels, first_offset=past, last_offset=0),
    ]
    if spec.protected:
        inputs.append(Input(spec.protected.source, first_offset=past, last_offset=-1))
    return tuple(inputs)


def evaluation_step(spec: ModelSpec, calendar: Calendar) -> Step:
    """Score the holdout with every contender, and measure and compare them."""

    def run(ctx: StepContext) -> StepResult:
        history = history_of(ctx, spec).trusted()
        splits = [split_as_of(calendar, spec, as_of) for as_of in ctx.window]
        return measure_and_publish(
            ctx, spec, [contest(ctx, spec, split, history) for split in splits]
        )

    contract = evaluation_contract(spec)
    code = (measure, assess, _evaluate)
    inputs = evaluation_inputs(spec, calendar)
    return Step(spec.name, Kind.evaluation, contract, inputs, run, code)


def contest(
    ctx: StepContext,
    spec: ModelSpec,
    split: TimeSplit,
    history: ChampionHistory,
    candidate: Version | None = None,
) -> Contest:
    """The partition's candidate, or the given one, against today's champion.

    A candidate that became champion already stands against the one it replaced then.
    """
    candidate = candidate or candidate_version(ctx, spec, split.as_of)
    try:
        identity = identify(ctx.registry, candidate)
    except (ModelError, LookupError, ValueError) as error:
        ctx.report(f"v{candidate.number} is not what was registered: {error}")
        return Contest(split, candidate, None, history.newest)
    crowned = history.crowning(identity)
    if crowned is None:
        return Contest(split, candidate, identity, history.newest)
    before = history.events[crowned.sequence - 2] if crowned.sequence > 1 else None
    return Contest(split, candidate, identity, before)


def measure_and_publish(
    ctx: StepContext, spec: ModelSpec, contests: Sequence[Contest]
) -> StepResult:
    """Measure the contests of the window and publish them as the evaluation table's partitions."""
    evaluated = [_evaluate(ctx, spec, one) for one in contests]
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
    last = Window(split.train.last, split.train.last)
    return Holdout(spec, frame, rows.within(last).frame)


def _evaluate(ctx: StepContext, spec: ModelSpec, contest: Contest) -> Evaluated:
    split, candidate, champion = contest.split, contest.candidate, contest.champion
    look = count_look(
        ctx, spec, split.as_of, split.holdout, contest.model_sha256, contest.champion_sha256
    )
    rows = labelled_rows(ctx.lakehouse, spec, Window(split.train.first, split.holdout.last))
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
    measured = {role: measure_segments(holdout, score) for role, score in scores.items()}
    assessment = None
    if CANDIDATE in scores:
        model = models[CANDIDATE]
        before = model.predict(model.inputs(holdout.last_trained))
        assessment = assess(holdout, scores, before, model.gain_shares())
    records = [
        _record(contest, role, segment, metrics)
        for role, by_segment in measured.items()
        for segment, metrics in by_segment.items()
        if segment == ALL or role in (CANDIDATE, CHAMPION)
    ]
    records += [_failure(contest, role, why) for role, why in errors.items()]
    trained_on = rows.within(split.train)
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
    images = _plots(holdout.outcome, shown, assessment)
    headline = measured[CANDIDATE][ALL].scalars() if CANDIDATE in measured else {}
    return Evaluated(
        candidate, records, images, {f"holdout_{name}": value for name, value in headline.items()}
    )


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


def _plots(
    outcome: "np.ndarray", scores: dict[str, "np.ndarray"], assessment: Assessment | None
) -> dict[str, bytes]:
    if assessment is None:
        return {}
    ratios = {f"{gap.attribute}={gap.group}": gap.ratio.value for gap in assessment.gaps}
    images = {
        "roc": plots.roc(outcome, scores),
        "calibration": plots.calibration(outcome, scores),
        "lift": plots.lift(measure(outcome, scores[CANDIDATE])),
    }
    if ratios:
        title = "Favourable decisions, share of the largest group's"
        images["fairness"] = plots.bars(title, ratios, 0.8)
    return images


def _record(contest: Contest, role: str, segment: str, measured: Metrics) -> dict[str, Any]:
    return {
        **_failure(contest, role, None),
        "segment": segment,
        **measured.scalars(),
        "lift_by_decile": json.dumps(measured.lift_by_decile),
    }


def _failure(contest: Contest, role: str, why: str | None) -> dict[str, Any]:
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
