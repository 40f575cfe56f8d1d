"""Restated data: what a champion rests on that is not what it was then. Reads commit logs only."""

from finance_assets.calendar import Calendar, moment
from finance_assets.lakehouse.history import TableHistory
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.criteria.known import KnownOutcomes
from finance_assets.ml.frames import versions_of
from finance_assets.ml.spec import ModelSpec
from finance_assets.ml.splits import first_as_of, split_as_of
from finance_assets.ml.tasks.mandatory import PROVENANCE
from finance_assets.model_life.champion_history import ChampionEvent, ChampionHistory
from finance_assets.model_life.decision_log import Decision, Outcome, read_decisions

# Who fails one of these was turned down for the data that it came from, which may have been cut.
ORIGIN = frozenset(kind.name for kind in PROVENANCE) | {KnownOutcomes.name}


def restated_since(
    lakehouse: Lakehouse,
    calendar: Calendar,
    spec: ModelSpec,
    history: ChampionHistory,
    champion: ChampionEvent,
) -> tuple[str, ...]:
    """What the champion learned from, or was measured on, that is not what it was then.

    Then: when it was first crowned, or when the gate last kept it against a candidate that knew
    more. A rollback, which puts it in force once more, makes nothing of that any newer.
    """
    # A declaration that changed since says nothing of what the champion learned from.
    is_declared = champion.as_of >= first_as_of(calendar, spec)
    if not champion.dataset_version or not is_declared:
        return ()
    crowned = (history.crowning(champion.identity) or champion).recorded_at
    split = split_as_of(calendar, spec, champion.as_of)
    kept = _kept(lakehouse, spec, champion, crowned)
    then = versions_of(kept.dataset_version if kept else champion.dataset_version)
    when = moment(kept.recorded_at if kept else crowned)
    since = f"was kept as of {kept.as_of}" if kept else "was trained"
    said = []
    for contract, window in ((spec.features, split.rows), (spec.labels, split.matured)):
        table, trained_on = lakehouse.history(contract.table), then.get(contract.table, -1)
        known = f"since v{champion.model_version} {since}"
        # Another table under the same name counts its versions anew, so they say nothing.
        if not table.exists or table.created_at > when:
            said.append(f"{contract.table}: was made anew {known}")
            continue
        found = {p: _changed_at(table, p, trained_on) for p in window}
        changed = {p: version for p, version in found.items() if version is not None}
        if changed:
            # By the version, data that are restated once more are another finding.
            which, newest = ", ".join(changed), max(changed.values())
            said.append(f"{contract.table}: {which} changed {known}, last by version {newest}")
    return tuple(said)


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
    """The version that altered a partition's rows, or published them after `version`."""
    altered, publication = history.altered_at(partition), history.publication_of(partition)
    if altered is None and publication is not None and publication.version > version:
        return publication.version
    return altered
