"""What the decision to retrain rests on, as the orchestrator gathers it; retraining.py decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from finance_assets.monitoring.triage import Action, Verdict


@dataclass(frozen=True)
class DriftFinding:
    """A partition's verdict, what is to be done, and the champion it was measured against.

    `answered_as_of`: the partition in which its outcomes become known, as of which a candidate
    answers the drift at the earliest. `said_at`: of a hold, since when people could see it, in
    seconds since 1970.
    """

    partition: str
    verdict: str
    action: str
    champion_version: str
    drifted: tuple[str, ...] = ()
    answered_as_of: str = ""
    said_at: float = 0.0

    @property
    def asks(self) -> bool:
        """Whether it asks for a new candidate."""
        return self.action == Action.retrain

    @property
    def holds(self) -> bool:
        """Whether nothing is learned from it before a person has looked."""
        return self.action == Action.hold

    @property
    def words(self) -> str:
        """The verdict as people write it."""
        return self.verdict.replace("_", " ")


@dataclass(frozen=True)
class Answer:
    """A candidate that a person asked for, as of which partition and when (seconds since 1970)."""

    as_of: str
    asked_at: float


@dataclass(frozen=True)
class RetrainingFacts:
    """The facts on which the decision to retrain rests, as the orchestrator knows them.

    `ready` are the partitions as of which a candidate can be trained now (its inputs are there),
    `measured` those of which triage has judged what the tables hold now; `decided` those for which
    a promotion decision exists; `champion_version` the champion in force after the latest
    decision, `champion_as_of` as of which it was trained, `champion_digest` its identity,
    `champion_from` the first partition that it holds for since it became champion last,
    `is_baseline` whether it is the rule of thumb; `findings` oldest first, `answers` what people
    asked for since. `restated`: what the champion learned from that was changed since, in
    sentences; None where only the findings say so. `put_back_at`: the newest partition that was
    known when a person put the champion back. `cooled_as_of`: the first partition after the
    cool-down. `made_by`: the run that made the labels of a partition that is ready, so that a
    lakehouse that was made anew is asked anew. `history_problems`: why the champion history cannot
    be trusted; nothing is known of the champion then. `lost_at`: when a person accepted a history
    that names no champion any more, or but the rule of thumb; `decided` holds nothing older then.
    """

    first_as_of: str
    ready: frozenset[str]
    decided: frozenset[str]
    champion_version: str | None
    findings: tuple[DriftFinding, ...]
    champion_digest: str = ""
    cooled_as_of: str = ""
    made_by: Mapping[str, str] = field(default_factory=dict)
    is_baseline: bool = False
    measured: frozenset[str] = frozenset()
    champion_as_of: str = ""
    champion_from: str = ""
    answers: tuple[Answer, ...] = ()
    restated: tuple[str, ...] | None = None
    put_back_at: str = ""
    history_problems: tuple[str, ...] = ()
    lost_at: str = ""

    @property
    def newest_decided(self) -> str:
        """The newest partition as of which there was a candidate; empty without any."""
        return max(self.decided, default="")

    def is_judged(self, partition: str) -> bool:
        """Whether triage had its say on the outcomes of a partition.

        Without a champion it has none, and what a champion learned was judged before.
        """
        is_old = self.champion_version is None or partition <= self.champion_as_of
        return is_old or partition in self.measured

    @property
    def holds(self) -> tuple[DriftFinding, ...]:
        """The holds on what the champion did not learn; a person may have answered them since.

        Data that were restated hold by a finding only where nothing says what is restated now.
        """
        return tuple(
            finding
            for finding in self.findings
            if finding.holds
            and finding.partition > self.champion_as_of
            and not (finding.verdict == Verdict.restated_data and self.restated is not None)
        )

    @property
    def answered_from(self) -> str:
        """The first partition as of which a candidate answers any of the holds."""
        return min(map(self._needed, self.holds), default="")

    def open_holds(self, as_of: str) -> list[DriftFinding]:
        """The holds that nobody answered, on what a candidate would learn and the champion did not.

        A hold is answered by a corrected delivery, which takes the verdict away, or by a candidate
        on the same data that a person asked for since.
        """
        return [
            finding
            for finding in self.holds
            if finding.partition <= as_of and not self._is_answered(finding)
        ]

    def _is_answered(self, hold: DriftFinding) -> bool:
        needed = self._needed(hold)
        return any(a.as_of >= needed and a.asked_at > hold.said_at for a in self.answers)

    def _needed(self, hold: DriftFinding) -> str:
        """The first partition as of which a candidate answers a hold."""
        is_restated = hold.verdict == Verdict.restated_data
        return self.champion_as_of if is_restated else hold.partition
