"""The chain: reading the champion history, and finding everything that is wrong with it."""

from dataclasses import fields

from finance_assets.lakehouse.journal import Journal, read_journal
from finance_assets.lakehouse.record import from_rows
from finance_assets.lakehouse.store import Lakehouse
from finance_assets.ml.identity import Identity
from finance_assets.model_life.champion_history import (
    ChampionEvent,
    ChampionHistory,
    Event,
    champion_history_contract,
)
from finance_assets.model_life.people import is_one_of

# What an acceptance names where there is no champion.
NOBODY = Identity(**{field.name: "" for field in fields(Identity)})


def read_history(
    lakehouse: Lakehouse, use_case: str, stated: dict[str, str] | None = None
) -> ChampionHistory:
    """The history as it is now, with everything that is wrong with it.

    Args:
        lakehouse: where the table lies.
        use_case: whose history.
        stated: the newest event as other places state it (`statement`), by place: a history
            that ends before one of them was shortened.
    """
    journal = read_journal(lakehouse, champion_history_contract(use_case))
    return history_in(journal, use_case, stated)


def history_in(
    journal: Journal, use_case: str, stated: dict[str, str] | None = None
) -> ChampionHistory:
    """The history that a journal holds."""
    found = from_rows(ChampionEvent, journal.rows, journal.contract.table)
    events = tuple(sorted(found, key=lambda event: (event.sequence, event.recorded_at)))
    broken = [
        f"event {event.sequence} was not appended by a decision"
        for event in events
        if event.digest not in journal.carried
    ]
    broken += chain_problems(events)
    accepted = [event for event in events if event.event == Event.accepted]
    unexplained = [
        f"commit {version} was made around us"
        for version in journal.foreign
        if not any(journal.carried.get(event.digest, -1) > version for event in accepted)
    ]
    for place, statement in (stated or {}).items():
        unexplained += _shortened(events, place, statement)
    if not broken:
        unexplained += _by_one_person(events)
    return ChampionHistory(use_case, events, tuple(broken), tuple(unexplained))


def _by_one_person(events: tuple[ChampionEvent, ...]) -> list[str]:
    """Approvals by who had accepted the history before, which the first versions of this package
    took: without those that a person accepted since.
    """
    found = [
        f"event {event.sequence}: who approved it is who had accepted the history: no second "
        "person did"
        for place, event in enumerate(events)
        if event.event == Event.approved
        and is_one_of(event.decided_by, ChampionHistory("", events[:place]).acceptors)
    ]
    accepted = ChampionHistory("", events).accepted_problems
    return [problem for problem in found if problem not in accepted]


def chain_problems(events: tuple[ChampionEvent, ...]) -> list[str]:
    """What is wrong with the events themselves; empty for an unbroken chain."""
    problems: list[str] = []
    for place, event in enumerate(events, 1):
        before = ChampionHistory("", events[: place - 1])
        problems += [f"event {event.sequence}: {what}" for what in _event_problems(event, before)]
        if event.sequence != place:
            problems.append(f"event {event.sequence} stands at place {place}")
    return problems


def _event_problems(event: ChampionEvent, before: ChampionHistory) -> list[str]:
    """What is wrong with one event, given those before it."""
    replaced, head, problems = before.newest, before.head, []
    if event.digest != event.content_digest:
        problems.append("its digest is not that of its content")
    if event.previous_digest != (head.digest if head else ""):
        problems.append("it does not follow the event before it")
    if event.event not in set(Event):
        problems.append(f"{event.event!r} is no change of champion")
    if event.replaces != (replaced.model_version if replaced else None):
        problems.append("it does not name the champion it replaced")
    try:
        problems += _rests_on(event, before)
    except (ValueError, LookupError, TypeError) as error:
        problems.append(f"its report cannot be read ({type(error).__name__})")
    if event.event == Event.rolled_back and before.crowning(event.identity) is None:
        problems.append("it puts back a model that was never champion")
    return problems


def _rests_on(event: ChampionEvent, before: ChampionHistory) -> list[str]:
    """What is wrong with what an event names as its ground."""
    if event.event == Event.accepted:
        stays = before.newest.identity if before.newest else NOBODY
        is_plain = event.identity == stays and event.accepted.problems
        return [] if is_plain else ["it accepts nothing, or changes the champion"]
    problems, report = [], event.report
    if not report.is_passed or report.candidate_version != event.model_version:
        problems.append("it does not rest on a passed report about its version")
    if event.event != Event.rolled_back and report.champion_version != event.replaces:
        problems.append("it replaced another champion than it was compared with")
    if event.is_baseline != _crowns_baseline(event, before):
        problems.append("its report is not of its kind: only the rule of thumb needs no gate")
    return problems


def _crowns_baseline(event: ChampionEvent, before: ChampionHistory) -> bool:
    """Whether an event may rest on the declaration alone: it is the first, or puts that back."""
    if event.event == Event.rolled_back:
        crowned = before.crowning(event.identity)
        return crowned is not None and crowned.event == Event.installed
    return event.event == Event.installed and not before.events


def _shortened(events: tuple[ChampionEvent, ...], place: str, statement: str) -> list[str]:
    """Whether the newest event that a place states is among the events, or was accepted to lack."""
    number, _, digest = statement.partition(":")
    if digest in {event.digest for event in events if str(event.sequence) == number}:
        return []
    if any(_accepts(event, statement) for event in events):
        return []
    return [f"{place} states an event {number} that the table does not have: it was shortened"]


def _accepts(event: ChampionEvent, statement: str) -> bool:
    """Whether a person accepted that the table lacks the event which a place states."""
    try:
        return event.event == Event.accepted and statement in event.accepted.stated.values()
    except ValueError:
        return False
