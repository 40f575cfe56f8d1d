"""Retraining: the decision, from what is known about champions, candidates and drift.

Pure: the sensor gathers the facts and acts on the decision. One run at most follows from one
finding, and every 'no' says why.
"""

from dataclasses import dataclass

from finance_assets.monitoring.drift import DriftVerdict


@dataclass(frozen=True)
class DriftFinding:
    """A partition's drift verdict, and the champion it was measured against.

    `answered_as_of`: the partition in which its outcomes become known, as of which a candidate
    answers the drift.
    """

    partition: str
    verdict: str
    champion_version: str
    drifted: tuple[str, ...] = ()
    answered_as_of: str = ""


@dataclass(frozen=True)
class RetrainingFacts:
    """What the orchestrator knows.

    `ready` are the partitions as of which a candidate can be trained now (its inputs are
    there); `decided` those for which a promotion decision exists; `champion_version` the
    champion in force after the latest decision; `findings` oldest first.
    """

    first_as_of: str
    ready: frozenset[str]
    decided: frozenset[str]
    champion_version: str | None
    findings: tuple[DriftFinding, ...]


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


def decide_retraining(facts: RetrainingFacts) -> RetrainingRequest | NoRetraining:
    """What follows from the facts: a first champion, an answer to a drift, or nothing.

    Of several unanswered drifts the oldest is answered first; what is said about the newest is
    the reason when there is nothing to do.
    """
    if facts.champion_version is None:
        return _first_champion(facts)
    if not facts.findings:
        return NoRetraining(f"champion v{facts.champion_version}: no drift measured yet")
    answers = [_answer_to_drift(facts, finding) for finding in facts.findings]
    requests = [answer for answer in answers if isinstance(answer, RetrainingRequest)]
    return requests[0] if requests else answers[-1]


def _first_champion(facts: RetrainingFacts) -> RetrainingRequest | NoRetraining:
    possible = sorted(p for p in facts.ready if p >= facts.first_as_of)
    untried = [p for p in possible if p not in facts.decided]
    if untried:
        as_of = untried[-1]
        return RetrainingRequest(as_of, f"first-champion:{as_of}", "there is no champion yet")
    if possible:
        return NoRetraining(
            f"no champion: the candidate as of {possible[-1]} did not pass the gate, or waits "
            "for approval; the next partition brings the next try"
        )
    return NoRetraining(f"no champion: outcomes are known from {facts.first_as_of} on")


def _answer_to_drift(
    facts: RetrainingFacts, finding: DriftFinding
) -> RetrainingRequest | NoRetraining:
    at, version = finding.partition, finding.champion_version
    if finding.verdict != DriftVerdict.drift:
        return NoRetraining(f"{at}: {finding.verdict}, champion v{version} stays")
    if version != facts.champion_version:
        return NoRetraining(
            f"{at}: drift was measured against v{version}, "
            f"which v{facts.champion_version} has replaced since"
        )
    as_of = finding.answered_as_of
    if as_of not in facts.ready:
        return NoRetraining(f"{at}: drift; waiting for the outcomes, known in {as_of}")
    if as_of in facts.decided:
        return NoRetraining(f"{at}: drift was answered by the candidate as of {as_of}")
    moved = ", ".join(finding.drifted[:3])
    return RetrainingRequest(as_of, f"drift:{at}:v{version}", f"drift in {at} ({moved})")
