"""Retraining: the decision, from what is known about champions, candidates and drift.

Pure: the sensor gathers the facts and acts on the decision. One run at most follows from one
cause, and every 'no' says why.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from finance_assets.declarations import Mistake, refuse
from finance_assets.monitoring.retraining_facts import DriftFinding, RetrainingFacts
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
    if facts.history_problems:
        return NoRetraining(
            f"the champion history cannot be trusted: {'; '.join(facts.history_problems)}. Nothing "
            "is trained until its table is put right, or `finance-assets accept` says that it holds"
        )
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
    judged = [p for p in possible if facts.is_judged(p)]
    if not judged:
        return NoRetraining(f"{at}; {_unjudged(min(possible))}")
    as_of = max(judged)
    answers = [p for p in facts.decided if p == as_of or p >= newest.answered_as_of]
    if answers:
        return NoRetraining(f"{at} was answered by the candidate as of {max(answers)}")
    barrier = _barrier(facts, as_of)
    if barrier:
        return NoRetraining(f"{at}; {barrier}")
    moved = f" ({', '.join(newest.drifted[:3])})" if newest.drifted else ""
    cause = f"drift:{newest.partition}:{facts.champion_digest[:12]}:{newest.verdict}"
    since = f", since {episode[0].partition}" if len(episode) > 1 else ""
    reason = f"{newest.words} in {newest.partition}{moved}{since}"
    return RetrainingRequest(as_of, _key(facts, cause, as_of), reason)


def _first_champion(facts: RetrainingFacts) -> RetrainingRequest | NoRetraining:
    possible = sorted(p for p in facts.ready if p >= facts.first_as_of)
    # Who was beaten with more data is not asked with less: one try for each new partition.
    untried = [p for p in possible if p > facts.newest_decided]
    lost = ", as the champion was lost" if facts.lost_at else ""
    serving = f"{'the rule of thumb serves' if facts.is_baseline else 'no champion'}{lost}"
    if not possible:
        return NoRetraining(f"{serving}: outcomes are known from {facts.first_as_of} on")
    if not untried:
        return NoRetraining(
            f"{serving}: the candidate as of {facts.newest_decided} did not pass the gate, or "
            "waits for approval; the next partition brings the next try"
        )
    judged = [p for p in untried if facts.is_judged(p)]
    if not judged:
        return NoRetraining(f"{serving}; {_unjudged(untried[0])}")
    as_of = judged[-1]
    barrier = _barrier(facts, as_of)
    if barrier:
        return NoRetraining(f"{serving}; {barrier}")
    beaten = f"the rule of thumb serves until a candidate beats it{lost}"
    nobody = "the champion was lost" if lost else "there is no champion yet"
    # What was lost is asked for once more: another run than the one that brought it.
    cause = ":".join(filter(None, ("first-champion", as_of, facts.lost_at)))
    why = beaten if facts.is_baseline else nobody
    return RetrainingRequest(as_of, _key(facts, cause, as_of), why)


def _unjudged(partition: str) -> str:
    return f"the outcomes of {partition} are in, and wait to be measured: run its pipeline"


def _barrier(facts: RetrainingFacts, as_of: str) -> str:
    """What stands against a candidate as of a partition; empty if nothing does.

    A person's rollback, the cool-down, and what nobody may learn before a person has looked.
    """
    if as_of <= facts.put_back_at:
        return (
            f"v{facts.champion_version} was put back by a person, who knew of "
            f"{facts.put_back_at}: a later partition brings the next candidate"
        )
    if as_of < facts.cooled_as_of:
        return (
            f"cooling down after the candidate as of {facts.newest_decided}: the next one is "
            f"as of {facts.cooled_as_of} at the earliest"
        )
    holds = facts.open_holds(as_of)
    if holds:
        return (
            f"{holds[0].partition} is held ({holds[0].words}): a candidate as of {as_of} would "
            "learn it. Correct the delivery, or answer with `finance-assets retrain`"
        )
    if facts.restated:
        return f"held, as {facts.restated[0]}. Answer with `finance-assets retrain`"
    return ""


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
    """The findings about the champion in force, since it became that."""
    return [
        finding
        for finding in facts.findings
        if finding.champion_version == facts.champion_version
        and finding.partition >= facts.champion_from
    ]


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
