"""Model cards: gather what is known of a version, and put the card beside it in MLflow."""

import base64
import json
from dataclasses import asdict

from finance_assets.codec import Json
from finance_assets.errors import ModelError
from finance_assets.lakehouse.record import from_rows
from finance_assets.ml.evaluation import ALL, CANDIDATE, CHAMPION
from finance_assets.ml.frames import versions_of
from finance_assets.ml.lineage import exposure
from finance_assets.ml.model_files import RECIPE_FILE, Version
from finance_assets.ml.registry import CARD_FOLDER
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.card_text import Card, Declared, Measured, Trained, render_card
from finance_assets.model_life.champion_history import ChampionHistory
from finance_assets.model_life.crowning import history_of
from finance_assets.model_life.decision_log import Decision, Outcome, read_decisions
from finance_assets.model_life.evaluations import (
    Measurement,
    evaluation_contract,
    evaluations_of,
)
from finance_assets.step.declaration import StepContext


def write_card(ctx: StepContext, spec: ModelSpec, version: Version) -> str:
    """Write Markdown and JSON of the version's card into its MLflow run.

    Gives the Markdown with the plots in it, to be read where there is no MLflow.
    """
    card = gather_card(ctx, spec, version)
    files = {
        "model_card.md": render_card(card).encode(),
        "model_card.json": json.dumps(card, indent=1, default=str).encode(),
    }
    ctx.registry.add_files(version, CARD_FOLDER, files)
    plots = ctx.registry.plots(version)
    return render_card(card, {name: _inline(png) for name, png in plots.items()})


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def gather_card(ctx: StepContext, spec: ModelSpec, version: Version) -> Card:
    """Every fact of the card, read from tables, registry and declarations."""
    sha256 = version.tags.get("artifact_sha256", "")
    history = history_of(ctx, spec).trusted()
    judged = [
        d
        for d in read_decisions(ctx.lakehouse, spec)
        if (d.candidate_version, d.model_sha256) == (version.number, sha256)
    ]
    events = [e for e in history.events if version.number in (e.model_version, e.replaces)]
    return {
        **_declared(spec),
        **_trained(ctx, spec, version),
        **_measured(ctx, spec, version),
        "status": _status(history, sha256, judged),
        "gate": [asdict(verdict) for verdict in judged[-1].report.verdicts] if judged else [],
        "decisions": [asdict(decision) for decision in judged],
        "history": [asdict(event) for event in events],
    }


def _declared(spec: ModelSpec) -> Declared:
    """What the use case declares of every version."""
    return {
        "task": {"name": spec.task.card, **asdict(spec.task)},
        "features": [
            {"name": c.name, "description": c.description, "unit": c.unit or ""}
            for c in spec.features.columns
            if c.name in spec.feature_names
        ],
        "naive": spec.naive,
        "limitations": list(spec.limitations),
        "drift_limits": asdict(spec.drift),
    }


def _trained(ctx: StepContext, spec: ModelSpec, version: Version) -> Trained:
    """What the registry knows of the training."""
    tags = version.tags

    def given(*names: str) -> dict[str, str]:
        return {name: tags.get(name, "") for name in names}

    return {
        "model": {
            "name": spec.name,
            "version": version.number,
            "purpose": spec.purpose,
            **given("as_of", "owner", "trained_by", "git_sha"),
        },
        "data": {
            "versions": versions_of(tags["dataset_version"]) if "dataset_version" in tags else {},
            **given("train_window", "holdout_window", "train_rows", "train_outcomes"),
        },
        "recipe": _recipe(ctx, version),
        "exposure": asdict(exposure(spec, ctx.registry.signature(version))),
    }


def _measured(ctx: StepContext, spec: ModelSpec, version: Version) -> Measured:
    """What its evaluation says of the version and of whom it was compared with."""
    as_of, sha256 = version.tags.get("as_of", ""), version.tags.get("artifact_sha256", "")
    table = evaluation_contract(spec).table
    stored = ctx.lakehouse.history(table).rows(where=f"as_of = '{as_of}'")
    found = evaluations_of(spec.task, from_rows(Measurement, stored, table)).get(as_of)
    own = found.of_role(CANDIDATE) if found else None
    is_own = own is not None and own.model_sha256 == sha256
    shown = [
        one
        for one in (found.contenders if found else ())
        if one.role == CHAMPION or one.model_sha256 == sha256
    ]
    measures: list[dict[str, Json]] = [
        {"role": one.role, "segment": segment, **metrics.scalars()}
        for one in shown
        for segment, metrics in one.metrics.items()
    ]
    assessment = found.assessment if found and is_own else None
    return {
        "measures": [row for row in measures if row["segment"] == ALL],
        "segments": [row for row in measures if row["segment"] != ALL],
        "problems": [(one.role, one.problem) for one in shown if one.problem],
        "assessment": asdict(assessment) if assessment is not None else None,
    }


def _status(history: ChampionHistory, sha256: str, judged: list[Decision]) -> str:
    crowned = [event for event in history.events if event.model_sha256 == sha256]
    if history.newest is not None and history.newest.model_sha256 == sha256:
        newest = history.newest
        if newest.is_baseline:
            return f"The rule of thumb: it serves from {newest.effective_from} on, nothing beat it"
        return f"Champion from {newest.effective_from} on ({newest.event} by {newest.decided_by})"
    if crowned:
        return "Former champion"
    words = {
        Outcome.held: "Passed the gate, waits for approval",
        Outcome.turned_down: "Turned down by the gate",
        Outcome.promoted: "Passed the gate",
    }
    return words[Outcome(judged[-1].outcome)] if judged else "Not judged yet"


def _recipe(ctx: StepContext, version: Version) -> dict[str, Json]:
    try:
        return dict(ctx.registry.record(version, RECIPE_FILE))
    except ModelError as error:
        # The card of a candidate with an altered recipe must say so, not fail.
        return {"library": str(error), "rounds": "unknown", "params": {}}
