"""Retraining: the decision, from what is known about champions, candidates and drift.

Pure: the sensor gathers the facts and acts on the decision. One run at most follows from one
cause, and every 'no' says why.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from finance_assets.declarations import Mistake, refuse
from finance_assets.monitoring.triage import Action


@dataclass(frozen=True)
class RetrainingPolicy:
    """How much drift is answered, and how often; counted in partitions.

    At least `at_least` of the champion's `of_last` newest findings ask for a candidate, the newest
    of them for certain. After a candidate as of a partition, the next `cool_down` bring none.
    """

    at_least: int = 1
    of_last: int = 1
    cool_down: int = 0

    def __post_init__(self) -> None:
        """Refuse a policy that could never be met.

        Raises:
            DeclarationError: naming every mistake.
        """
        refuse("retraining", self._mistakes())

    def _mistakes(self) -> Iterator[Mistake]:
        if not 1 <= self.at_least <= self.of_last:
            yield Mistake("at_least", f"is {self.at_least}", f"from 1 to of_last ({self.of_last})")
        if self.cool_down < 0:
            yield Mistake("cool_down", f"is {self.cool_down}", "0 or more partitions")


@dataclass(frozen=True)
class DriftFinding:
    """A partition's verdict, what is to be done, and the champion it was measured against.

    `answered_as_of`: the partition in which its outcomes become known, as of which a candidate
    answers the drift at the earliest.
    """

    partition: str
    verdict: str
    action: str
    champion_version: str
    drifted: tuple[str, ...] = ()
    answered_as_of: str = ""

    @property
    def asks(self) -> bool:
        """Whether it asks for a new candidate."""
        return self.action == Action.retrain

    @property
    def words(self) -> str:
        """The verdict as people write it."""
        return self.verdict.replace("_", " ")


@dataclass(frozen=True)
class RetrainingFacts:
    """The facts on which the decision to retrain rests, as the orchestrator knows them.

    `ready` are the partitions as of which a candidate can be trained now (its inputs are there);
    `decided` those for which a promotion decision exists; `champion_version` the champion in
    force after the latest decision, `champion_digest` its identity, `is_baseline` whether it is the
    rule of thumb; `findings` oldest first. `cooled_as_of`: the first partition after the cool-down.
    `made_by`: the run that made the labels of a partition that is ready, so that a lakehouse that
    was made anew is asked anew.
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


@dataclass(frozen=True)
class RetrainingRequest:
    """Train, evaluate and decide as of a partition, and why. `key` names the cause, once."""

    as_of: str
    key: str
    reason: str


@dataclass(frozen=True)
class NoRetraining:
    """Nothing to do, and the sentence that says why."""

    reason: str


def decide_retraining(
    facts: RetrainingFacts, policy: RetrainingPolicy
) -> RetrainingRequest | NoRetraining:
    """What follows from the facts: a first champion, an answer to a drift, or nothing."""
    if facts.champion_version is None or facts.is_baseline:
        return _first_champion(facts)
    if not facts.findings:
        return NoRetraining(f"champion v{facts.champion_version}: no drift measured yet")
    refusal = _why_not(facts, policy)
    if refusal:
        return NoRetraining(refusal)
    newest, episode = facts.findings[-1], _episode(facts, policy)
    known = min(finding.answered_as_of for finding in episode)
    possible = [p for p in facts.ready if p >= known]
    at = f"{newest.partition}: {newest.words}"
    if not possible:
        return NoRetraining(f"{at}; waiting for the outcomes, known in {known}")
    as_of = max(possible)
    if as_of in facts.decided:
        return NoRetraining(f"{at} was answered by the candidate as of {as_of}")
    if as_of < facts.cooled_as_of:
        return NoRetraining(
            f"{at}; cooling down after the candidate as of {max(facts.decided)}: the next one is "
            f"as of {facts.cooled_as_of} at the earliest"
        )
    moved = f" ({', '.join(newest.drifted[:3])})" if newest.drifted else ""
    cause = f"drift:{newest.partition}:{facts.champion_digest[:12]}:{newest.verdict}"
    since = f", since {episode[0].partition}" if len(episode) > 1 else ""
    reason = f"{newest.words} in {newest.partition}{moved}{since}"
    return RetrainingRequest(as_of, _key(facts, cause, as_of), reason)


def _first_champion(facts: RetrainingFacts) -> RetrainingRequest | NoRetraining:
    possible = sorted(p for p in facts.ready if p >= facts.first_as_of)
    untried = [p for p in possible if p not in facts.decided]
    if facts.is_baseline:
        # Who was beaten with more data is not asked with less: one try for each new partition.
        untried = [p for p in untried if p > max(facts.decided, default="")]
    serving = "the rule of thumb serves" if facts.is_baseline else "no champion"
    if untried:
        as_of = untried[-1]
        beaten = f"{serving} until a candidate beats it"
        why = beaten if facts.is_baseline else "there is no champion yet"
        return RetrainingRequest(as_of, _key(facts, f"first-champion:{as_of}", as_of), why)
    if possible:
        return NoRetraining(
            f"{serving}: the candidate as of {possible[-1]} did not pass the gate, or waits "
            "for approval; the next partition brings the next try"
        )
    return NoRetraining(f"{serving}: outcomes are known from {facts.first_as_of} on")


def _why_not(facts: RetrainingFacts, policy: RetrainingPolicy) -> str:
    """Why the findings ask for no candidate; empty if they do."""
    newest, champion = facts.findings[-1], facts.champion_version
    at = f"{newest.partition}: {newest.words}"
    is_of_champion = newest.champion_version == champion
    if not newest.asks:
        held = "" if newest.action in ("", Action.wait) else f" ({newest.action.replace('_', ' ')})"
        against = "" if is_of_champion else f" against v{newest.champion_version}"
        return f"{at}{held}{against}, champion v{champion} stays"
    if not is_of_champion:
        return (
            f"{at} was measured against v{newest.champion_version}, "
            f"which v{champion} has replaced since"
        )
    recent = _own(facts)[-policy.of_last :]
    asking = sum(finding.asks for finding in recent)
    if asking < policy.at_least:
        return (
            f"{at}; {asking} of the last {policy.of_last} findings ask for a candidate, "
            f"{policy.at_least} have to"
        )
    return ""


def _own(facts: RetrainingFacts) -> list[DriftFinding]:
    """The findings about the champion in force."""
    return [f for f in facts.findings if f.champion_version == facts.champion_version]


def _episode(facts: RetrainingFacts, policy: RetrainingPolicy) -> list[DriftFinding]:
    """The findings that are answered together: those counted, and those without a break before."""
    own = _own(facts)
    begin = max(len(own) - policy.of_last, 0)
    while begin > 0 and own[begin].asks and own[begin - 1].asks:
        begin -= 1
    return [finding for finding in own[begin:] if finding.asks]


def _key(facts: RetrainingFacts, cause: str, as_of: str) -> str:
    """Names the cause, and the run that made what is learned from, where that is known."""
    made_by = facts.made_by.get(as_of, "")
    return f"{cause}@{made_by[:8]}" if made_by else cause
