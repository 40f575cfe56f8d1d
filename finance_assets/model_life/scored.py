"""Scored partitions: by whom they were scored, and whether that champion is still in force there.

The champion history and the predictions are two tables, so a change of champion and a scoring
run can overlap. Scoring looks again after it published, and whoever changes the champion is told
what was scored meanwhile. Scoring itself is a step's business.
"""

from dataclasses import dataclass, fields
from typing import TypeAlias

from finance_assets.lakehouse.ddl import quoted
from finance_assets.lakehouse.history import TableHistory
from finance_assets.ml.spec import ModelSpec
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.contracts import prediction_contract
from finance_assets.step.declaration import StepContext

# The champion of each partition; none before the first one.
Champions: TypeAlias = dict[str, ChampionEvent | None]


@dataclass(frozen=True, order=True)
class Scorer:
    """The model that made a partition's predictions; its fields are columns of theirs."""

    model_version: str
    model_sha256: str


def scorers_of(champions: Champions) -> dict[str, dict[str, str]]:
    """What is the same in all predictions of a partition, for the log to state."""
    return {
        partition: vars(Scorer(champion.model_version, champion.model_sha256))
        for partition, champion in champions.items()
        if champion is not None
    }


def scored_by(history: TableHistory, spec: ModelSpec) -> list[tuple[str, Scorer]]:
    """Each scored partition and who scored it, oldest first.

    As the log states it: there are many predictions. The rows are read of partitions of which it
    states nothing, as the first versions of this package did not, and of what others wrote.
    """
    column = prediction_contract(spec).partition_column
    published = [p for p, ledger in history.ledgers().items() if ledger.published]
    stated = {p: found for p in published if (found := _stated(history, p)) is not None}
    if len(stated) == len(published) and not history.foreign_versions:
        return sorted(stated.items())
    names = ", ".join(one.name for one in fields(Scorer))
    known = ", ".join(map(quoted, stated))
    rows = history.rows(f"DISTINCT {column}, {names}", f"{column} NOT IN ({known or quoted('')})")
    read = [
        (str(row[column]), Scorer(str(row["model_version"]), str(row["model_sha256"])))
        for row in rows
    ]
    return sorted([*stated.items(), *read])


def _stated(history: TableHistory, partition: str) -> Scorer | None:
    """Who scored a partition, as the log has it; None if it does not say."""
    publication = history.publication_of(partition)
    said = publication.constants.get(partition) if publication else None
    return Scorer(**said) if said and history.altered_at(partition) is None else None


def outdated(ctx: StepContext, spec: ModelSpec, history: ChampionHistory) -> list[str]:
    """Scored partitions where another champion is in force than the one that scored; sentences.

    Without those where the champion is lost, by acceptance, and nobody could score them again.
    """
    table = prediction_contract(spec).table
    found = []
    for partition, scorer in scored_by(ctx.lakehouse.history(table), spec):
        champion = history.in_force(partition)
        if champion is None and history.is_accepted:
            continue
        if champion is None or scorer.model_sha256 != champion.model_sha256:
            now = f"v{champion.model_version}" if champion else "no champion"
            found.append(
                f"{table}[{partition}] was scored by v{scorer.model_version}, but "
                f"{now} is in force there: materialise it again"
            )
    return found
