"""Rescoring: how a champion would have fared where another one scored, once outcomes are known.

Figures of two champions cannot be compared, as their rows differ. So the one in question is asked
about the same rows. Nothing of this is stored.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finance_assets.errors import ModelError
from finance_assets.ml.identity import Identity, Reader
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.performance_log import LEVEL
from finance_assets.model_life.usable import usable
from finance_assets.monitoring.measurements import Matured, Rival
from finance_assets.monitoring.significance import Figure
from finance_assets.step.declaration import StepContext

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from finance_assets.ml.estimates import Interval

# How many earlier champions are asked; each is loaded, and scores a partition.
RIVALS = 3


@dataclass(frozen=True)
class Fared:
    """By how much outcomes lie above what a champion says of them, and what it loses on them."""

    level: Figure | None
    lost: Figure | None


def fared(
    ctx: StepContext,
    spec: ModelSpec,
    read: Reader,
    champion: ChampionEvent,
    partition: str,
    scored: str,
) -> Fared | None:
    """How a champion fares on the rows of `scored`, whose outcomes became known in `partition`.

    None where it cannot be asked: its files or columns that it takes are gone, or there is too
    little to measure.
    """
    try:
        model = usable(read, spec, champion).model
    except ModelError as error:
        ctx.report(f"v{champion.model_version} cannot be asked: {error.what}")
        return None
    rows = ctx.read(spec.features, ctx.window.at(scored))
    rows = rows.join(outcomes_of(ctx, spec, partition, scored), list(spec.key))
    frame = rows.toPandas().sort_values(list(spec.key), ignore_index=True)
    outcome = frame[spec.target].astype("float64").to_numpy()
    if frame.empty or not spec.task.can_measure(outcome):
        return None
    output = model.predict(model.inputs(frame))
    figures = spec.task.observed(outcome, output)
    return Fared(
        figure(figures.get(LEVEL)), figure(spec.task.lost(spec.task.expected(output), figures))
    )


def rivals_of(
    ctx: StepContext,
    spec: ModelSpec,
    read: Reader,
    history: ChampionHistory,
    partition: str,
    matured: Matured,
) -> tuple[Rival, ...]:
    """What other champions would have lost on the rows that matured in a partition.

    The newest few, whether they came before or after the one that scored them. Who learned from
    these very outcomes is not asked.
    """
    others: dict[Identity, ChampionEvent] = {}
    for event in reversed(history.events):
        if event.model_sha256 != matured.scored_by and event.as_of < partition:
            others.setdefault(event.identity, event)
    found = []
    for event in list(others.values())[:RIVALS]:
        said = fared(ctx, spec, read, event, partition, matured.partition)
        if said is not None and said.lost is not None:
            found.append(Rival(event.model_version, event.model_sha256, said.lost))
    return tuple(found)


def outcomes_of(ctx: StepContext, spec: ModelSpec, partition: str, scored: str) -> "DataFrame":
    """The outcomes, known in one partition, of what was scored in another."""
    known = ctx.read(spec.labels, ctx.window.at(partition))
    of_scored = ctx.window.at(scored).predicate(spec.partition_column)
    matured = known.where(f"{spec.target} IS NOT NULL AND {of_scored}")
    return matured.select(*spec.key, spec.target)


def figure(one: "Interval | None") -> Figure | None:
    """An interval of the ml package as monitoring knows it."""
    return Figure(one.value, one.low, one.high) if one is not None else None
