"""The champion history: an append-only chain of the only events that change the champion.

A candidate was promoted by the gate, approved by a person, or an earlier champion was put back.
Where the use case declares it, the rule of thumb is installed before any of these. One more kind
of event changes no champion: a person accepted the history as it stands (acceptance.py).
Each event carries the digests of what it crowns, the champion it replaced, and the digest of the
event before it. Whoever uses a champion reads the chain and checks it first. Decisions that
change nothing are in decision_log.py; MLflow's aliases only mirror this table.
"""

from dataclasses import dataclass

from finance_assets.errors import ModelError
from finance_assets.lakehouse.contract import Contract, RowRule
from finance_assets.lakehouse.record import columns_of
from finance_assets.ml.identity import Identity
from finance_assets.model_life.champion_events import BY_PEOPLE, Accepted, ChampionEvent, Event

__all__ = ["BY_PEOPLE", "Accepted", "ChampionEvent", "ChampionHistory", "Event"]


def champion_history_contract(use_case: str) -> Contract:
    """One row per change of champion; rows are only ever added."""
    return Contract(
        table=f"models.{use_case}_champion_history",
        description="Every change of champion, chained by digest and never changed: who, when, "
        "from what, to what, and on which report.",
        columns=columns_of(ChampionEvent),
        key=("sequence",),
        partition_column="effective_from",
        row_rules=(
            RowRule(
                "event_known",
                "event IN ('promoted', 'approved', 'rolled_back', 'installed', 'accepted')",
                "Nothing else changes a champion, or accepts the history as it stands.",
            ),
            RowRule("reason_given", "reason <> ''", "A change has a reason."),
        ),
        is_append_only=True,
    )


@dataclass(frozen=True)
class ChampionHistory:
    """The chain of a use case, and what is wrong with it.

    `broken` is what is wrong with the events themselves, `unexplained` what is missing or came
    from elsewhere, which a person can accept.
    """

    use_case: str
    chain: tuple[ChampionEvent, ...]
    broken: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong; empty for a chain that can be trusted."""
        return (*self.unexplained, *self.broken)

    @property
    def events(self) -> tuple[ChampionEvent, ...]:
        """The changes of champion, oldest first."""
        return tuple(event for event in self.chain if event.event != Event.accepted)

    def in_force(self, partition: str) -> ChampionEvent | None:
        """The event whose champion holds at a partition; a later event supersedes earlier ones."""
        holding = [event for event in self.events if event.effective_from <= partition]
        return holding[-1] if holding else None

    @property
    def acceptances(self) -> tuple[ChampionEvent, ...]:
        """The events by which people accepted it as it stood, oldest first."""
        return tuple(event for event in self.chain if event.event == Event.accepted)

    @property
    def is_accepted(self) -> bool:
        """Whether a person ever accepted the history as it stood: others may have been champion."""
        return bool(self.acceptances)

    @property
    def accepted_at(self) -> str:
        """When a person last accepted the history as it stood; empty if nobody ever did."""
        return self.acceptances[-1].recorded_at if self.acceptances else ""

    @property
    def lost_at(self) -> str:
        """When a person last accepted a history that lacks events which other places state, if no
        champion is left, or but the rule of thumb; else empty.
        """
        if self.newest is not None and not self.newest.is_baseline:
            return ""
        known = {"", *(event.statement for event in self.chain)}
        lossy = [
            event.recorded_at
            for event in self.acceptances
            if set(event.accepted.stated.values()) - known
        ]
        return lossy[-1] if lossy else ""

    @property
    def accepted_problems(self) -> frozenset[str]:
        """Every finding that a person accepted.

        Raises:
            ValueError: what an acceptance accepts cannot be read.
        """
        return frozenset(problem for one in self.acceptances for problem in one.accepted.problems)

    @property
    def acceptors(self) -> tuple[str, ...]:
        """Who accepted the history as it stood, since somebody approved a candidate last."""
        since: list[str] = []
        for event in self.chain:
            if event.event == Event.approved:
                since.clear()
            elif event.event == Event.accepted:
                since.append(event.decided_by)
        return tuple(since)

    @property
    def awaits_a_person(self) -> bool:
        """Whether nobody approved a candidate since a person accepted the history as it stood.

        Until then the gate may compare with a weaker champion than the one that was lost.
        """
        return bool(self.acceptors)

    @property
    def newest(self) -> ChampionEvent | None:
        """The newest event: its champion is the one for whatever was not scored yet."""
        return self.events[-1] if self.events else None

    @property
    def previous(self) -> ChampionEvent | None:
        """The event before the newest: it crowned the champion that the newest one replaced."""
        return self.events[-2] if len(self.events) > 1 else None

    def crowning(self, identity: Identity) -> ChampionEvent | None:
        """The first event that crowned exactly this model: by the gate, or by approval."""
        for event in self.events:
            if event.identity == identity and event.event != Event.rolled_back:
                return event
        return None

    def of_version(self, version: str) -> ChampionEvent | None:
        """The newest event that crowned a version of this number."""
        found = [event for event in self.events if event.model_version == version]
        return found[-1] if found else None

    def scored_by(self, version: str, model_sha256: str) -> ChampionEvent | None:
        """The newest event that crowned the model which predictions name; None if it may be one
        that a person accepted to be lost.

        Raises:
            ModelError: it was never champion.
        """
        for event in reversed(self.events):
            if (event.model_version, event.model_sha256) == (version, model_sha256):
                return event
        if self.is_accepted:
            return None
        raise ModelError(
            f"predictions name v{version} (sha256 {model_sha256[:12]}), which never was champion",
            where=champion_history_contract(self.use_case).table,
            remedy="score the partition again; see `finance-assets history --verify`",
        )

    def trusted(self) -> "ChampionHistory":
        """The history itself, if nothing is wrong with it.

        Raises:
            ModelError: something is; nobody may rest on it.
        """
        if not self.problems:
            return self
        raise ModelError(
            f"the champion history cannot be trusted: {'; '.join(self.problems)}",
            where=champion_history_contract(self.use_case).table,
            remedy=f"`finance-assets history {self.use_case} --verify` lists what is wrong; find "
            "out who did it and restore the table, or take it as it stands: "
            f"`finance-assets accept {self.use_case} --reason …`",
        )

    @property
    def head(self) -> ChampionEvent | None:
        """The newest event of the chain, whether or not it changed the champion."""
        return self.chain[-1] if self.chain else None

    @property
    def statement(self) -> str:
        """`<sequence>:<digest>` of the newest event, as it is stated elsewhere."""
        return self.head.statement if self.head else ""
