"""Scoring step: each month by the champion in force at it, on the executors."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from finance_assets.lakehouse.proposal import Accounting, Proposal
from finance_assets.lakehouse.recorded import stored_rows
from finance_assets.ml.identity import verified
from finance_assets.ml.models import Model
from finance_assets.ml.reasons import explain, reason_columns
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.model_life.crowning import history_of
from finance_assets.model_life.decision_log import decision_contract
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult
from finance_assets.step.records import as_result

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame


def scoring_step(spec: ModelSpec) -> Step:
    """Score every row of the window's features; months before the first champion stay empty."""
    contract = prediction_contract(spec)
    inputs = (Input(spec.features), Input(decision_contract(spec), None, -1))

    def run(ctx: StepContext) -> StepResult:
        history = history_of(ctx, spec).trusted()
        champions = {p: history.in_force(p) for p in ctx.window}
        frames = [_scored(ctx, spec, p, c) for p, c in champions.items() if c is not None]
        with ctx.lakehouse.staging() as folder:
            rows = ctx.lakehouse.read(contract).limit(0)
            for frame in frames:
                rows = rows.unionByName(frame)
            rows.write.parquet(str(folder / "scores"))
            staged = ctx.lakehouse.spark.read.schema(rows.schema).parquet(str(folder / "scores"))
            accounting = _accounting(ctx, spec, champions)
            published = ctx.publish(Proposal(contract, ctx.window, staged, accounting))
            result = as_result(published, published.ledgers, [])
        for partition, champion in champions.items():
            result.by_partition[partition] = {
                "champion_version": champion.model_version if champion else "",
                "rows": published.ledgers[partition].published,
            }
        if not frames:
            result.metadata["note"] = "no champion was in force yet: nothing to score with"
        return result

    declared = (spec.bands, spec.reasons)
    return Step(spec.name, Kind.scoring, contract, inputs, run, (_scorer,), declared=declared)


def _scored(
    ctx: StepContext, spec: ModelSpec, partition: str, champion: ChampionEvent
) -> "DataFrame":
    """The rows of one month with score, band and origin.

    Raises:
        ModelError: the champion's files are gone, or are not those that became champion.
    """
    ctx.report(f"scoring {partition} with v{champion.model_version}")
    model = verified(ctx.registry, spec.name, champion.identity).model
    window = ctx.window.at(partition)
    features = ctx.read(spec.features, window)
    data_version = ctx.lakehouse.history(spec.features.table).version_of(window)
    columns = {column.name: column.type for column in spec.features.columns}
    reasons = reason_columns(spec.reasons)
    schema = ", ".join(
        (
            *(f"{name} {columns[name]}" for name in spec.key),
            "score double",
            *(f"{name} string" for name in reasons),
        )
    )
    scorer = _scorer(model, spec)
    return features.mapInPandas(scorer, schema).selectExpr(
        *spec.key,
        "score",
        f"{_band(spec)} as band",
        f"'{champion.model_version}' as model_version",
        f"'{champion.model_sha256}' as model_sha256",
        f"'{spec.features.table}@{data_version}' as data_version",
        *reasons,
        "current_timestamp() as scored_at",
    )


def _scorer(
    model: Model, spec: ModelSpec
) -> Callable[[Iterator["pd.DataFrame"]], Iterator["pd.DataFrame"]]:
    """A function over batches that carries the model with it: executors need no network.

    It closes over plain values only, as it travels to the executors.
    """
    family, text, features, key = model.__class__, model.text, model.features, spec.key
    codes = spec.reasons
    from_score = spec.band_from(codes.band) if codes else 0.0

    def score(batches: Iterator["pd.DataFrame"]) -> Iterator["pd.DataFrame"]:
        loaded = family(text, features)
        for batch in batches:
            inputs = loaded.inputs(batch)
            scored = batch[list(key)].copy()
            scored["score"] = loaded.predict(inputs, threads=1)
            if codes is not None:
                found = explain(loaded, codes, inputs, scored["score"].to_numpy(), from_score)
                for name, texts in found.items():
                    scored[name] = texts
            yield scored

    return score


def _band(spec: ModelSpec) -> str:
    """SQL that names the band of a score."""
    ordered = sorted(spec.bands, key=lambda band: -band.from_score)
    cases = " ".join(f"WHEN score >= {band.from_score!r}D THEN '{band.name}'" for band in ordered)
    return f"CASE {cases} END"


def _accounting(
    ctx: StepContext, spec: ModelSpec, champions: dict[str, ChampionEvent | None]
) -> Accounting:
    """Feature rows in, predictions out; months without a champion take nothing in."""
    stored = stored_rows(ctx.lakehouse, spec.features, ctx.window)
    return Accounting({p: stored[p] for p, champion in champions.items() if champion})
