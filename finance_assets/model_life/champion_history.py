"""The champion history: an append-only chain of the only events that change the champion.

A candidate was promoted by the gate, approved by a person, or an earlier champion was put back.
Where the use case declares it, the rule of thumb is installed before any of these. One more kind
of event changes no champion: a person accepted the history as it stands (acceptance.py).
Each event carries the digests of what it crowns, the champion it replaced, and the digest of the
event before it. Whoever uses a champion reads the chain and checks it first. Decisions that
change nothing are in decision_log.py; MLflow's aliases only mirror this table.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum

from finance_assets.codec import from_json
from finance_assets.errors import ModelError
from finance_assets.lakehouse.contract import Contract, RowRule
from finance_assets.lakehouse.record import columns_of, described
from finance_assets.ml.gate_report import BASELINE_TASK, GateReport
from finance_assets.ml.identity import Identity


class Event(StrEnum):
    """The events that can change the champion, and `accepted`, which does not."""

    promoted = "promoted"
    approved = "approved"
    rolled_back = "rolled_back"
    installed = "installed"
    accepted = "accepted"


# The events that a person brings about; the others are a step's.
BY_PEOPLE = (Event.approved, Event.rolled_back, Event.accepted)


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
class Accepted:
    """What a person accepted: the findings, and the newest event as each place stated it."""

    problems: tuple[str, ...]
    stated: dict[str, str]


@dataclass(frozen=True)
class ChampionEvent:
    """A change of champion; the fields are the table's columns.

    One that accepts the history names the champion that stays, or empty texts where there is none.
    """

    sequence: int = described("Place in the chain, from 1 on")
    event: str = described(
        "promoted, approved or rolled_back; installed: the rule of thumb; accepted: the history, "
        "by a person, who changed no champion"
    )
    effective_from: str = described("First partition that the champion holds for")
    model_version: str = described("Version that became champion")
    as_of: str = described("Partition as of which it was trained")
    mlflow_run_id: str = described("MLflow run that trained it")
    model_sha256: str = described("Digest of the model's text")
    features_sha256: str = described("Digest of the ordered feature names")
    recipe_sha256: str = described("Digest of the training recipe")
    reference_sha256: str = described("Digest of the training reference for drift")
    replaces: str | None = described("Version of the champion it replaced")
    dataset_version: str = described("Input tables of the training, with Delta versions")
    trained_by: str = described("Who ran the training")
    decided_by: str = described("'gate', the person, or 'declaration'")
    reason: str = described("Why, in their words")
    gate_report: str = described(
        "The passed report it rests on, JSON; of an acceptance, what was wrong"
    )
    git_sha: str = described("Commit of the code that decided")
    run_id: str = described("Run that decided")
    recorded_at: str = described("When it was recorded (UTC, ISO 8601)")
    previous_digest: str = described("Digest of the event before; empty for the first")
    digest: str = described("Digest of all the columns above", default="")

    @property
    def report(self) -> GateReport:
        """The gate report the event rests on."""
        return GateReport.from_json(self.gate_report)

    @property
    def is_baseline(self) -> bool:
        """Whether it crowns the rule of thumb, which the gate never judged."""
        return self.report.task == BASELINE_TASK

    @property
    def identity(self) -> Identity:
        """What was crowned, by its digests."""
        return Identity(**{f.name: getattr(self, f.name) for f in fields(Identity)})

    @property
    def accepted(self) -> Accepted:
        """What an acceptance accepts.

        Raises:
            ValueError: that cannot be read.
        """
        return from_json(Accepted, self.gate_report)

    @property
    def content_digest(self) -> str:
        """sha256 of everything but the digest itself."""
        record = {k: v for k, v in asdict(self).items() if k != "digest"}
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def sealed(self) -> "ChampionEvent":
        """The event with its digest."""
        return replace(self, digest=self.content_digest)


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
    def is_accepted(self) -> bool:
        """Whether a person ever accepted the history as it stood: others may have been champion."""
        return len(self.events) < len(self.chain)

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
        return f"{self.head.sequence}:{self.head.digest}" if self.head else ""
