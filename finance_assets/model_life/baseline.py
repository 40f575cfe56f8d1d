"""The baseline as champion: the rule of thumb serves where nobody was champion yet.

It is a version like any other, with the interval of its past errors, and becomes champion by an
event of its own, which rests on the use case's declaration and not on the gate. From then on it is
the champion that a candidate has to beat.
"""

from dataclasses import replace

from finance_assets.calendar import Calendar
from finance_assets.errors import LostRaceError
from finance_assets.ml.frames import dataset_of, labelled_rows, require_labels
from finance_assets.ml.gate_report import BASELINE_TASK, GateReport, Verdict
from finance_assets.ml.identity import identify
from finance_assets.ml.model_files import RECIPE_FILE, REFERENCE_FILE, Version
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import TimeSplit
from finance_assets.ml.tracking import Candidate, register
from finance_assets.ml.training import declared_recipe, train
from finance_assets.model_life.champion_history import Event
from finance_assets.model_life.crowning import Crowning, crown, first_open_partition, history_of
from finance_assets.model_life.registration import example_of, reference_of, tags_of
from finance_assets.step.declaration import StepContext

DECLARED = "The rule of thumb serves until something beats it."


def install_baseline(
    ctx: StepContext, spec: ModelSpec, calendar: Calendar, split: TimeSplit
) -> None:
    """Make the rule of thumb champion, if the use case says so and the history names nobody.

    Raises:
        ModelError: the champion history cannot be trusted.
        HistoryError: an input was never published, or no outcome is known.
    """
    if not spec.baseline_serves:
        return
    history = history_of(ctx, spec).trusted()
    if history.events:
        return
    version, figures = _registered(ctx, spec, split)
    crowning = Crowning(
        event=Event.installed,
        identity=identify(ctx.registry, version),
        as_of=split.as_of,
        dataset_version=version.tags["dataset_version"],
        trained_by=version.tags["trained_by"],
        report=_report(spec, version, figures),
        decided_by="declaration",
        reason=DECLARED,
    )
    start = first_open_partition(ctx, spec, calendar, history, split.as_of)
    try:
        crown(ctx, spec, crowning, start, history)
    except LostRaceError as error:
        ctx.report(f"the rule of thumb was not installed: {error.what}")
        return
    ctx.report(f"v{version.number}, the rule of thumb, serves from {start} on")


def _registered(ctx: StepContext, spec: ModelSpec, split: TimeSplit) -> tuple[Version, str]:
    """The version of the rule of thumb, and its figures on the holdout in words."""
    ours = spec.rule_of_thumb
    recipe = declared_recipe(ours, split, dataset_of(ctx.lakehouse, spec, split), is_searched=False)
    rows = labelled_rows(ctx.lakehouse, ours, split)
    require_labels(ctx.lakehouse, rows, split)
    fit, held = rows.within(split.train), rows.within(split.holdout).frame
    model = train(recipe, fit)
    outcome = held[spec.target].to_numpy("float64")
    found = spec.task.measure(outcome, model.predict(model.inputs(held))).scalars()
    figures = ", ".join(f"{name} {value:.6g}" for name, value in found.items())
    known = ctx.registry.find(spec.name, recipe.fingerprint)
    if known is not None:
        return known, figures
    tags = tags_of(ctx, ours, split, recipe, fit.frame)
    candidate = Candidate(
        model=model,
        example=example_of(recipe, fit.frame),
        tags={**tags, "title": f"{spec.name}, the rule of thumb as of {split.as_of}"},
        params={**recipe.params, "anchor": str(recipe.anchor)},
        records={
            RECIPE_FILE: recipe.to_dict(),
            REFERENCE_FILE: reference_of(spec, model, fit.frame, held),
            **spec.task.records(spec, fit.frame),
        },
        plots={},
    )
    # In an MLflow run of its own: that of the Dagster run is the candidate's.
    return register(replace(ctx.registry, open_run=None), spec.name, candidate), figures


def _report(spec: ModelSpec, version: Version, figures: str) -> GateReport:
    """What the event rests on: the declaration. The gate has judged nothing."""
    verdict = Verdict(
        name="rule_of_thumb",
        sentence=DECLARED,
        is_passed=True,
        required="declared, and nobody was champion yet",
        observed=f"{spec.naive} on {version.tags['holdout_window']}: {figures}",
    )
    return GateReport(
        version.number, None, (verdict,), spec.gate.digest, (verdict.name,), BASELINE_TASK
    )
