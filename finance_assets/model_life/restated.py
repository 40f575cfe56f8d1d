"""Restated data: what a champion rests on that is not what it was then.

Reads commit logs, and what a version says that it learned from where a table was made anew.
"""

from dataclasses import dataclass
from functools import cache

from finance_assets.calendar import Calendar, Window, moment
from finance_assets.errors import ModelError
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.criteria.known import KnownOutcomes
from finance_assets.ml.frames import versions_of, windows_of
from finance_assets.ml.model_files import RECIPE_FILE
from finance_assets.ml.registry import ModelRegistry
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import first_as_of, split_as_of
from finance_assets.ml.tasks.mandatory import PROVENANCE
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.decision_log import Decision, Outcome, read_decisions

# Who fails one of these was turned down for the data that it came from, which may have been cut.
ORIGIN = frozenset(kind.name for kind in PROVENANCE) | {KnownOutcomes.name}


@dataclass(frozen=True)
class _Basis:
    """The data that today's are compared with: those of a version, when it was judged."""

    model_version: str
    model_sha256: str
    as_of: str
    dataset_version: str
    recorded_at: str
    words: str


def restated_since(
    lakehouse: Lakehouse,
    registry: ModelRegistry,
    calendar: Calendar,
    spec: ModelSpec,
    history: ChampionHistory,
    champion: ChampionEvent,
) -> tuple[str, ...]:
    """What the champion learned from, or was measured on, that is not what it was then.

    Then: when it was first crowned, or when the gate last kept it against a candidate that knew
    more. A rollback, which puts it in force once more, makes nothing of that any newer. Rows that
    are the same again are what they were then.
    """
    # A declaration that changed since says nothing of what the champion learned from.
    is_declared = champion.as_of >= first_as_of(calendar, spec)
    if not champion.dataset_version or not is_declared:
        return ()
    basis = _basis(lakehouse, spec, history, champion)
    then, when = versions_of(basis.dataset_version), moment(basis.recorded_at)
    learned = windows_of(spec, split_as_of(calendar, spec, basis.as_of))
    contents = cache(lambda: _contents(registry, spec, basis))
    known, said = f"since v{champion.model_version} {basis.words}", []
    for name, window in windows_of(spec, split_as_of(calendar, spec, champion.as_of)).items():
        table, trained_on = lakehouse.history(name), then.get(name, -1)
        # Another table under the same name counts its versions anew, so they say nothing.
        if not table.exists or table.created_at > when:
            if not _holds(table, learned[name], contents().get(name, "")):
                said.append(f"{name}: was made anew {known}")
            continue
        found = {p: _changed_at(table, p, trained_on) for p in window}
        changed = {p: version for p, version in found.items() if version is not None}
        if changed:
            # By the version, data that are restated once more are another finding.
            which, newest = ", ".join(changed), max(changed.values())
            said.append(f"{name}: {which} changed {known}, last by version {newest}")
    return tuple(said)


def _basis(
    lakehouse: Lakehouse, spec: ModelSpec, history: ChampionHistory, champion: ChampionEvent
) -> _Basis:
    """What the champion was trained on, or what a candidate knew that it was kept against."""
    crowned = (history.crowning(champion.identity) or champion).recorded_at
    kept = _kept(lakehouse, spec, champion, crowned)
    if kept is None:
        return _Basis(
            champion.model_version,
            champion.model_sha256,
            champion.as_of,
            champion.dataset_version,
            crowned,
            "was trained",
        )
    return _Basis(
        kept.candidate_version,
        kept.model_sha256,
        kept.as_of,
        kept.dataset_version,
        kept.recorded_at,
        f"was kept as of {kept.as_of}",
    )


def _contents(registry: ModelRegistry, spec: ModelSpec, basis: _Basis) -> dict[str, str]:
    """A digest of the rows of each table that a version learned from; empty if none is known."""
    try:
        version = registry.version(spec.name, basis.model_version)
        recipe = registry.record(version, RECIPE_FILE)
    except ModelError:
        return {}
    is_it = version.tags.get("artifact_sha256") == basis.model_sha256
    is_it = is_it and recipe["dataset_version"] == basis.dataset_version
    # Recipes of the first versions of this package do not say it.
    return dict(recipe.get("contents") or {}) if is_it else {}


def _holds(table: TableHistory, window: Window, content: str) -> bool:
    """Whether a table holds the rows of a digest, and nobody but publish wrote them."""
    if not table.exists or any(table.altered_at(p) is not None for p in window):
        return False
    return table.digest_of(window) == content


def _kept(
    lakehouse: Lakehouse, spec: ModelSpec, champion: ChampionEvent, crowned: str
) -> Decision | None:
    """The newest decision that kept the champion, on all the data that it rests on.

    A candidate that was turned down for where it comes from, as for data that were not in order,
    or a model that is not what its recipe gives, says nothing about the champion.
    """
    found = [
        decision
        for decision in read_decisions(lakehouse, spec)
        if decision.outcome == Outcome.turned_down
        and decision.champion_version == champion.model_version
        and decision.dataset_version
        and decision.as_of >= champion.as_of
        and decision.recorded_at > crowned
        and ORIGIN.isdisjoint(decision.failed_criteria.split(","))
    ]
    return found[-1] if found else None


def _changed_at(history: TableHistory, partition: str, version: int) -> int | None:
    """The version that altered a partition's rows, or published others than those of `version`."""
    altered = history.altered_at(partition)
    return altered if altered is not None else history.republished_since(partition, version)
