"""Scoring step: each partition by the champion in force at it, on the executors."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from finance_assets.calendar import Window
from finance_assets.errors import LostRaceError
from finance_assets.lakehouse.audit import rows_in
from finance_assets.lakehouse.proposal import Accounting, Proposal, staged_files
from finance_assets.lakehouse.publish import PublishResult
from finance_assets.lakehouse.recorded import stored_fingerprints
from finance_assets.ml.families import Model, family_of, load_model
from finance_assets.ml.identity import Reader, reader
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.model_life.crowning import history_of
from finance_assets.model_life.decision_log import decision_contract
from finance_assets.model_life.scored import Champions, scorers_of
from finance_assets.model_life.usable import usable
from finance_assets.step.declaration import Input, Kind, Step, StepContext, StepResult
from finance_assets.step.records import as_result

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame


Scorer: TypeAlias = Callable[[Iterator["pd.DataFrame"]], Iterator["pd.DataFrame"]]
# The champion changes by hand, or once a partition: it does not change again and again.
ATTEMPTS = 3


def scoring_step(spec: ModelSpec) -> Step:
    """Score every row of the window's features; partitions before the first champion stay empty."""
    contract = prediction_contract(spec)
    inputs = (Input(spec.features), Input(decision_contract(spec), None, -1))

    def run(ctx: StepContext) -> StepResult:
        history = history_of(ctx, spec).trusted()
        for _ in range(ATTEMPTS):
            champions = _in_force(ctx, history)
            lost = _lost(ctx, spec, champions) if history.is_accepted else {}
            served = {p: c for p, c in champions.items() if p not in lost}
            published = hinted(_publish(ctx, spec, served), spec)
            history = history_of(ctx, spec).trusted()
            if _in_force(ctx, history) == champions:
                return _result(published, champions, lost)
            ctx.report("the champion changed meanwhile: scoring again")
        raise LostRaceError(
            f"the champion changed {ATTEMPTS} times while this was scored",
            where=f"{contract.table}[{ctx.window}]",
            remedy=f"see `finance-assets history {spec.name}`, then score again",
        )

    declared = spec.task
    return Step(spec.name, Kind.scoring, contract, inputs, run, (_scorer,), declared=declared)


def _in_force(ctx: StepContext, history: ChampionHistory) -> Champions:
    """The champion of each partition of the window."""
    return {partition: history.in_force(partition) for partition in ctx.window}


def _publish(ctx: StepContext, spec: ModelSpec, champions: Champions) -> PublishResult:
    """Score with these champions, and publish; other partitions stay as they are."""
    contract = prediction_contract(spec)
    staged: list[Path] = []
    ctx.lakehouse.require(contract)
    read = reader(ctx.registry, spec.name)
    with ctx.lakehouse.staging() as folder:
        # Each is written by itself: a plan carries the text of its model, and one that carried
        # those of many would be larger than an engine takes.
        for champion, window in _stretches(ctx.window, champions):
            staged.append(folder / window.first)
            _scored(ctx, spec, window, champion, read).write.parquet(str(staged[-1]))
        return ctx.publish(
            Proposal(
                contract,
                ctx.window,
                ctx.lakehouse.staged_rows(contract, staged),
                _accounting(ctx, spec, champions),
                constants=scorers_of(champions),
                files=staged_files(ctx.window, folder),
                partitions=tuple(champions),
            )
        )


def hinted(published: PublishResult, spec: ModelSpec) -> PublishResult:
    """The result, which says what to look at where forecasts are no numbers."""
    anchor = spec.task.anchor(spec)
    if anchor is None:
        return published
    unit = f" and {anchor.per}, its unit, above 0" if anchor.per else ""
    hint = f" A forecast begins with {anchor.level}: it must be a number{unit}."
    outcomes = [
        replace(one, observed=f"{one.observed}{hint}")
        if one.check.name == "finite" and not one.is_passed
        else one
        for one in published.outcomes
    ]
    return replace(published, outcomes=outcomes)


def _stretches(window: Window, champions: Champions) -> Iterator[tuple[ChampionEvent, Window]]:
    """Each champion with the partitions in a row that it is in force at."""
    for champion, places in groupby(champions, key=lambda partition: champions[partition]):
        partitions = list(places)
        if champion is not None:
            yield champion, window.at(partitions[0]).through(window.at(partitions[-1]))


def _result(published: PublishResult, champions: Champions, lost: dict[str, str]) -> StepResult:
    """The step's result, with the champion of each partition."""
    result = as_result(published, published.ledgers, [])
    result.fingerprints.update(lost)
    for partition, champion in champions.items():
        is_lost = partition in lost
        result.by_partition[partition] = {
            "champion_version": champion.model_version if champion else "",
            "rows": rows_in(lost[partition]) if is_lost else published.ledgers[partition].published,
        }
    if lost:
        result.metadata["kept"] = (
            f"{len(lost)} from {min(lost)} to {max(lost)}, as a champion that is lost scored them"
        )
    elif not any(champions.values()):
        result.metadata["note"] = "no champion was in force yet: nothing to score with"
    return result


def _scored(
    ctx: StepContext, spec: ModelSpec, window: Window, champion: ChampionEvent, read: Reader
) -> "DataFrame":
    """The rows of a window with score, band and origin.

    Raises:
        ModelError: the champion's files are gone, or are not those that became champion, or
            columns that it takes are gone.
    """
    ctx.report(f"scoring {window} with v{champion.model_version}")
    stored = usable(read, spec, champion)
    tags = stored.version.tags
    here = family_of(tags["model_family"]).library
    trained_by = tags.get("library", here)
    if trained_by != here:
        # Not refused: a library reads the texts of its other versions, or says that it cannot.
        ctx.report(f"v{champion.model_version} was trained by {trained_by}, {here} scores with it")
    columns, derived = spec.task.columns(spec), spec.task.derived()
    made = [column for column in columns if column.name not in derived]
    types = {column.name: column.type for column in (*spec.features.columns, *made)}
    names = (*spec.key, *(column.name for column in made))
    schema = ", ".join(f"{name} {types[name]}" for name in names)
    scorer = _scorer(tags["model_family"], stored.model, spec)
    dated = _dated(scorer, spec.partition_column, _data_versions(ctx, spec, window))
    scored = ctx.read(spec.features, window).mapInPandas(dated, f"{schema}, data_version string")
    values = {
        **derived,
        "model_version": f"'{champion.model_version}'",
        "model_sha256": f"'{champion.model_sha256}'",
        "scored_at": "current_timestamp()",
    }
    # The files become the table's: with its very types, and not with what an expression gives.
    return scored.selectExpr(
        *(
            f"cast({values.get(c.name, f'`{c.name}`')} as {c.type}) as `{c.name}`"
            for c in prediction_contract(spec).columns
        )
    )


def _scorer(
    family: str, model: Model, spec: ModelSpec
) -> Callable[[Iterator["pd.DataFrame"]], Iterator["pd.DataFrame"]]:
    """A function over batches that carries the model with it: executors need no network.

    It closes over plain values only, as it travels to the executors.
    """
    text, task, key = model.text, spec.task, list(spec.key)

    def score(batches: Iterator["pd.DataFrame"]) -> Iterator["pd.DataFrame"]:
        loaded = load_model(family, text)
        for batch in batches:
            scored = task.scored(loaded, batch)
            yield batch[key].assign(**scored)

    return score


def _data_versions(ctx: StepContext, spec: ModelSpec, window: Window) -> dict[str, str]:
    """The features' table and the version at which each partition last changed, as it is read."""
    table = spec.features.table
    history, read = ctx.lakehouse.history(table), ctx.origin.inputs.get(table)
    return {p: f"{table}@{history.version_of(window.at(p), read)}" for p in window}


def _dated(scorer: Scorer, partition: str, versions: dict[str, str]) -> Scorer:
    """The scorer, which also says of which version the data of each row's partition are."""

    def score(batches: Iterator["pd.DataFrame"]) -> Iterator["pd.DataFrame"]:
        for scored in scorer(batches):
            yield scored.assign(data_version=scored[partition].map(versions))

    return score


def _lost(ctx: StepContext, spec: ModelSpec, champions: Champions) -> dict[str, str]:
    """What a champion scored whose event is lost, if a person accepted that: the fingerprint of
    each such partition, as it is stored. What was served stays on record, as nobody could make it
    again.
    """
    if all(champions.values()):
        return {}
    contract = prediction_contract(spec)
    history = ctx.lakehouse.history(contract.table)
    stored = history.row_counts()
    found: dict[str, str] = {}
    for partition in (p for p, one in champions.items() if one is None and stored.get(p)):
        ctx.report(f"{partition} was scored by a champion that is lost: it stays as it is")
        known = history.publication_of(partition)
        said = {partition: known.fingerprints[partition] if known else ""}
        found |= stored_fingerprints(history, contract, ctx.window.at(partition), said)
    return found


def _accounting(ctx: StepContext, spec: ModelSpec, champions: Champions) -> Accounting:
    """Feature rows in, predictions out; partitions without a champion take nothing in."""
    stored = ctx.rows_of(spec.features, ctx.window)
    return Accounting({p: stored[p] for p, champion in champions.items() if champion})
