"""Triage: why something moved, and what is recommended. A pure function of measurements.

Nothing is measured here, and nothing is done about it: retraining.py decides on the action.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from finance_assets.monitoring.drift import DriftReport
from finance_assets.monitoring.measurements import Matured, Measurements, Rival
from finance_assets.monitoring.significance import Figure

SHOWN_CODES = 3


class Verdict(StrEnum):
    """Why a partition looks as it does."""

    none = "none"
    data_quality = "data_quality"
    encoding_change = "encoding_change"
    label_definition_change = "label_definition_change"
    restated_data = "restated_data"
    covariate_shift = "covariate_shift"
    concept_shift = "concept_shift"
    immature_reference = "immature_reference"
    # What cannot be judged.
    no_champion = "no_champion"
    too_few_rows = "too_few_rows"


class Action(StrEnum):
    """What is recommended: wait and see, tell a person and change nothing, or change the model."""

    wait = "wait"
    hold = "hold"
    retrain = "retrain"
    roll_back = "roll_back"


@dataclass(frozen=True)
class Triage:
    """What is thought of one partition, scored by one champion.

    `evidence` are sentences, strongest first; `drifted` the variables that moved, worst first.
    `better_version`, `better_sha256`: to which champion it is recommended to roll back.
    """

    partition: str
    verdict: Verdict
    action: Action
    champion_version: str = ""
    champion_sha256: str = ""
    evidence: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()
    better_version: str = ""
    better_sha256: str = ""


ACTIONS = {
    Verdict.data_quality: Action.hold,
    Verdict.encoding_change: Action.hold,
    Verdict.label_definition_change: Action.hold,
    Verdict.restated_data: Action.hold,
    Verdict.immature_reference: Action.retrain,
    Verdict.concept_shift: Action.retrain,
    Verdict.covariate_shift: Action.retrain,
}


def triage(found: Measurements) -> Triage:
    """The verdict, with the evidence of everything that was found.

    What breaks the data comes first, for nothing can be concluded from broken data; then what
    breaks the labels, then the reference, and only then the world. Of few rows no distribution
    is judged; what was rejected or restated is so of however many.
    """
    evidence = _evidence(found) if found.champion_version else {}
    verdict = next((v for v, sentences in evidence.items() if sentences), _unjudged(found))
    action = ACTIONS.get(verdict, Action.wait)
    said = list(evidence.get(verdict, ()))
    better = _better(found.matured) if verdict is Verdict.concept_shift else None
    if better is not None:
        action = Action.roll_back
        said.append(f"v{better.version} does better on the same outcomes")
    said += [one for v, sentences in evidence.items() if v is not verdict for one in sentences]
    return Triage(
        found.partition,
        verdict,
        action,
        found.champion_version,
        found.champion_sha256,
        tuple(said) or _nothing(found, verdict),
        _moved(found.report) if evidence and not found.report.is_too_small else (),
        better.version if better else "",
        better.sha256 if better else "",
    )


def _evidence(found: Measurements) -> dict[Verdict, tuple[str, ...]]:
    """What speaks for each verdict, in the order in which they count."""
    report, is_judged = found.report, not found.report.is_too_small
    return {
        Verdict.data_quality: (*_rejections(found), *(_broken(report) if is_judged else ())),
        Verdict.encoding_change: _codes(report) if is_judged else (),
        Verdict.label_definition_change: _definition(found),
        Verdict.restated_data: found.restated,
        Verdict.immature_reference: _immature(report) if is_judged else (),
        Verdict.concept_shift: _concept(found),
        Verdict.covariate_shift: _shifts(report) if is_judged else (),
    }


def _unjudged(found: Measurements) -> Verdict:
    if not found.champion_version:
        return Verdict.no_champion
    return Verdict.too_few_rows if found.report.is_too_small else Verdict.none


def _nothing(found: Measurements, verdict: Verdict) -> tuple[str, ...]:
    report = found.report
    return {
        Verdict.no_champion: ("no champion scored it",),
        Verdict.too_few_rows: (f"{report.rows} rows, {report.limits.min_rows} are needed",),
    }.get(verdict, (f"nothing moved: the largest PSI is {report.max_psi:.3f}",))


def _moved(report: DriftReport) -> tuple[str, ...]:
    every = (*report.unseen(), *report.moved(), *report.missing(), *report.breached())
    return tuple(dict.fromkeys(v.variable for v in every))


def _rejections(found: Measurements) -> tuple[str, ...]:
    limit = found.report.limits.quarantine_share
    return tuple(
        f"{r.table}: {r.share:.1%} of {r.delivered} rows were rejected"
        + (f" ({r.reasons})" if r.reasons else "")
        for r in found.rejected
        if r.share >= limit
    )


def _broken(report: DriftReport) -> tuple[str, ...]:
    """Values that vanished, and values in no unit that training knew."""
    gone = [v for v in report.missing() if v.missing_share > v.reference_missing_share]
    return (
        *(
            f"{v.variable}: {v.missing_share:.1%} are missing, {v.reference_missing_share:.1%} "
            "at training"
            for v in gone
        ),
        *(
            f"{v.variable}: {v.breach_share:.1%} lie outside the range of training"
            for v in report.breached()
        ),
    )


def _codes(report: DriftReport) -> tuple[str, ...]:
    return tuple(
        f"{v.variable}: {v.unseen_share:.1%} have codes that training all but never saw: "
        + ", ".join(f"{code} ({share:.1%})" for code, share in v.unseen_codes[:SHOWN_CODES])
        + (", …" if len(v.unseen_codes) > SHOWN_CODES else "")
        for v in report.unseen()
    )


def _immature(report: DriftReport) -> tuple[str, ...]:
    return tuple(
        f"{v.variable}: {v.reference_missing_share:.1%} were missing at training, now "
        f"{v.missing_share:.1%}: the champion learned before there was a past"
        for v in report.missing()
        if v.reference_missing_share - v.missing_share >= report.limits.maturing
    )


def _shifts(report: DriftReport) -> tuple[str, ...]:
    return tuple(
        f"{v.variable}: PSI {v.psi:.3f} [{v.psi_low:.3f}, {v.psi_high:.3f}]" for v in report.moved()
    )


def _definition(found: Measurements) -> tuple[str, ...]:
    """Outcomes that jump from one partition to the next, scores held equal."""
    matured, limit = found.matured, found.report.limits.outcome_jump
    if matured is None or matured.level is None or matured.before is None:
        return ()
    jump = matured.level.value - matured.before.value
    reach = math.hypot(_reach(matured.level), _reach(matured.before))
    if abs(jump) < limit or abs(jump) <= reach:
        return ()
    return (
        f"outcomes of {matured.partition} lie {jump:+.2f} from those before, at equal scores: "
        "another definition of the label?",
    )


def _concept(found: Measurements) -> tuple[str, ...]:
    """Outcomes that surely follow another relation to the inputs than was learned.

    How a champion fared that was replaced since says nothing of today's. Of however few rows:
    their intervals say how much chance can do, and count rows that hang together as one. What is
    lost has an interval to which what was expected and what came each add their own.
    """
    matured, limits = found.matured, found.report.limits
    if matured is None or matured.scored_by not in ("", found.champion_sha256):
        return ()
    said = []
    if matured.lost and matured.lost.value >= limits.performance_loss and matured.lost.low > 0:
        said.append(
            f"{matured.lost.value:.0%} of what was to be expected of {matured.partition} is lost"
        )
    level = matured.level
    if level and abs(level.value) >= 2 * limits.outcome_jump and abs(level.value) > _reach(level):
        said.append(f"outcomes of {matured.partition} lie {level.value:+.2f} from what was said")
    return tuple(said)


def _better(matured: Matured | None) -> Rival | None:
    """The champion that loses least on the same outcomes, if that is surely less."""
    if matured is None or matured.lost is None:
        return None
    best = min(matured.rivals, key=lambda rival: rival.lost.high, default=None)
    return best if best is not None and best.lost.high < matured.lost.low else None


def _reach(interval: Figure) -> float:
    """Nearly four standard errors: a chance of one in ten thousand."""
    return 2 * (interval.high - interval.low) / 2
