"""Alerts: what people are told.

Pure: facts in, alerts out. Gathering the facts is alert_facts.py's, sending channels.py's; told.py
remembers which of it was told.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from finance_assets.monitoring.triage import Action, Verdict


class Cause(StrEnum):
    """Why somebody is told; the value is the heading of the runbook that says what to do."""

    gate_rejected = "gate-rejected"
    held = "waits-for-approval"
    quarantine = "quarantine-over-its-limit"
    step_failed = "step-failed"
    not_fresh = "delivery-overdue"
    history_broken = "champion-history-broken"
    hold = "triage-says-hold"
    unknown = "facts-cannot-be-read"


@dataclass(frozen=True)
class Alert:
    """One thing to tell. `key` names what is told, once; `verdict` says it in a few words.

    `page` is the path of Dagster's page about it.
    """

    cause: Cause
    use_case: str
    partition: str
    verdict: str
    key: str
    detail: str = ""
    page: str = ""

    @property
    def title(self) -> str:
        """The first line of the message."""
        return f"[{self.use_case}] {self.partition}: {self.verdict}".strip()

    def body(self, ui_url: str, runbook_url: str) -> str:
        """The rest: what is known, where the run is, what to do."""
        lines = {
            "use case": self.use_case,
            "partition": self.partition,
            "verdict": self.verdict,
            "detail": self.detail,
            "run": f"{ui_url.rstrip('/')}{self.page}" if self.page else "",
            "runbook": f"{runbook_url}#{self.cause}",
        }
        return "\n".join(f"{name}: {text}" for name, text in lines.items() if text)


@dataclass(frozen=True)
class FailedRun:
    """A failed run: what of it failed, and the blocking checks that refused its rows."""

    run_id: str
    job: str
    partition: str
    steps: tuple[str, ...]
    what: str
    failed_checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """A partition of which triage says that a person has to look before anything is learned, or
    to bring the champion `better_version` back in place of the one that was judged: `action` says
    which. `is_growing`: it is delivered and judged again, maybe each day.
    """

    partition: str
    verdict: str
    evidence: str
    run_id: str = ""
    action: str = Action.hold
    champion_version: str = ""
    better_version: str = ""
    is_growing: bool = False

    def recommendation(self, use_case: str) -> str:
        """What a person is asked to do."""
        if self.action != Action.roll_back:
            return "hold: nothing is learned from it before a person has looked"
        names = f"--to {self.better_version} --expect {self.champion_version}"
        return (
            f'roll back: `finance-assets rollback {use_case} {names} --reason "…"` brings back '
            f"v{self.better_version}, which surely does better than v{self.champion_version}"
        )


@dataclass(frozen=True)
class Uncrowned:
    """A candidate that did not become champion: `outcome` is turned_down or held."""

    as_of: str
    outcome: str
    version: str
    failed_criteria: str
    run_id: str = ""


@dataclass(frozen=True)
class AlertFacts:
    """What is so of a use case now, as far as somebody has to know.

    `overdue` are the partitions that did not come, by table; `unknown` the kinds of facts that
    could not be read, by the name of their field, with the error.
    """

    use_case: str
    failed_runs: tuple[FailedRun, ...] = ()
    holds: tuple[Held, ...] = ()
    candidates: tuple[Uncrowned, ...] = ()
    overdue: Mapping[str, tuple[str, ...]] | None = None
    history_table: str = ""
    history_problems: tuple[str, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)


def alerts_of(facts: AlertFacts) -> list[Alert]:
    """Everything that somebody has to know, each with the key by which it is told once."""
    return [
        *_of_unknown(facts),
        *_of_history(facts),
        *_of_holds(facts),
        *_of_runs(facts),
        *_of_candidates(facts),
        *_of_freshness(facts),
    ]


def _of_unknown(facts: AlertFacts) -> Iterator[Alert]:
    for kind, error in facts.unknown.items():
        said = f"what is so of {kind.replace('_', ' ')} cannot be read"
        # By the error's class: its text may name what is another one at each look.
        key = f"unknown:{kind}:{error.partition(':')[0]}"
        yield Alert(Cause.unknown, facts.use_case, "", said, key, error)


def _of_history(facts: AlertFacts) -> Iterator[Alert]:
    if facts.history_problems:
        said = "; ".join(facts.history_problems)
        yield Alert(
            Cause.history_broken,
            facts.use_case,
            "",
            "the champion history is broken",
            f"history:{_digest(said)}",
            said,
            _asset_page(facts.history_table),
        )


def _of_holds(facts: AlertFacts) -> Iterator[Alert]:
    for held in facts.holds:
        yield Alert(
            Cause.hold,
            facts.use_case,
            held.partition,
            held.verdict.replace("_", " "),
            _hold_key(held),
            f"{held.recommendation(facts.use_case)}. {held.evidence}",
            _run_page(held.run_id),
        )


def _hold_key(held: Held) -> str:
    """What is restated once more, or judged of another champion, is told once more; what was
    restated is of no partition, as each one that is measured later finds it again. A hold with
    other evidence has to be answered anew, so it is told anew, but not on each day of a month.
    """
    if held.verdict == Verdict.restated_data:
        return f"hold:{held.verdict}:{_digest(held.evidence)}"
    key = f"hold:{held.partition}:{held.verdict}:v{held.champion_version}"
    if held.action == Action.roll_back:
        return f"{key}:v{held.better_version}"
    return key if held.is_growing else f"{key}:{_digest(held.evidence)}"


def _of_runs(facts: AlertFacts) -> Iterator[Alert]:
    for run in facts.failed_runs:
        is_quarantine = "quarantine_share" in run.failed_checks
        said = "too many rows were rejected" if is_quarantine else f"{run.job} failed"
        checks = f"failed checks: {', '.join(run.failed_checks)}" if run.failed_checks else ""
        parts = (", ".join(run.steps), run.what, checks)
        yield Alert(
            Cause.quarantine if is_quarantine else Cause.step_failed,
            facts.use_case,
            run.partition,
            said,
            f"run:{run.run_id}",
            ": ".join(part for part in parts if part),
            _run_page(run.run_id),
        )


def _of_candidates(facts: AlertFacts) -> Iterator[Alert]:
    for one in facts.candidates:
        is_held = one.outcome == "held"
        said = "waits for approval" if is_held else "was turned down by the gate"
        yield Alert(
            Cause.held if is_held else Cause.gate_rejected,
            facts.use_case,
            one.as_of,
            f"candidate v{one.version} {said}",
            f"decision:{one.as_of}:v{one.version}:{one.outcome}",
            f"failed criteria: {one.failed_criteria}" if one.failed_criteria else "",
            _run_page(one.run_id),
        )


def _of_freshness(facts: AlertFacts) -> Iterator[Alert]:
    for table, missing in (facts.overdue or {}).items():
        if missing:
            count = f" and {len(missing) - 1} before it" if len(missing) > 1 else ""
            yield Alert(
                Cause.not_fresh,
                facts.use_case,
                missing[-1],
                f"the delivery of {table} is overdue{count}",
                f"overdue:{table}:{missing[-1]}",
                f"missing, or not all of it came: {', '.join(missing[-12:])}",
                _asset_page(table),
            )


def _run_page(run_id: str) -> str:
    return f"/runs/{run_id}" if run_id else ""


def _asset_page(table: str) -> str:
    return f"/assets/{table.replace('.', '/')}" if table else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
